// SPDX-License-Identifier: GPL-2.0

//! The attached objects, and a directory for each.
//!
//! # Lock order
//!
//! Of all locks of the module, outermost first:
//!
//! 1. [`Registry::attached`]. Removing a directory waits, under this lock, for reads and writes of
//!    its files; so none of these takes it. The lock keeps a directory's name taken until the name
//!    is free again, or a new directory has it.
//! 2. The mutex of an open file's memory (`files/open.rs`), taken with `try_lock` only.
//! 3. `Recording::part` (`trace/recording.rs`).
//! 4. `Tracer::state` (`trace/tracer.rs`).
//! 5. The mmap lock of a target, for reading, then page table locks or the `i_pages` lock.
//! 6. A folio lock, then the locks of its reverse mapping and page table locks, for `PID/page`;
//!    without 5.
//!
//! `Open::addr` (`views/page.rs`) is the innermost: nothing is called while it is held.
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
    directory: Pin<KBox<Scope<T>>>,
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

    /// Calls `visit` with each attached object.
    ///
    /// # Errors
    ///
    /// - The errors of `visit`.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&T) -> Result) -> Result {
        self.attached
            .lock()
            .iter()
            .try_for_each(|attached| visit(&attached.directory))
    }

    /// Creates directory `name` for `object`. An attached object of that name that `object`
    /// replaces is detached.
    ///
    /// # Errors
    ///
    /// - [`EEXIST`]: an object of that name, or the same object, is attached, and stays.
    /// - [`ENOSPC`]: [`Self::MAX`] objects are attached.
    /// - [`ENOMEM`]: out of memory.
    /// - [`EINTR`]: a fatal signal arrived.
    pub(super) fn attach(&self, name: CString, object: T) -> Result {
        let mut stale = None;

        loop {
            let mut attached = self.attached.lock();
            let old = attached
                .iter()
                .position(|attached| *attached.name == *name || attached.directory.is_same(&object))
                .and_then(|index| Some((index, attached.get(index)?.directory.origin())));
            let index = match old {
                None => None,
                Some((index, origin)) if stale.as_ref() == Some(&origin) => Some(index),
                Some((_, origin)) => {
                    // The check sleeps until an execve() in progress is done.
                    drop(attached);
                    if !object.replaces(&origin)? {
                        return Err(EEXIST);
                    }
                    stale = Some(origin);
                    continue;
                }
            };

            return self.insert(&mut attached, index, name, object);
        }
    }

    /// Creates directory `name` for `object` in place of the attached object `old`.
    fn insert(
        &self,
        attached: &mut KVec<Attached<T>>,
        old: Option<usize>,
        name: CString,
        object: T,
    ) -> Result {
        if old.is_none() && attached.len() >= Self::MAX {
            return Err(ENOSPC);
        }
        attached.reserve(1, GFP_KERNEL)?;
        let room = KBox::new_uninit(GFP_KERNEL)?;

        // Nothing fails from here on: a call that fails must leave the old directory.
        if let Some(index) = old {
            drop(attached.remove(index).map_err(|_| ENOENT)?);
        }
        let directory = room.write_pin_init(
            self.parent
                .scope(object, &name, |object, dir| object.add_files(dir)),
        )?;
        attached
            .push_within_capacity(Attached { name, directory })
            .map_err(|_| ENOMEM)
    }

    /// Removes directory `name` and drops its object.
    ///
    /// # Errors
    ///
    /// - [`ENOENT`]: no object of that name is attached.
    pub(super) fn detach(&self, name: &CStr) -> Result {
        self.detach_first(|attached| *attached.name == *name)
    }

    /// Removes the directory of an object for which `wanted` returns true, and drops the object.
    ///
    /// # Errors
    ///
    /// - [`ENOENT`]: there is none.
    pub(super) fn detach_object(&self, wanted: impl Fn(&T) -> bool) -> Result {
        self.detach_first(|attached| wanted(&attached.directory))
    }

    fn detach_first(&self, wanted: impl Fn(&Attached<T>) -> bool) -> Result {
        let mut attached = self.attached.lock();
        let index = attached.iter().position(wanted).ok_or(ENOENT)?;

        drop(attached.remove(index).map_err(|_| ENOENT)?);
        Ok(())
    }
}
