// SPDX-License-Identifier: GPL-2.0

//! The directory `/sys/kernel/debug/xpagemap`, and the files that are always in it.
//!
//! The directory is an owned tree of values: dropping a value removes its file or directory, and
//! waits until nobody is inside a read or a write of it.

use kernel::{
    capability::Capability,
    debugfs::{
        Dir,
        File,
        Operations, //
    },
    fs::{
        file,
        LocalFile, //
    },
    mm::shmem::ShmemFile,
    prelude::*,
    str::CString,
    sync::Arc,
    uaccess::{
        UserSliceReader,
        UserSliceWriter, //
    },
};

use crate::{
    access,
    parse::{
        self,
        FileId, //
    },
    registry::Registry,
    target::{
        SharedFile,
        Target, //
    },
    tracer::Tracer,
    VERSION, //
};

/// The version of the ABI that `stats` reports.
const ABI: u32 = 1;

/// Everything that is attached.
struct Registries {
    targets: Arc<Registry<Target>>,
    files: Arc<Registry<SharedFile>>,
    tracer: Arc<Tracer>,
}

/// A control file: what is written to it is a command.
trait Command: Send + Sync + 'static {
    /// The capability that this takes besides CAP_SYS_ADMIN.
    const CAPABILITY: Capability = Capability::SYS_ADMIN;

    /// Does what was written.
    fn run(registries: &Registries, reader: &mut UserSliceReader) -> Result;
}

/// The file of a command.
struct ControlFile<C> {
    registries: Arc<Registries>,
    _command: core::marker::PhantomData<C>,
}

#[vtable]
impl<C: Command> Operations for ControlFile<C> {
    const MODE: u16 = 0o200;
    type Open = ();

    fn open(&self, _file: &LocalFile) -> Result {
        Ok(())
    }

    fn write(&self, _open: (), reader: &mut UserSliceReader) -> Result {
        access::demand(Capability::SYS_ADMIN)?;
        access::demand(C::CAPABILITY)?;
        C::run(&self.registries, reader)
    }
}

/// `attach`: `PID\n`.
struct Attach;

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
struct Detach;

impl Command for Detach {
    fn run(registries: &Registries, reader: &mut UserSliceReader) -> Result {
        let pid = parse::number(reader)?;

        registries
            .targets
            .detach(&CString::try_from_fmt(fmt!("{pid}"))?)
    }
}

/// `attach_fd`: `FD\n`.
struct AttachFd;

impl Command for AttachFd {
    fn run(registries: &Registries, reader: &mut UserSliceReader) -> Result {
        let fd = u32::try_from(parse::number(reader)?).map_err(|_| EBADF)?;
        let file = ShmemFile::from_fd(fd)?;
        let name = FileId::from(file.id()).name()?;

        registries.files.attach(name, SharedFile::new(file)?)
    }
}

/// `detach_fd`: `MAJOR:MINOR:INODE\n`.
struct DetachFd;

impl Command for DetachFd {
    fn run(registries: &Registries, reader: &mut UserSliceReader) -> Result {
        let name = parse::file_id(reader)?.name()?;

        registries.files.detach(&name)
    }
}

/// The file `stats`.
struct Stats(Arc<Registries>);

#[vtable]
impl Operations for Stats {
    const MODE: u16 = 0o400;
    type Open = ();

    fn open(&self, _file: &LocalFile) -> Result {
        access::demand(Capability::SYS_ADMIN)
    }

    fn read(
        &self,
        _open: (),
        writer: &mut UserSliceWriter,
        offset: &mut file::Offset,
    ) -> Result<usize> {
        let targets = self.0.targets.len();
        let targets_max = Registry::<Target>::MAX;
        let files = self.0.files.len();
        let files_max = Registry::<SharedFile>::MAX;
        let (events_seen, events_dropped) = self.0.tracer.counts();
        let text = CString::try_from_fmt(fmt!(
            "version {VERSION}\nabi {ABI}\ntargets {targets}\ntargets_max {targets_max}\n\
             files {files}\nfiles_max {files_max}\n\
             events_seen {events_seen}\nevents_dropped {events_dropped}\n"
        ))?;

        writer.write_slice_file(text.to_bytes(), offset)
    }
}

/// The top of the directory. The files go first when this is dropped, then what is attached.
pub(crate) struct Control {
    _attach: Pin<KBox<File<ControlFile<Attach>>>>,
    _detach: Pin<KBox<File<ControlFile<Detach>>>>,
    _attach_fd: Pin<KBox<File<ControlFile<AttachFd>>>>,
    _detach_fd: Pin<KBox<File<ControlFile<DetachFd>>>>,
    _stats: Pin<KBox<File<Stats>>>,
}

/// Makes the file of a command.
fn control_file<C: Command>(
    root: &Dir,
    name: &CStr,
    registries: &Arc<Registries>,
) -> Result<Pin<KBox<File<ControlFile<C>>>>> {
    let file = ControlFile {
        registries: registries.clone(),
        _command: core::marker::PhantomData,
    };

    KBox::pin_init(root.operations_file(name, file), GFP_KERNEL)
}

impl Control {
    /// Makes the directory and the files that are always there.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: no memory.
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
            _attach: control_file(&root, c"attach", &registries)?,
            _detach: control_file(&root, c"detach", &registries)?,
            _attach_fd: control_file(&root, c"attach_fd", &registries)?,
            _detach_fd: control_file(&root, c"detach_fd", &registries)?,
            _stats: KBox::pin_init(
                root.operations_file(c"stats", Stats(registries)),
                GFP_KERNEL,
            )?,
        })
    }
}
