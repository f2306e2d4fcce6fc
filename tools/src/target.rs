// SPDX-License-Identifier: GPL-2.0

//! The module's directory in debugfs: attaches and detaches processes, reads the counters.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};

use crate::entry::ENTRY_BYTES;
use crate::text;

/// Mount point of debugfs.
const DEBUGFS: &str = "/sys/kernel/debug";

/// The module's directory.
const DIRECTORY: &str = "/sys/kernel/debug/xpagemap";

/// An attached process. Drop detaches it if `attach` attached it.
pub struct Target {
    pid: i32,
    ours: bool,
    /// The target's pagemap: unreadable once the target was removed.
    pagemap: Option<File>,
}

impl Target {
    /// Attaches `pid`. A process that is attached already is used as it is.
    ///
    /// # Errors
    ///
    /// The module is not loaded, the caller lacks a capability, or there is no such process.
    pub fn attach(pid: i32) -> Result<Self> {
        match control("attach", pid) {
            Ok(()) => Ok(Self::new(pid, true)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Self::new(pid, false)),
            Err(error) => Err(explain(error)).context(format!("cannot attach process {pid}")),
        }
    }

    /// Attaches `pid`, or tells why the module cannot be used here: it is not loaded, or not for
    /// this user.
    ///
    /// # Errors
    ///
    /// There is no such process, or the module has no room for it.
    pub fn attach_if_possible(pid: i32) -> Result<std::result::Result<Self, String>> {
        match control("attach", pid) {
            Err(error) if is_missing(&error) => Ok(Err(reason(error))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(Ok(Self::new(pid, false)))
            }
            Err(error) => Err(explain(error)).context(format!("cannot attach process {pid}")),
            Ok(()) => Ok(Ok(Self::new(pid, true))),
        }
    }

    fn new(pid: i32, ours: bool) -> Self {
        let mut target = Self {
            pid,
            ours,
            pagemap: None,
        };

        target.pagemap = File::open(target.file("pagemap")).ok();
        target
    }

    /// The PID of the process.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Reads a whole text file of the process's directory.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the process has exited or executed another program.
    pub fn text(&self, name: &str) -> Result<String> {
        let path = self.file(name);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;

        // The address space may end while its file is read.
        ensure!(
            !self.is_gone(),
            "process {} has exited, or has executed another program",
            self.pid
        );
        Ok(text)
    }

    /// Returns true if the address space is gone: by exit, or by execve.
    pub fn is_gone(&self) -> bool {
        self.pagemap
            .as_ref()
            .is_some_and(|file| matches!(file.read_at(&mut [0; ENTRY_BYTES], 0), Ok(0) | Err(_)))
    }

    /// The path of `xpagemap/PID/NAME`.
    pub fn file(&self, name: &str) -> PathBuf {
        format!("{DIRECTORY}/{}/{name}", self.pid).into()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // Another caller's attach may have replaced it, once the process had executed a program.
        if self.ours
            && !self.pagemap.as_ref().is_some_and(is_removed)
            && let Err(error) = control("detach", self.pid)
            // Somebody else detached it just now.
            && error.kind() != io::ErrorKind::NotFound
        {
            eprintln!("xpagemap: cannot detach process {}: {error}", self.pid);
        }
    }
}

/// Returns true if the target that `pagemap` belongs to was detached or replaced.
fn is_removed(pagemap: &File) -> bool {
    let read = pagemap.read_at(&mut [0; ENTRY_BYTES], 0);

    read.is_err_and(|error| error.raw_os_error() == Some(libc::EIO))
}

/// A file of shared memory that is attached. Drop detaches it if `attach` attached it.
pub struct AttachedFile {
    id: String,
    ours: bool,
}

impl AttachedFile {
    /// Attaches `file`, or tells why the module cannot be used here.
    ///
    /// # Errors
    ///
    /// The file is no shared memory, or the module has no room for it.
    pub fn attach_if_possible(file: &File) -> Result<std::result::Result<Self, String>> {
        let metadata = file.metadata().context("cannot stat the file")?;
        let device = metadata.dev();
        let (major, minor) = (libc::major(device), libc::minor(device));
        let short = format!("{major}:{minor}:{}", metadata.ino());
        let descriptor = file.as_raw_fd().to_string();
        let before = directories(&short);

        match write_line(format!("{DIRECTORY}/attach_fd"), &descriptor) {
            Ok(()) => {
                let id = directories(&short).difference(&before).next().cloned();

                Ok(Ok(Self {
                    id: id.unwrap_or(short),
                    ours: true,
                }))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                ensure!(
                    before.len() <= 1,
                    "several attached files have the ID {short}: name one of them by {}",
                    Vec::from_iter(before).join(" or ")
                );
                Ok(Ok(Self {
                    id: before.into_iter().next().unwrap_or(short),
                    ours: false,
                }))
            }
            Err(error) if is_missing(&error) => Ok(Err(reason(error))),
            Err(error) => Err(explain(error)).context("cannot attach the file"),
        }
    }

    /// Attaches a file that [`shmem`] lists, by its ID.
    ///
    /// # Errors
    ///
    /// The file is not listed any more, or the module has no room for it.
    pub fn by_id(id: &str) -> Result<Self> {
        let ours = match write_line(format!("{DIRECTORY}/attach_file"), id) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(explain(error)).context(format!("cannot attach file {id}")),
        };

        Ok(Self {
            id: id.to_string(),
            ours,
        })
    }

    /// The path of `xpagemap/files/ID/NAME`.
    pub fn file(&self, name: &str) -> PathBuf {
        format!("{DIRECTORY}/files/{}/{name}", self.id).into()
    }
}

/// The directories of `xpagemap/files/` whose ID is `short`, of three parts, or begins with it.
///
/// Only files that share the three parts have a fourth.
fn directories(short: &str) -> BTreeSet<String> {
    fs::read_dir(format!("{DIRECTORY}/files"))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_form_of(name, short))
        .collect()
}

fn is_form_of(id: &str, short: &str) -> bool {
    id.strip_prefix(short)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

impl Drop for AttachedFile {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = write_line(format!("{DIRECTORY}/detach_fd"), &self.id)
            && error.kind() != io::ErrorKind::NotFound
        {
            eprintln!("xpagemap: cannot detach file {}: {error}", self.id);
        }
    }
}

/// Returns true if `error` says that the module is not there, or not for this user.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ENOENT | libc::EACCES | libc::EPERM)
    )
}

/// Reads the module's list of files in swap, `shmem`: [`None`] if this version has none.
///
/// # Errors
///
/// The list cannot be read.
pub fn shmem() -> Result<Option<String>> {
    let path = format!("{DIRECTORY}/shmem");

    match text::read(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {path}")),
    }
}

/// Opens the module's `slots`: [`None`] if this version has none.
///
/// # Errors
///
/// The file cannot be opened.
pub fn slots() -> Result<Option<File>> {
    let path = format!("{DIRECTORY}/slots");

    match File::open(&path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot open {path}")),
    }
}

/// Reads the module's `stats` file.
///
/// # Errors
///
/// The module is not loaded, or the caller lacks a capability.
pub fn stats() -> Result<String> {
    let path = format!("{DIRECTORY}/stats");

    fs::read_to_string(&path)
        .map_err(explain)
        .with_context(|| format!("cannot read {path}"))
}

fn control(name: &str, pid: i32) -> io::Result<()> {
    write_line(format!("{DIRECTORY}/{name}"), &pid.to_string())
}

/// Writes a line to one of the module's files.
///
/// # Errors
///
/// The file cannot be opened, or the module refuses the line.
pub fn write_line(path: impl AsRef<Path>, line: &str) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all(format!("{line}\n").as_bytes())
}

/// Returns true if a file system is mounted at [`DEBUGFS`].
fn debugfs_is_mounted() -> bool {
    let device = |path| fs::metadata(path).map(|metadata| metadata.dev()).ok();

    device(DEBUGFS).is_some_and(|device_id| Some(device_id) != device("/sys/kernel"))
}

/// Returns true if the kernel is in lockdown mode, which closes debugfs.
fn is_locked_down() -> bool {
    fs::read_to_string("/sys/kernel/security/lockdown").is_ok_and(|text| !text.contains("[none]"))
}

/// Adds to an error of the module's directory a hint at what to do about it.
fn explain(error: io::Error) -> anyhow::Error {
    match hint(&error) {
        Some(hint) => anyhow!("{error}: {hint}"),
        None => anyhow!(error),
    }
}

/// The hint alone, as the reason why the module cannot be used.
fn reason(error: io::Error) -> String {
    hint(&error).unwrap_or_else(|| error.to_string())
}

fn hint(error: &io::Error) -> Option<String> {
    Some(match error.raw_os_error() {
        Some(libc::ENOENT) if debugfs_is_mounted() => {
            "the xpagemap module is not loaded; on a kernel with xpagemap's patches, run \
             `modprobe xpagemap`"
                .to_string()
        }
        Some(libc::ENOENT) => {
            format!("debugfs is not mounted; run `mount -t debugfs none {DEBUGFS}`")
        }
        Some(libc::EPERM) if is_locked_down() => {
            "the kernel is locked down, and debugfs with it; the ioctls of /proc/PID/pagemap work"
                .to_string()
        }
        Some(libc::EACCES | libc::EPERM) => {
            "run this as root, with CAP_SYS_ADMIN and CAP_SYS_PTRACE".to_string()
        }
        Some(libc::ENOSPC) => format!(
            "too many processes are attached; see `xpagemap stats`, and write a PID to \
             {DIRECTORY}/detach"
        ),
        Some(libc::ESRCH) => {
            "no process has that PID, or it is a kernel thread, which has no address space"
                .to_string()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_errors_come_with_advice() {
        let text = explain(io::Error::from_raw_os_error(libc::ESRCH)).to_string();
        assert!(text.contains("No such process"), "{text}");
        assert!(text.contains("kernel thread"), "{text}");
    }

    #[test]
    fn other_errors_stay_as_they_are() {
        let error = io::Error::from_raw_os_error(libc::ENOMEM);
        let text = error.to_string();
        assert_eq!(explain(error).to_string(), text);
    }

    #[test]
    fn fourth_part_is_after_a_colon() {
        assert!(is_form_of("0:1:12", "0:1:12"));
        assert!(is_form_of("0:1:12:7", "0:1:12"));
        assert!(!is_form_of("0:1:123", "0:1:12"));
        assert!(!is_form_of("0:1:1", "0:1:12"));
    }
}
