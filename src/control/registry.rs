// SPDX-License-Identifier: GPL-2.0

//! The attached objects, and a directory for each.
//!
//! # Lock order
//!
//! Of all locks of the module, outermost first:
//!
//! 1. [`Registry::attached`]. Removing a directory waits, under this lock, for reads and writes of
//!    its files; so none of these takes it. The lock keeps a directory's name taken until the name
//!    is free again.
//! 2. The mutex of an open file's memory (`files/open.rs`), taken with `try_lock` only.
//! 3. `Recording::part` (`trace/recording.rs`).
//! 4. `Tracer::state` (`trace/tracer.rs`).
//! 5. The mmap lock of a target, for reading, then page table locks or the `i_pages` lock.
//!
//! 3 and 4 are dropped before 5 is taken. `Sites::buffer` (`trace/sites.rs`) is taken by the
//! probe, in any context and under any lock, with `try_lock` only.
//!
//! No lock but 2 is held while memory is copied to or from the user.

use kernel::{
    debugfs::{
        Dir,
        Scope, //
    },
    new_mutex,
    prelude::*,
    str::CString,
    sync::{
        Arc,
        Mutex, //
    },
};

use crate::{
    target::{
        Attachable,
        SharedFile,
        Target, //
    },
    trace::Tracer, //
};

/// All attached objects, and the recorder of their events.
pub(super) struct Registries {
    pub(super) targets: Arc<Registry<Target>>,
    pub(super) files: Arc<Registry<SharedFile>>,
    pub(super) tracer: Arc<Tracer>,
}

/// An attached object. Dropping it removes its directory.
struct Attached<T> {
    name: CString,
    _directory: Pin<KBox<Scope<T>>>,
}

/// The attached objects of one type.
#[pin_data]
pub(super) struct Registry<T> {
    parent: Dir,
    #[pin]
    attached: Mutex<KVec<Attached<T>>>,
}

impl<T: Attachable> Registry<T> {
    /// The most objects that can be attached at a time.
    pub(super) const MAX: usize = 1024;

    /// Makes a registry of directories in `parent`.
    pub(super) fn new(parent: Dir) -> impl PinInit<Self> {
        pin_init!(Self {
            parent,
            attached <- new_mutex!(KVec::new()),
        })
    }

    /// Returns the number of attached objects.
    pub(super) fn len(&self) -> usize {
        self.attached.lock().len()
    }

    /// Creates directory `name` for `object`.
    ///
    /// # Errors
    ///
    /// - [`EEXIST`]: an object of that name is attached.
    /// - [`ENOSPC`]: [`Self::MAX`] objects are attached.
    /// - [`ENOMEM`]: out of memory.
    pub(super) fn attach(&self, name: CString, object: T) -> Result {
        let mut attached = self.attached.lock();

        if attached.iter().any(|attached| *attached.name == *name) {
            return Err(EEXIST);
        }
        if attached.len() >= Self::MAX {
            return Err(ENOSPC);
        }
        attached.reserve(1, GFP_KERNEL)?;
        let directory = KBox::pin_init(
            self.parent
                .scope(object, &name, |object, dir| object.add_files(dir)),
            GFP_KERNEL,
        )?;
        let new = Attached {
            name,
            _directory: directory,
        };
        attached.push_within_capacity(new).map_err(|_| ENOMEM)
    }

    /// Removes directory `name` and drops its object.
    ///
    /// # Errors
    ///
    /// - [`ENOENT`]: no object of that name is attached.
    pub(super) fn detach(&self, name: &CStr) -> Result {
        let mut attached = self.attached.lock();
        let index = attached
            .iter()
            .position(|attached| *attached.name == *name)
            .ok_or(ENOENT)?;

        drop(attached.remove(index).map_err(|_| ENOENT)?);
        Ok(())
    }
}
