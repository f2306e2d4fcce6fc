// SPDX-License-Identifier: GPL-2.0

//! The control files: each write to one is a command.

use core::marker::PhantomData;

use kernel::{
    capability::Capability,
    debugfs::Operations,
    fs::LocalFile,
    mm::shmem::ShmemFile,
    prelude::*,
    str::CString,
    sync::Arc,
    uaccess::UserSliceReader, //
};

use crate::{
    files::demand,
    identity::{
        FileId,
        Identity, //
    },
    target::{
        SharedFile,
        Target, //
    },
};

use super::{
    files,
    parse,
    registry::Registries, //
};

/// A command.
pub(super) trait Command: Send + Sync + 'static {
    /// The capability that the command needs besides CAP_SYS_ADMIN.
    const CAPABILITY: Capability = Capability::SYS_ADMIN;

    /// Runs the command with the argument in `reader`.
    fn run(registries: &Registries, reader: &mut UserSliceReader) -> Result;
}

/// The file that runs command `C` on each write.
pub(super) struct CommandFile<C> {
    registries: Arc<Registries>,
    _command: PhantomData<C>,
}

impl<C> CommandFile<C> {
    /// Makes the file of a command that works on `registries`.
    pub(super) fn new(registries: Arc<Registries>) -> Self {
        Self {
            registries,
            _command: PhantomData,
        }
    }
}

#[vtable]
impl<C: Command> Operations for CommandFile<C> {
    const MODE: u16 = 0o200;
    type Open = ();

    fn open(&self, _file: &LocalFile) -> Result {
        Ok(())
    }

    fn write(&self, _open: (), reader: &mut UserSliceReader) -> Result {
        demand(Capability::SYS_ADMIN)?;
        demand(C::CAPABILITY)?;
        C::run(&self.registries, reader)
    }
}

/// `attach`: `PID\n`.
pub(super) struct Attach;

impl Command for Attach {
    const CAPABILITY: Capability = Capability::SYS_PTRACE;

    fn run(registries: &Registries, reader: &mut UserSliceReader) -> Result {
        let pid = parse::number(reader)?;
        let target = Target::find(pid, &registries.tracer)?;

        registries
            .targets
            .attach(CString::try_from_fmt(fmt!("{pid}"))?, target)
    }
}

/// `detach`: `PID\n`.
pub(super) struct Detach;

impl Command for Detach {
    fn run(registries: &Registries, reader: &mut UserSliceReader) -> Result {
        let pid = parse::number(reader)?;

        registries
            .targets
            .detach(&CString::try_from_fmt(fmt!("{pid}"))?)
    }
}

/// `attach_fd`: `FD\n`.
pub(super) struct AttachFd;

impl Command for AttachFd {
    fn run(registries: &Registries, reader: &mut UserSliceReader) -> Result {
        let fd = u32::try_from(parse::number(reader)?).map_err(|_| EBADF)?;

        let file = ShmemFile::from_fd(fd)?;
        let id = files::identities(registries)?.name(&Identity::of(&file));

        registries.files.attach(id.name()?, SharedFile::new(file)?)
    }
}

/// `attach_file`: `MAJOR:MINOR:INODE\n` or `MAJOR:MINOR:INODE:GENERATION\n`. The directory has the
/// name that was written.
pub(super) struct AttachFile;

impl Command for AttachFile {
    fn run(registries: &Registries, reader: &mut UserSliceReader) -> Result {
        let id = parse::file_id(reader)?;

        if is_ambiguous(registries, &id)? {
            return Err(EINVAL);
        }
        // One whose pages are all in memory again is not in the list.
        registries.files.for_each(|file| {
            if file.identity().has(&id) {
                Err(EEXIST)
            } else {
                Ok(())
            }
        })?;
        registries
            .files
            .attach(id.name()?, SharedFile::new(files::find(&id)?)?)
    }
}

/// `detach_fd`: the name of the directory, which stays when it becomes ambiguous, or another name of
/// the file.
pub(super) struct DetachFd;

impl Command for DetachFd {
    fn run(registries: &Registries, reader: &mut UserSliceReader) -> Result {
        let id = parse::file_id(reader)?;

        match registries.files.detach(&id.name()?) {
            Err(ENOENT) if is_ambiguous(registries, &id)? => Err(EINVAL),
            Err(ENOENT) => registries
                .files
                .detach_object(|file| file.identity().has(&id)),
            detached => detached,
        }
    }
}

/// Returns whether `id` has no generation and names several files.
fn is_ambiguous(registries: &Registries, id: &FileId) -> Result<bool> {
    Ok(id.generation.is_none() && files::identities(registries)?.is_ambiguous(id))
}
