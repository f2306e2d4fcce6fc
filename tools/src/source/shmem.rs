// SPDX-License-Identifier: GPL-2.0

//! Runs of pages of a shared memory file by SHMEM_SCAN: the file's own state, whatever is mapped.

use std::fs::File;
use std::io;

use crate::abi::{
    SHMEM_IS_CACHED, SHMEM_IS_DIRTY, SHMEM_IS_SWAPPED, SHMEM_IS_ZERO, SHMEM_SCAN_LOCATION,
    ShmemRegion, ShmemScanArg,
};
use crate::entry::SwapSlot;
use crate::sys;

/// Regions per call.
const REGIONS: usize = 512;

/// Consecutive pages of a file in the same state, and in consecutive slots if they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileRun {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
    /// State of these pages.
    pub state: FileState,
    /// Slot of the first page: [`None`] if it is not in swap, or not told.
    pub slot: Option<SwapSlot>,
}

/// State of a page in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// In the page cache; may hold data.
    Cached,
    /// In the page cache, and reads as zeroes: it was read, or allocated, and never written.
    CachedClean,
    /// In swap.
    Swapped,
    /// In swap and all zero; the device does not hold it.
    SwappedZero,
}

/// Iterates over the pages of a file that are in memory or in swap.
pub struct FileScan<'a> {
    file: &'a File,
    flags: u64,
    start: u64,
    regions: Vec<ShmemRegion>,
    next: usize,
    found: usize,
    done: bool,
}

impl<'a> FileScan<'a> {
    /// Scans all of `file`. `slots` asks for swap slots, which needs CAP_SYS_ADMIN of whoever opened
    /// the file.
    ///
    /// # Errors
    ///
    /// - `ENOTTY`: this is no shared memory, or the kernel has no SHMEM_SCAN.
    /// - `EPERM`: the file is another user's, or slots are not for this one.
    pub fn new(file: &'a File, slots: bool) -> io::Result<Self> {
        let mut scan = Self {
            file,
            flags: if slots { SHMEM_SCAN_LOCATION } else { 0 },
            start: 0,
            regions: vec![ShmemRegion::default(); REGIONS],
            next: 0,
            found: 0,
            done: false,
        };
        scan.fill()?;
        Ok(scan)
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut arg = ShmemScanArg {
            flags: self.flags,
            start: self.start,
            end: u64::MAX,
            ..Default::default()
        };

        self.next = 0;
        self.found = sys::shmem_scan(self.file, &mut arg, &mut self.regions)?.len();
        self.done = self.found == 0 || arg.walk_end <= self.start;
        self.start = arg.walk_end;
        Ok(())
    }
}

impl Iterator for FileScan<'_> {
    type Item = io::Result<FileRun>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.found && !self.done {
            // The last region of a full array may end where the file does.
            if self.found < REGIONS {
                self.done = true;
            } else if let Err(error) = self.fill() {
                (self.done, self.found) = (true, self.next);
                return Some(Err(error));
            }
        }
        if self.next >= self.found {
            return None;
        }
        let region = self.regions.get(self.next).copied()?;
        self.next += 1;
        Some(Ok(decode(region, self.flags)))
    }
}

fn decode(region: ShmemRegion, flags: u64) -> FileRun {
    let is = |category| region.categories & category != 0;
    let state = match () {
        () if is(SHMEM_IS_SWAPPED) && is(SHMEM_IS_ZERO) => FileState::SwappedZero,
        () if is(SHMEM_IS_SWAPPED) => FileState::Swapped,
        () if is(SHMEM_IS_CACHED) && !is(SHMEM_IS_DIRTY) => FileState::CachedClean,
        () => FileState::Cached,
    };
    let told = flags & SHMEM_SCAN_LOCATION != 0 && is(SHMEM_IS_SWAPPED);

    FileRun {
        start: region.start,
        end: region.end,
        state,
        slot: told.then(|| SwapSlot::from_location(region.location)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_decoded() {
        let region = ShmemRegion {
            start: 0,
            end: 4096,
            categories: SHMEM_IS_SWAPPED,
            location: 7 << 5 | 1,
        };
        let run = decode(region, SHMEM_SCAN_LOCATION);
        assert_eq!(run.state, FileState::Swapped);
        assert_eq!(run.slot, Some(SwapSlot { area: 1, offset: 7 }));
        // Without the flag, a location of 0 says nothing.
        assert_eq!(decode(region, 0).slot, None);
    }

    #[test]
    fn no_shared_memory_is_an_error() {
        let null = File::open("/dev/null").expect("/dev/null");
        let error = FileScan::new(&null, false).err().expect("no shared memory");
        assert_eq!(error.raw_os_error(), Some(libc::ENOTTY));
    }
}
