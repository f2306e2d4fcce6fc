// SPDX-License-Identifier: GPL-2.0

//! Reads pagemap files. xpagemap's and `/proc`'s have the same layout.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::entry::{ENTRY_BYTES, Entry};
use crate::exclusive::Exclusive;
use crate::interrupt;
use crate::runs::Pair;
use crate::source::bulk;
use crate::target::Target;

/// Entries per read. Bounds the buffer.
const CHUNK: usize = 4096;

/// A pagemap file, open for reading.
pub struct Pagemap {
    file: File,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Pagemap {
    /// Opens the file at `path`.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();

        Ok(Self {
            file: File::open(path).with_context(|| format!("cannot open {}", path.display()))?,
            path: path.to_path_buf(),
            bytes: Vec::new(),
        })
    }

    /// Opens `/proc/PID/pagemap`.
    ///
    /// # Errors
    ///
    /// The file cannot be opened: no such process, or it belongs to another user.
    pub fn of_proc(pid: i32) -> Result<Self> {
        Self::open(format!("/proc/{pid}/pagemap"))
    }

    /// Reads the entries of virtual pages `first..first + count`.
    ///
    /// # Errors
    ///
    /// The file ended early, as it does once the address space is gone, or could not be read.
    pub(crate) fn chunk(
        &mut self,
        first: u64,
        count: usize,
    ) -> Result<impl Iterator<Item = [u8; ENTRY_BYTES]>> {
        let path = &self.path;

        self.bytes.resize(count * ENTRY_BYTES, 0);
        let mut done = 0;
        while done < self.bytes.len() {
            let offset = first * ENTRY_BYTES as u64 + done as u64;
            match self.file.read_at(&mut self.bytes[done..], offset) {
                Ok(0) => bail!(
                    "{} ends before page {:x}: the process has exited, or has executed another program since it was attached",
                    path.display(),
                    first + (done / ENTRY_BYTES) as u64
                ),
                Ok(read) => done += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                    interrupt::check()?
                }
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot read {}", path.display()));
                }
            }
        }
        let (entries, _) = self.bytes.as_chunks::<ENTRY_BYTES>();
        Ok(entries.iter().copied())
    }
}

impl Pagemap {
    /// Calls `each` with the number and the entry of every page up to the end of the file.
    ///
    /// # Errors
    ///
    /// `each` failed, or the file could not be read.
    pub fn to_end(&mut self, each: &mut dyn FnMut(u64, Entry) -> Result<()>) -> Result<()> {
        let mut page = 0;
        self.bytes.resize(CHUNK * ENTRY_BYTES, 0);

        loop {
            interrupt::check()?;
            let offset = page * ENTRY_BYTES as u64;
            let read = match self.file.read_at(&mut self.bytes, offset) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                result => result.with_context(|| format!("cannot read {}", self.path.display()))?,
            };
            let (entries, _) = self.bytes.get(..read).unwrap_or_default().as_chunks();
            if entries.is_empty() {
                return Ok(());
            }
            for bytes in entries {
                each(page, Entry::from_bytes(*bytes))?;
                page += 1;
            }
        }
    }
}

/// The entries that `/proc/PID/pagemap` is compared with.
pub enum Complete {
    /// `xpagemap/PID/pagemap`.
    Module(Pagemap),
    /// PAGEMAP_READ of `/proc/PID/pagemap`, with the slots of shared memory.
    Bulk(File),
    /// Nothing: this kernel does not tell the slots of shared memory.
    Missing,
}

impl Complete {
    /// The source's name in tables and JSON.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Module(_) => Some("xpagemap"),
            Self::Bulk(_) => Some("PAGEMAP_READ"),
            Self::Missing => None,
        }
    }

    /// Reads entries; [`None`] if there is no source.
    fn chunk(&mut self, first: u64, count: usize) -> Result<Option<Vec<Entry>>> {
        Ok(match self {
            Self::Module(file) => Some(file.chunk(first, count)?.map(Entry::from_bytes).collect()),
            Self::Bulk(file) => Some(
                bulk::read(file, first, count, procfs::page_size())
                    .with_context(|| format!("PAGEMAP_READ from page {first:x} on"))?,
            ),
            Self::Missing => None,
        })
    }
}

/// The pagemap files of one process.
pub struct Both {
    /// `/proc/PID/pagemap`.
    pub proc: Pagemap,
    /// The entries with the slots of shared memory.
    pub xpagemap: Complete,
    /// `xpagemap/PID/exclusive`, if it is wanted.
    pub exclusive: Option<Pagemap>,
}

impl Both {
    /// Opens both files of an attached process.
    ///
    /// # Errors
    ///
    /// A file cannot be opened.
    pub fn of_target(target: &Target) -> Result<Self> {
        Ok(Self {
            proc: Pagemap::of_proc(target.pid())?,
            xpagemap: Complete::Module(Pagemap::open(target.file("pagemap"))?),
            exclusive: None,
        })
    }

    /// Opens the files that there are: those of `target`, or PAGEMAP_READ, or `/proc` alone.
    ///
    /// # Errors
    ///
    /// A file cannot be opened: no such process, or it belongs to another user.
    pub fn best(pid: i32, target: Option<&Target>) -> Result<Self> {
        if let Some(target) = target {
            return Self::of_target(target);
        }
        let path = format!("/proc/{pid}/pagemap");
        let file = File::open(&path).with_context(|| format!("cannot open {path}"))?;
        let there = bulk::is_there(&file).with_context(|| format!("PAGEMAP_READ of {path}"))?;

        Ok(Self {
            proc: Pagemap::of_proc(pid)?,
            xpagemap: match there.is_there() {
                true => Complete::Bulk(file),
                false => Complete::Missing,
            },
            exclusive: None,
        })
    }

    /// Calls `each` with the number and the entries of every page in `pages`, in order. Entries of
    /// a page are read one after the other, so that they can be of different moments.
    ///
    /// # Errors
    ///
    /// `each` failed, a file ended early or could not be read, or a signal arrived.
    pub fn for_each(
        &mut self,
        pages: Range<u64>,
        mut each: impl FnMut(u64, Pair) -> Result<()>,
    ) -> Result<()> {
        let mut first = pages.start;

        while first < pages.end {
            interrupt::check()?;
            let count = usize::try_from(pages.end - first).map_or(CHUNK, |n| n.min(CHUNK));
            let proc = self.proc.chunk(first, count)?.map(Entry::from_bytes);
            let xpagemap = self.xpagemap.chunk(first, count)?;
            let exclusive: Option<Vec<_>> = match &mut self.exclusive {
                Some(file) => Some(
                    file.chunk(first, count)?
                        .map(Exclusive::from_bytes)
                        .collect(),
                ),
                None => None,
            };

            for (i, proc) in proc.enumerate() {
                let xpagemap = xpagemap.as_ref().and_then(|entries| entries.get(i));
                let pair = Pair {
                    proc,
                    xpagemap: xpagemap.copied().unwrap_or(proc),
                    exclusive: exclusive
                        .as_ref()
                        .and_then(|entries| entries.get(i))
                        .copied(),
                };
                each(first + i as u64, pair)?;
            }
            first += count as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Place;

    fn own() -> Both {
        let open = || Pagemap::of_proc(std::process::id() as i32).expect("own pagemap opens");

        Both {
            proc: open(),
            xpagemap: Complete::Module(open()),
            exclusive: None,
        }
    }

    #[test]
    fn a_page_just_written_is_in_memory() {
        let written = Box::new(1u8);
        let page = (&raw const *written) as u64 / procfs::page_size();
        let mut places = Vec::new();

        own()
            .for_each(page..page + 1, |number, pair| {
                places.push((number, pair.proc.place()));
                Ok(())
            })
            .expect("own pagemap reads");
        assert!(matches!(places[..], [(number, Place::Memory { .. })] if number == page));
    }

    #[test]
    fn pages_come_once_each_across_chunks() {
        let pages = 100..100 + 2 * CHUNK as u64 + 7;
        let mut next = pages.start;

        own()
            .for_each(pages.clone(), |number, _| {
                assert_eq!(number, next);
                next += 1;
                Ok(())
            })
            .expect("own pagemap reads");
        assert_eq!(next, pages.end);
    }

    #[test]
    fn a_file_that_ends_early_is_an_error() {
        let null = || Pagemap::open("/dev/null").expect("/dev/null opens");
        let mut both = Both {
            proc: null(),
            xpagemap: Complete::Missing,
            exclusive: None,
        };
        let error = both.for_each(0..1, |_, _| Ok(())).expect_err("no entries");
        assert!(error.to_string().contains("/dev/null ends before page 0"));
    }
}
