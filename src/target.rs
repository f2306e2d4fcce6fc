// SPDX-License-Identifier: GPL-2.0

//! What can be attached, and the views that its directory shows.

use kernel::{
    debugfs::ScopedDir,
    mm::{
        shmem::ShmemFile,
        Mm, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
    task::{
        Pid,
        Task, //
    },
};

use crate::{
    exclusive::Exclusive,
    filemap::Filemap,
    pagemap::Pagemap,
    reader::BinaryFile,
    registry::Attachable,
    summary::Summary,
    swapmap::{
        FileSwapmap,
        Swapmap, //
    },
    text::TextFile,
    tracer::{
        Tracer,
        Tracing, //
    },
    violations::Violations, //
};

/// A target: the address space that a process had when it was attached.
///
/// It keeps the `mm_struct`, but none of the memory: that goes when its last process exits or
/// executes another program, and from then on there is nothing to read.
pub(crate) struct Target {
    pagemap: BinaryFile<Pagemap>,
    swapmap: TextFile<Swapmap>,
    exclusive: BinaryFile<Exclusive>,
    summary: TextFile<Summary>,
    violations: TextFile<Violations>,
    tracing: Tracing,
}

impl Target {
    /// Finds the address space of a process by its PID in the current task's PID namespace.
    ///
    /// # Errors
    ///
    /// - [`ESRCH`]: there is no such process, or it has no address space.
    /// - [`EPERM`]: the current task may not look into it.
    /// - [`EINTR`]: the current task is being killed.
    /// - [`ENOMEM`]: no memory.
    pub(crate) fn find(pid: Pid, tracer: &Arc<Tracer>) -> Result<Self> {
        let task = Task::find_by_vpid(pid).ok_or(ESRCH)?;
        let mm = task
            .readable_mm()
            .map_err(|err| if err == EACCES { EPERM } else { err })?;

        let mm = ARef::<Mm>::from(&**mm);

        Ok(Self {
            pagemap: BinaryFile(Pagemap(mm.clone())),
            swapmap: TextFile(Swapmap(mm.clone())),
            exclusive: BinaryFile(Exclusive(mm.clone())),
            summary: TextFile(Summary(mm.clone())),
            violations: TextFile(Violations(mm.clone())),
            tracing: Tracing::new(tracer, mm)?,
        })
    }
}

impl Attachable for Target {
    fn add_files<'data>(&'data self, dir: &ScopedDir<'data, '_>) {
        dir.operations_file(c"pagemap", &self.pagemap);
        dir.operations_file(c"swapmap", &self.swapmap);
        dir.operations_file(c"exclusive", &self.exclusive);
        dir.operations_file(c"summary", &self.summary);
        dir.operations_file(c"violations", &self.violations);
        self.tracing.add_files(dir);
    }
}

/// A shmem file. It keeps the inode, and with it the file's pages.
pub(crate) struct SharedFile {
    filemap: BinaryFile<Filemap>,
    swapmap: TextFile<FileSwapmap>,
}

impl SharedFile {
    /// # Errors
    ///
    /// - [`ENOMEM`]: no memory.
    pub(crate) fn new(file: ShmemFile) -> Result<Self> {
        let file = Arc::new(file, GFP_KERNEL)?;

        Ok(Self {
            filemap: BinaryFile(Filemap(file.clone())),
            swapmap: TextFile(FileSwapmap(file)),
        })
    }
}

impl Attachable for SharedFile {
    fn add_files<'data>(&'data self, dir: &ScopedDir<'data, '_>) {
        dir.operations_file(c"filemap", &self.filemap);
        dir.operations_file(c"swapmap", &self.swapmap);
    }
}
