// SPDX-License-Identifier: GPL-2.0

//! Attached objects, each with the views that its directory shows.

use core::ptr;

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
    files::{
        BinaryFile,
        TextFile, //
    },
    identity::Identity,
    trace::{
        Tracer,
        Tracing, //
    },
    views::{
        Exclusive,
        FileSummary,
        FileSwapmap,
        Filemap,
        Kept,
        PageFile,
        Pagemap,
        Summary,
        Swapmap,
        Violations, //
    },
};

/// An object that can be attached; its views are files of one directory.
pub(crate) trait Attachable: Send + Sync + 'static {
    /// The kernel's objects behind an attached object.
    type Origin: Clone + PartialEq;

    /// Returns the origin.
    fn origin(&self) -> Self::Origin;

    /// Returns whether this object takes the place of an attached one of the same name, whose
    /// origin is `old`. Once true, it stays true.
    ///
    /// # Errors
    ///
    /// - [`EINTR`]: a fatal signal arrived.
    fn replaces(&self, old: &Self::Origin) -> Result<bool>;

    /// Returns whether `other` is the same object, whatever their names are.
    fn is_same(&self, other: &Self) -> bool;

    /// Adds the files to the object's directory.
    fn add_files<'data>(&'data self, dir: &ScopedDir<'data, '_>);
}

/// A process and the address space that it had when it was attached.
#[derive(Clone)]
pub(crate) struct Owner {
    task: ARef<Task>,
    mm: ARef<Mm>,
}

impl Owner {
    fn has_mm(&self, mm: &Mm) -> bool {
        ptr::eq(&raw const *self.mm, mm)
    }

    /// Returns whether the process still has that address space.
    ///
    /// # Errors
    ///
    /// - [`EINTR`]: a fatal signal arrived.
    fn is_current(&self) -> Result<bool> {
        match self.task.readable_mm() {
            Ok(mm) => Ok(self.has_mm(&mm)),
            // It exited, or another thread of it executed a program.
            Err(ESRCH) => Ok(false),
            Err(EINTR) => Err(EINTR),
            Err(_) => Ok(true),
        }
    }
}

impl PartialEq for Owner {
    fn eq(&self, other: &Self) -> bool {
        self.has_mm(&other.mm) && *self.task == *other.task
    }
}

/// A target: the address space that a process had when it was attached.
///
/// It holds references on the `mm_struct` and the task, and none on the memory. The memory goes
/// with the last process that exits or executes another program; then the views are empty.
pub(crate) struct Target {
    owner: Owner,
    pagemap: BinaryFile<Pagemap>,
    swapmap: TextFile<Swapmap>,
    kept: TextFile<Kept>,
    page: PageFile,
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
    /// - [`EPERM`]: the current task may not read that address space.
    /// - [`EINTR`]: a fatal signal arrived.
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn find(pid: Pid, tracer: &Arc<Tracer>) -> Result<Self> {
        let task = Task::find_by_vpid(pid).ok_or(ESRCH)?;
        let mm = task
            .readable_mm()
            .map_err(|err| if err == EACCES { EPERM } else { err })?;

        let mm = ARef::<Mm>::from(&**mm);

        Ok(Self {
            owner: Owner {
                task,
                mm: mm.clone(),
            },
            pagemap: BinaryFile(Pagemap(mm.clone())),
            swapmap: TextFile(Swapmap(mm.clone())),
            kept: TextFile(Kept(mm.clone())),
            page: PageFile(mm.clone()),
            exclusive: BinaryFile(Exclusive(mm.clone())),
            summary: TextFile(Summary(mm.clone())),
            violations: TextFile(Violations(mm.clone())),
            tracing: Tracing::new(tracer, mm)?,
        })
    }
}

impl Attachable for Target {
    type Origin = Owner;

    fn origin(&self) -> Owner {
        self.owner.clone()
    }

    /// The PID is another process's now, or its process has another address space. The process of
    /// another PID namespace may have the same PID, and keep its target.
    fn replaces(&self, old: &Owner) -> Result<bool> {
        Ok(!old.has_mm(&self.owner.mm) && !old.is_current()?)
    }

    /// A process has a target of its own by each of its PIDs.
    fn is_same(&self, _other: &Self) -> bool {
        false
    }

    fn add_files<'data>(&'data self, dir: &ScopedDir<'data, '_>) {
        dir.operations_file(c"pagemap", &self.pagemap);
        dir.operations_file(c"swapmap", &self.swapmap);
        dir.operations_file(c"kept", &self.kept);
        dir.operations_file(c"page", &self.page);
        dir.operations_file(c"exclusive", &self.exclusive);
        dir.operations_file(c"summary", &self.summary);
        dir.operations_file(c"violations", &self.violations);
        self.tracing.add_files(dir);
    }
}

/// An attached shmem file. It keeps the inode, and with it the file's pages.
pub(crate) struct SharedFile {
    identity: Identity,
    filemap: BinaryFile<Filemap>,
    swapmap: TextFile<FileSwapmap>,
    summary: TextFile<FileSummary>,
}

impl SharedFile {
    /// Makes the views of a shmem file.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn new(file: ShmemFile) -> Result<Self> {
        let identity = Identity::of(&file);
        let file = Arc::new(file, GFP_KERNEL)?;

        Ok(Self {
            identity,
            filemap: BinaryFile(Filemap(file.clone())),
            swapmap: TextFile(FileSwapmap(file.clone())),
            summary: TextFile(FileSummary(file)),
        })
    }

    /// Returns the file's identity.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }
}

impl Attachable for SharedFile {
    type Origin = ();

    fn origin(&self) {}

    fn replaces(&self, _old: &()) -> Result<bool> {
        Ok(false)
    }

    fn is_same(&self, other: &Self) -> bool {
        self.identity == other.identity
    }

    fn add_files<'data>(&'data self, dir: &ScopedDir<'data, '_>) {
        dir.operations_file(c"filemap", &self.filemap);
        dir.operations_file(c"swapmap", &self.swapmap);
        dir.operations_file(c"summary", &self.summary);
    }
}
