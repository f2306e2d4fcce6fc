// SPDX-License-Identifier: GPL-2.0

//! The module's directory: attaching a process, detaching it, the counters.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::pagemap::{Both, Pagemap};

const DIRECTORY: &str = "/sys/kernel/debug/xpagemap";

/// A process the module watches; detached again on drop if this program attached it.
pub struct Target {
    pid: i32,
    ours: bool,
}

impl Target {
    /// Attaches `pid`, unless somebody else has already.
    pub fn attach(pid: i32) -> Result<Self> {
        match control("attach", pid) {
            Ok(()) => Ok(Self { pid, ours: true }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(Self { pid, ours: false })
            }
            Err(error) => Err(explain(error)).context(format!("cannot attach process {pid}")),
        }
    }

    /// Opens both pagemap files of the process.
    pub fn open(&self) -> Result<Both> {
        Ok(Both {
            proc: Pagemap::of_proc(self.pid)?,
            xpagemap: Pagemap::open(self.file("pagemap"))?,
        })
    }

    /// The process.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The path of one of the module's files about the process.
    pub fn file(&self, name: &str) -> PathBuf {
        format!("{DIRECTORY}/{}/{name}", self.pid).into()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = control("detach", self.pid)
        {
            eprintln!("xpagemap: cannot detach process {}: {error}", self.pid);
        }
    }
}

/// The text of the module's `stats` file.
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
pub fn write_line(path: impl AsRef<Path>, line: &str) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all(format!("{line}\n").as_bytes())
}

/// Adds what a user can do about an error of the module's directory.
fn explain(error: io::Error) -> anyhow::Error {
    let advice = match error.raw_os_error() {
        Some(libc::ENOENT) => "the xpagemap module is not loaded, or debugfs is not mounted",
        Some(libc::EACCES | libc::EPERM) => "this takes root: CAP_SYS_ADMIN and CAP_SYS_PTRACE",
        Some(libc::ENOSPC) => "too many processes are attached; see `xpagemap stats`",
        Some(libc::ESRCH) => "nothing has that PID, or a kernel thread, which has no memory",
        _ => return anyhow!(error),
    };
    anyhow!("{error}: {advice}")
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
}
