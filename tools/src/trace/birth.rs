// SPDX-License-Identifier: GPL-2.0

//! The anonymous pages that a child has when it is born, before its first instruction.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, ensure};
use procfs::process::MemoryMap;

use super::recording::Recording;
use super::tracee;
use crate::entry::ENTRY_BYTES;
use crate::maps;

/// Bits of an entry of `PID/exclusive`.
const PRESENT: u64 = 1 << 63;
const SWAP: u64 = 1 << 62;
const FILE: u64 = 1 << 61;
const EXCLUSIVE: u64 = 1 << 60;
const MIGRATION: u64 = 1 << 53;
const ZERO: u64 = 1 << 52;

/// Bits of an entry of `PID/pagemap` that are the frame of a page in memory.
const FRAME: u64 = (1 << 55) - 1;

/// Entries per read.
const CHUNK: u64 = 16384;

/// Mappings of so many bytes are passed over if the kernel counts no anonymous page in them.
const LARGE: u64 = 1 << 30;

/// A child's anonymous pages at its birth.
#[derive(Debug, Default)]
pub struct Birth {
    /// Nanoseconds of `CLOCK_MONOTONIC`: after the fork, and before the child runs.
    pub time: u64,
    /// Numbers of the pages that it shares with its parent, in memory or in swap.
    pub shared: HashSet<u64>,
    /// Pages of its own, by number, with their frames, or none if they are in swap. Fork has copied
    /// them, or the kernel has written to them for the child, which then had shared them before.
    pub own: HashMap<u64, Option<u64>>,
}

impl Birth {
    /// Reads the entries of a process that is stopped at its birth.
    ///
    /// # Errors
    ///
    /// The process has been killed, or a file cannot be read.
    pub fn of(recording: &Recording) -> Result<Self> {
        let pid = recording.pid();
        let page_size = procfs::page_size();
        let maps = maps::read(pid, "smaps")?;
        let open = |name| {
            let path = recording.file(name);
            File::open(&path).with_context(|| format!("cannot open {}", path.display()))
        };
        let (exclusive, pagemap) = (open("exclusive")?, open("pagemap")?);
        let mut birth = Self {
            time: tracee::now().context("no clock")?,
            ..Self::default()
        };

        for (map, _) in maps.iter().filter(|map| has_pages(map, page_size)) {
            let (mut first, last) = (map.address.0 / page_size, map.address.1 / page_size);
            while first < last {
                let count = CHUNK.min(last - first);
                for (page, entry) in (first..).zip(read(&exclusive, first, count)?) {
                    birth.add(page, entry);
                }
                first += count;
            }
        }
        for (page, frame) in &mut birth.own {
            let entry = read(&pagemap, *page, 1)?.first().copied().unwrap_or(0);
            *frame = (entry & PRESENT != 0).then_some(entry & FRAME);
        }
        Ok(birth)
    }

    fn add(&mut self, page: u64, entry: u64) {
        if entry & (PRESENT | SWAP | MIGRATION) == 0 || entry & (FILE | ZERO) != 0 {
            return;
        }
        if entry & EXCLUSIVE == 0 {
            self.shared.insert(page);
        } else {
            self.own.insert(page, None);
        }
    }
}

/// Reads `count` entries from that of page `first` on.
fn read(file: &File, first: u64, count: u64) -> Result<Vec<u64>> {
    let mut bytes = vec![0; usize::try_from(count)? * ENTRY_BYTES];
    let mut done = 0;

    while done < bytes.len() {
        let offset = first * ENTRY_BYTES as u64 + done as u64;
        let read = file
            .read_at(&mut bytes[done..], offset)
            .context("cannot read a child's entries")?;
        ensure!(read != 0, "the child is gone");
        done += read;
    }
    let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
    Ok(entries
        .iter()
        .map(|entry| u64::from_ne_bytes(*entry))
        .collect())
}

/// Pages of hugetlb are not counted: an event of one stands for many.
fn has_pages((map, name): &(MemoryMap, String), page_size: u64) -> bool {
    let bytes = |key: &str| map.extension.map.get(key).copied().unwrap_or(0);
    let small = bytes("KernelPageSize") == page_size;

    small
        && name != maps::VSYSCALL
        && (map.address.1 - map.address.0 < LARGE || bytes("Anonymous") + bytes("Swap") > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anonymous_pages_are_shared_or_copied() {
        let mut birth = Birth::default();
        let entries = [
            0,
            PRESENT,
            PRESENT | EXCLUSIVE,
            PRESENT | FILE,
            PRESENT | ZERO,
            SWAP,
            MIGRATION | SWAP,
            PRESENT,
        ];
        for (page, entry) in (10..).zip(entries) {
            birth.add(page, entry);
        }
        let mut shared: Vec<_> = birth.shared.into_iter().collect();
        shared.sort_unstable();
        let own: Vec<_> = birth.own.into_keys().collect();
        assert_eq!((shared, own), (vec![11, 15, 16, 17], vec![12]));
    }
}
