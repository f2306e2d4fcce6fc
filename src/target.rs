// SPDX-License-Identifier: GPL-2.0

//! A target: the address space that a process had when it was attached.

use kernel::{
    debugfs::ScopedDir,
    mm::Mm,
    prelude::*,
    sync::aref::ARef,
    task::{
        Pid,
        Task, //
    },
};

use crate::{
    pagemap::Pagemap,
    reader::BinaryFile, //
};

/// An address space, and the views of it that its directory shows.
///
/// It keeps the `mm_struct`, but none of the memory: that goes when its last process exits or
/// executes another program, and from then on there is nothing to read.
pub(crate) struct Target {
    pagemap: BinaryFile<Pagemap>,
}

impl Target {
    /// Finds the address space of a process by its PID in the current task's PID namespace.
    ///
    /// # Errors
    ///
    /// - [`ESRCH`]: there is no such process, or it has no address space.
    /// - [`EPERM`]: the current task may not look into it.
    /// - [`EINTR`]: the current task is being killed.
    pub(crate) fn find(pid: Pid) -> Result<Self> {
        let task = Task::find_by_vpid(pid).ok_or(ESRCH)?;
        let mm = task
            .readable_mm()
            .map_err(|err| if err == EACCES { EPERM } else { err })?;

        Ok(Self {
            pagemap: BinaryFile::new(ARef::<Mm>::from(&**mm)),
        })
    }

    /// Fills the target's directory.
    pub(crate) fn add_files<'data>(&'data self, dir: &ScopedDir<'data, '_>) {
        dir.operations_file(c"pagemap", &self.pagemap);
    }
}
