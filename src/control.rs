// SPDX-License-Identifier: GPL-2.0

//! The directory `/sys/kernel/debug/xpagemap`: who is a target, and the files that change that.
//!
//! The directory is an owned tree of values: dropping a value removes its file or directory, and
//! waits until nobody is inside a read or a write of it.
//!
//! Lock order: [`Registry::targets`] is taken first. No read of a target's files takes it, so a
//! target can be dropped, and its readers waited for, under it. That is what keeps the name of a
//! target's directory taken until it is free again.

use kernel::{
    capability::{
        capable,
        Capability, //
    },
    debugfs::{
        Dir,
        File,
        Operations,
        Scope, //
    },
    fs::{
        file,
        LocalFile, //
    },
    new_mutex,
    prelude::*,
    str::CString,
    sync::{
        Arc,
        Mutex, //
    },
    task::Pid,
    uaccess::{
        UserSliceReader,
        UserSliceWriter, //
    },
};

use crate::{
    parse,
    target::Target,
    VERSION, //
};

/// The version of the ABI that `stats` reports.
const ABI: u32 = 1;

/// How many targets there may be at a time.
const TARGETS_MAX: usize = 1024;

/// A target, and its directory.
struct Attached {
    pid: Pid,
    _directory: Pin<KBox<Scope<Target>>>,
}

/// All targets, and the directory above theirs.
#[pin_data]
struct Registry {
    root: Dir,
    #[pin]
    targets: Mutex<KVec<Attached>>,
}

impl Registry {
    /// Makes a directory for a target, named by the PID that the target was asked for by.
    ///
    /// # Errors
    ///
    /// - [`EEXIST`]: there is such a directory.
    /// - [`ENOSPC`]: there are too many targets.
    /// - [`ENOMEM`]: no memory.
    fn attach(&self, pid: Pid, target: Target) -> Result {
        let name = CString::try_from_fmt(fmt!("{pid}"))?;
        let mut targets = self.targets.lock();

        if targets.iter().any(|attached| attached.pid == pid) {
            return Err(EEXIST);
        }
        if targets.len() >= TARGETS_MAX {
            return Err(ENOSPC);
        }
        targets.reserve(1, GFP_KERNEL)?;
        let directory = KBox::pin_init(
            self.root
                .scope(target, &name, |target, dir| target.add_files(dir)),
            GFP_KERNEL,
        )?;
        let attached = Attached {
            pid,
            _directory: directory,
        };
        targets.push_within_capacity(attached).map_err(|_| ENOMEM)
    }

    /// Removes a target's directory.
    ///
    /// # Errors
    ///
    /// - [`ENOENT`]: there is none.
    fn detach(&self, pid: Pid) -> Result {
        let mut targets = self.targets.lock();
        let index = targets
            .iter()
            .position(|attached| attached.pid == pid)
            .ok_or(ENOENT)?;

        drop(targets.remove(index).map_err(|_| ENOENT)?);
        Ok(())
    }
}

/// The file `attach`.
struct Attach(Arc<Registry>);

#[vtable]
impl Operations for Attach {
    const MODE: u16 = 0o200;
    type Open = ();

    fn open(&self, _file: &LocalFile) -> Result {
        Ok(())
    }

    fn write(&self, _open: (), reader: &mut UserSliceReader) -> Result {
        if !capable(Capability::SYS_ADMIN) || !capable(Capability::SYS_PTRACE) {
            return Err(EPERM);
        }
        let pid = parse::number(reader)?;

        self.0.attach(pid, Target::find(pid)?)
    }
}

/// The file `detach`.
struct Detach(Arc<Registry>);

#[vtable]
impl Operations for Detach {
    const MODE: u16 = 0o200;
    type Open = ();

    fn open(&self, _file: &LocalFile) -> Result {
        Ok(())
    }

    fn write(&self, _open: (), reader: &mut UserSliceReader) -> Result {
        if !capable(Capability::SYS_ADMIN) {
            return Err(EPERM);
        }
        self.0.detach(parse::number(reader)?)
    }
}

/// The file `stats`.
struct Stats(Arc<Registry>);

#[vtable]
impl Operations for Stats {
    const MODE: u16 = 0o400;
    type Open = ();

    fn open(&self, _file: &LocalFile) -> Result {
        if !capable(Capability::SYS_ADMIN) {
            return Err(EPERM);
        }
        Ok(())
    }

    fn read(
        &self,
        _open: (),
        writer: &mut UserSliceWriter,
        offset: &mut file::Offset,
    ) -> Result<usize> {
        let targets = self.0.targets.lock().len();
        let text = CString::try_from_fmt(fmt!(
            "version {VERSION}\nabi {ABI}\ntargets {targets}\ntargets_max {TARGETS_MAX}\n"
        ))?;

        writer.write_slice_file(text.to_bytes(), offset)
    }
}

/// The top of the directory. The files go first when this is dropped, then the targets.
pub(crate) struct Control {
    _attach: Pin<KBox<File<Attach>>>,
    _detach: Pin<KBox<File<Detach>>>,
    _stats: Pin<KBox<File<Stats>>>,
}

impl Control {
    /// Makes the directory and the files that are always there.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: no memory.
    pub(crate) fn new() -> Result<Self> {
        let root = Dir::new(c"xpagemap");
        let registry_root = root.clone();
        let registry = Arc::pin_init(
            pin_init!(Registry {
                root: registry_root,
                targets <- new_mutex!(KVec::new()),
            }),
            GFP_KERNEL,
        )?;

        Ok(Self {
            _attach: KBox::pin_init(
                root.operations_file(c"attach", Attach(registry.clone())),
                GFP_KERNEL,
            )?,
            _detach: KBox::pin_init(
                root.operations_file(c"detach", Detach(registry.clone())),
                GFP_KERNEL,
            )?,
            _stats: KBox::pin_init(root.operations_file(c"stats", Stats(registry)), GFP_KERNEL)?,
        })
    }
}
