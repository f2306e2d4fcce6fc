// SPDX-License-Identifier: GPL-2.0

//! Directories that come and go, each for something that was attached.
//!
//! Lock order: [`Registry::attached`] is taken first. No read of a file in such a directory takes it,
//! so a directory can be removed, and its readers waited for, under it. That is what keeps a
//! directory's name taken until it is free again.

use kernel::{
    debugfs::{
        Dir,
        Scope,
        ScopedDir, //
    },
    new_mutex,
    prelude::*,
    str::CString,
    sync::Mutex, //
};

/// Something that can be attached, and the files that show it.
pub(crate) trait Attachable: Send + Sync + 'static {
    /// Fills the directory.
    fn add_files<'data>(&'data self, dir: &ScopedDir<'data, '_>);
}

/// One that is attached. Dropping it removes its directory.
struct Attached<T> {
    name: CString,
    _directory: Pin<KBox<Scope<T>>>,
}

/// All that are attached.
#[pin_data]
pub(crate) struct Registry<T> {
    parent: Dir,
    #[pin]
    attached: Mutex<KVec<Attached<T>>>,
}

impl<T: Attachable> Registry<T> {
    /// How many there may be at a time.
    pub(crate) const MAX: usize = 1024;

    /// Makes a registry of directories in `parent`.
    pub(crate) fn new(parent: Dir) -> impl PinInit<Self> {
        pin_init!(Self {
            parent,
            attached <- new_mutex!(KVec::new()),
        })
    }

    /// Returns how many are attached.
    pub(crate) fn len(&self) -> usize {
        self.attached.lock().len()
    }

    /// Makes a directory for `what`.
    ///
    /// # Errors
    ///
    /// - [`EEXIST`]: there is one of that name.
    /// - [`ENOSPC`]: there are too many.
    /// - [`ENOMEM`]: no memory.
    pub(crate) fn attach(&self, name: CString, what: T) -> Result {
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
                .scope(what, &name, |what, dir| what.add_files(dir)),
            GFP_KERNEL,
        )?;
        let new = Attached {
            name,
            _directory: directory,
        };
        attached.push_within_capacity(new).map_err(|_| ENOMEM)
    }

    /// Removes a directory.
    ///
    /// # Errors
    ///
    /// - [`ENOENT`]: there is none of that name.
    pub(crate) fn detach(&self, name: &CStr) -> Result {
        let mut attached = self.attached.lock();
        let index = attached
            .iter()
            .position(|attached| *attached.name == *name)
            .ok_or(ENOENT)?;

        drop(attached.remove(index).map_err(|_| ENOENT)?);
        Ok(())
    }
}
