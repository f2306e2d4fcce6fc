// SPDX-License-Identifier: GPL-2.0

//! The state of a file's pages, whatever any process maps, from the best source there is.

mod source;

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;

pub use source::{Source, read};

/// Consecutive pages in the same state, and in consecutive slots if these are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pages {
    /// Offset of the first byte, in hex.
    pub start: String,
    /// Offset behind the last byte, in hex.
    pub end: String,
    /// Number of pages.
    pub pages: u64,
    /// State of each of them.
    pub state: State,
    /// Slot of the first page, if it is in swap and its slot is known.
    pub slot: Option<Slot>,
}

/// A swap slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Slot {
    /// Swap type: the number of the swap area.
    #[serde(rename = "type")]
    pub area: u64,
    /// Page offset in that area.
    pub offset: u64,
}

/// State of a page in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// In the page cache.
    Cached,
    /// In the page cache, never written: it reads as zeroes.
    CachedZero,
    /// In swap.
    Swapped,
    /// In swap, all zero: the device does not hold it.
    SwappedZero,
    /// Data, in memory or elsewhere: lseek() does not tell.
    Data,
}

impl State {
    /// The name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::CachedZero => "cached-zero",
            Self::Swapped => "swapped",
            Self::SwappedZero => "swapped-zero",
            Self::Data => "data",
        }
    }
}

/// Numbers of pages. [`None`]: the source does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// In the page cache.
    pub cached: Option<u64>,
    /// Of these, pages that may hold data (shared memory), or are not yet written to the disk.
    pub dirty: Option<u64>,
    /// In swap.
    pub swapped: Option<u64>,
    /// Of these, pages that are all zero.
    pub swapped_zero: Option<u64>,
}

/// Opens PATH, or descriptor FD of a process: `PID:FD`. Does not wait for the other end of a pipe.
///
/// # Errors
///
/// The file cannot be opened.
pub fn open(name: &OsStr) -> Result<File> {
    let pid = name.to_str().and_then(|name| name.parse::<u32>().ok());
    let is_path = Path::new(name).exists();
    if let Some(pid) = pid.filter(|_| !is_path) {
        bail!("{pid} is a PID, and a file is expected: PID:FD; `ls -l /proc/{pid}/fd` lists them");
    }
    let path = match descriptor(name) {
        Some((pid, fd)) if !is_path => PathBuf::from(format!("/proc/{pid}/fd/{fd}")),
        _ => PathBuf::from(name),
    };

    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// PID and FD, if `name` is PID:FD.
pub fn descriptor(name: &OsStr) -> Option<(u32, u32)> {
    let (pid, fd) = name.to_str()?.split_once(':')?;

    Some((pid.parse().ok()?, fd.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn descriptors_of_processes_are_opened() {
        let own = File::open("/proc/self/exe").expect("own program");
        let name = format!("{}:{}", std::process::id(), own.as_raw_fd());
        let again = open(name.as_ref()).expect("the same file");
        let inode = |file: &File| file.metadata().expect("metadata").ino();
        assert_eq!(inode(&again), inode(&own));
    }

    #[test]
    fn other_names_are_paths() {
        assert_eq!(descriptor("12:3".as_ref()), Some((12, 3)));
        for name in ["12", "a:3", "12:", "/proc/1:2"] {
            assert_eq!(descriptor(name.as_ref()), None, "{name}");
        }
        let error = open("/no such file".as_ref()).expect_err("no file");
        assert!(error.to_string().contains("/no such file"), "{error}");
        let error = open("4711".as_ref()).expect_err("a PID");
        assert!(error.to_string().contains("/proc/4711/fd"), "{error}");
    }
}
