// SPDX-License-Identifier: GPL-2.0

//! Runs of pages of a process by PAGEMAP_SCAN, in Linux 6.7 and later.

use std::fs::File;
use std::io;
use std::ops::Range;

use super::{Support, support};
use crate::abi::{
    PAGE_IS_CACHED, PAGE_IS_FILE, PAGE_IS_HUGE, PAGE_IS_PFNZERO, PAGE_IS_PRESENT, PAGE_IS_SWAPPED,
    PM_SCAN_SHMEM_CACHE, PM_SCAN_SHMEM_SWAP, PageRegion, PmScanArg,
};
use crate::sys;

/// Regions per call. Kernels without the fix of `walk_end` give a stale one above this.
const REGIONS: usize = 512;

/// Flags of a patched kernel: look into the files of shared memory.
const LOOK_UP: u64 = PM_SCAN_SHMEM_SWAP | PM_SCAN_SHMEM_CACHE;

/// Consecutive pages in the same categories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanRun {
    /// First address.
    pub start: u64,
    /// Address behind the last byte.
    pub end: u64,
    categories: u64,
}

impl ScanRun {
    fn is(self, category: u64) -> bool {
        self.categories & category != 0
    }

    /// In memory and mapped.
    pub fn is_present(self) -> bool {
        self.is(PAGE_IS_PRESENT)
    }

    /// Page of a file, or of shared memory.
    pub fn is_file(self) -> bool {
        self.is(PAGE_IS_FILE)
    }

    /// In swap, by an entry in the page table. Migration entries and markers look the same.
    pub fn is_private_swap(self) -> bool {
        self.is(PAGE_IS_SWAPPED) && !self.is(PAGE_IS_FILE)
    }

    /// In swap, as page of a shared memory file.
    pub fn is_shared_swap(self) -> bool {
        self.is(PAGE_IS_SWAPPED) && self.is(PAGE_IS_FILE)
    }

    /// In the page cache of a shared memory file, and not mapped here.
    pub fn is_cached(self) -> bool {
        self.is(PAGE_IS_CACHED)
    }

    /// The zero page.
    pub fn is_zero(self) -> bool {
        self.is(PAGE_IS_PFNZERO)
    }

    /// Mapped by a PMD.
    pub fn is_huge(self) -> bool {
        self.is(PAGE_IS_HUGE)
    }

    /// Number of pages of `page_size` bytes.
    pub fn pages(self, page_size: u64) -> u64 {
        self.end.saturating_sub(self.start) / page_size.max(1)
    }
}

/// Asks whether the kernel looks into shared memory files, of the process that `pagemap` is of.
///
/// # Errors
///
/// The process is gone, or its memory may not be read.
pub fn looks_up(pagemap: &File) -> io::Result<Support> {
    let mut arg = PmScanArg {
        flags: LOOK_UP,
        return_mask: PAGE_IS_PRESENT,
        ..Default::default()
    };
    support(sys::pagemap_scan(pagemap, &mut arg, &mut []))
}

/// Iterates over the pages of a range that are in any category.
pub struct Scan<'a> {
    pagemap: &'a File,
    range: Range<u64>,
    flags: u64,
    regions: Vec<PageRegion>,
    next: usize,
    found: usize,
}

impl<'a> Scan<'a> {
    /// Scans the addresses of `range`, which are on page boundaries, through `/proc/PID/pagemap`.
    /// `look_up` asks for pages of shared memory that the page table does not tell, which needs a
    /// kernel that [`looks_up`].
    pub fn new(pagemap: &'a File, range: Range<u64>, look_up: bool) -> Self {
        Self {
            pagemap,
            range,
            flags: if look_up { LOOK_UP } else { 0 },
            regions: vec![PageRegion::default(); REGIONS],
            next: 0,
            found: 0,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let cached = if self.flags == 0 { 0 } else { PAGE_IS_CACHED };
        let some = PAGE_IS_PRESENT | PAGE_IS_SWAPPED | cached;
        let mut arg = PmScanArg {
            flags: self.flags,
            start: self.range.start,
            end: self.range.end,
            category_anyof_mask: some,
            return_mask: some | PAGE_IS_FILE | PAGE_IS_PFNZERO | PAGE_IS_HUGE,
            ..Default::default()
        };

        self.next = 0;
        self.found = sys::pagemap_scan(self.pagemap, &mut arg, &mut self.regions)?.len();
        // No progress would mean no end.
        self.range.start = if arg.walk_end > self.range.start {
            arg.walk_end
        } else {
            self.range.end
        };
        Ok(())
    }
}

impl Iterator for Scan<'_> {
    type Item = io::Result<ScanRun>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.next == self.found {
            if self.range.is_empty() {
                return None;
            }
            if let Err(error) = self.fill() {
                self.range.start = self.range.end;
                self.found = self.next;
                return Some(Err(error));
            }
        }
        let region = self.regions.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        Some(Ok(ScanRun {
            start: region.start,
            end: region.end,
            categories: region.categories,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_memory_that_was_written_is_present() {
        let pages = 3 * procfs::page_size();
        let memory = sys::map_shared(pages as usize).expect("three pages");
        let (first, last) = (0, 2 * procfs::page_size() as usize);
        memory[first] = 1;
        memory[last] = 1;
        let start = memory.as_ptr() as u64;
        let pagemap = File::open("/proc/self/pagemap").expect("own pagemap");
        let runs: io::Result<Vec<_>> = Scan::new(&pagemap, start..start + pages, false).collect();
        let runs = match runs {
            // A kernel before 6.7.
            Err(error) if error.raw_os_error() == Some(libc::ENOTTY) => return,
            runs => runs.expect("own memory"),
        };

        let of = |run: &ScanRun| run.is_present().then_some(run.start - start);
        let found: Vec<_> = runs.iter().filter_map(of).collect();
        assert_eq!(found, [0, 2 * procfs::page_size()], "{runs:?}");
    }

    #[test]
    fn pages_of_no_size_are_none() {
        let run = ScanRun {
            start: 0x3000,
            end: 0x5000,
            categories: PAGE_IS_SWAPPED | PAGE_IS_FILE,
        };
        assert_eq!((run.pages(4096), run.pages(0)), (2, 0x2000));
        assert!(run.is_shared_swap() && !run.is_private_swap() && !run.is_present());
    }
}
