// SPDX-License-Identifier: GPL-2.0

//! The directory `/sys/kernel/debug/xpagemap` and its permanent files.
//!
//! The directory is an owned tree of values. Dropping a value removes its file or directory, and
//! waits for reads and writes in progress there.

use kernel::{
    debugfs::{
        Dir,
        File, //
    },
    prelude::*,
    sync::Arc, //
};

use crate::{
    files::{
        BinaryFile,
        Text,
        TextFile,
        Value,
        ValueFile, //
    },
    target::{
        SharedFile,
        Target, //
    },
    trace::Tracer,
    views::Slots, //
};

mod command;
mod files;
mod parse;
mod registry;

use command::{
    Attach,
    AttachFd,
    AttachFile,
    Command,
    CommandFile,
    Detach,
    DetachFd, //
};
use files::Listing;
use registry::{
    Registries,
    Registry, //
};

/// `version` in `stats`: the module's version.
const VERSION: &str = "0.1.0";

/// `abi` in `stats`: the version of the interface.
const ABI: u32 = 1;

/// `stats`: lines of `KEY VALUE`.
struct Stats(Arc<Registries>);

impl Value for Stats {
    const MODE: u16 = 0o400;

    fn show(&self, text: &mut Text) -> Result {
        let targets = self.0.targets.len();
        let targets_max = Registry::<Target>::MAX;
        let files = self.0.files.len();
        let files_max = Registry::<SharedFile>::MAX;
        let events = self.0.tracer.counts();
        let (seen, dropped, max) = (events.seen, events.dropped, events.max);

        text.append(fmt!("version {VERSION}\nabi {ABI}\n"))?;
        text.append(fmt!("targets {targets}\ntargets_max {targets_max}\n"))?;
        text.append(fmt!("files {files}\nfiles_max {files_max}\n"))?;
        text.append(fmt!(
            "events_seen {seen}\nevents_dropped {dropped}\nevents_max {max}\n"
        ))
    }
}

/// The top directory. Dropping it removes the permanent files first, then the attached objects.
pub(crate) struct Control {
    _attach: Pin<KBox<File<CommandFile<Attach>>>>,
    _detach: Pin<KBox<File<CommandFile<Detach>>>>,
    _attach_fd: Pin<KBox<File<CommandFile<AttachFd>>>>,
    _detach_fd: Pin<KBox<File<CommandFile<DetachFd>>>>,
    _attach_file: Pin<KBox<File<CommandFile<AttachFile>>>>,
    _shmem: Pin<KBox<File<TextFile<Listing>>>>,
    _slots: Pin<KBox<File<BinaryFile<Slots>>>>,
    _stats: Pin<KBox<File<ValueFile<Stats>>>>,
}

/// Creates the file of a command.
fn command_file<C: Command>(
    root: &Dir,
    name: &CStr,
    registries: &Arc<Registries>,
) -> Result<Pin<KBox<File<CommandFile<C>>>>> {
    let file = CommandFile::new(registries.clone());

    KBox::pin_init(root.operations_file(name, file), GFP_KERNEL)
}

impl Control {
    /// Creates the directory and its permanent files.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn new() -> Result<Self> {
        let root = Dir::new(c"xpagemap");
        let registries = Arc::new(
            Registries {
                targets: Arc::pin_init(Registry::new(root.clone()), GFP_KERNEL)?,
                files: Arc::pin_init(Registry::new(root.subdir(c"files")), GFP_KERNEL)?,
                tracer: Arc::pin_init(Tracer::new(), GFP_KERNEL)?,
            },
            GFP_KERNEL,
        )?;

        Ok(Self {
            _attach: command_file(&root, c"attach", &registries)?,
            _detach: command_file(&root, c"detach", &registries)?,
            _attach_fd: command_file(&root, c"attach_fd", &registries)?,
            _detach_fd: command_file(&root, c"detach_fd", &registries)?,
            _attach_file: command_file(&root, c"attach_file", &registries)?,
            _shmem: KBox::pin_init(
                root.operations_file(c"shmem", TextFile(Listing(registries.clone()))),
                GFP_KERNEL,
            )?,
            _slots: KBox::pin_init(
                root.operations_file(c"slots", BinaryFile(Slots)),
                GFP_KERNEL,
            )?,
            _stats: KBox::pin_init(
                root.operations_file(c"stats", ValueFile(Stats(registries))),
                GFP_KERNEL,
            )?,
        })
    }
}
