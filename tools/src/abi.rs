// SPDX-License-Identifier: GPL-2.0

//! Structures and bits of the kernel's interfaces, as in `linux/fs.h` of a patched kernel.
//!
//! The selftests have definitions of their own in C; a test holds both against each other.

/// `PAGE_IS_PFNZERO`: the zero page.
pub const PAGE_IS_PFNZERO: u64 = 1 << 5;
/// `PAGE_IS_FILE`: page of a file, or shared.
pub const PAGE_IS_FILE: u64 = 1 << 2;
/// `PAGE_IS_PRESENT`: in memory and mapped.
pub const PAGE_IS_PRESENT: u64 = 1 << 3;
/// `PAGE_IS_SWAPPED`: in swap; without `PM_SCAN_SHMEM_SWAP` also migration entries and markers.
pub const PAGE_IS_SWAPPED: u64 = 1 << 4;
/// `PAGE_IS_HUGE`: mapped by a PMD.
pub const PAGE_IS_HUGE: u64 = 1 << 6;
/// `PAGE_IS_CACHED`: in the page cache of a shared memory file, and not mapped here.
pub const PAGE_IS_CACHED: u64 = 1 << 10;

/// `PM_SCAN_SHMEM_SWAP`: PAGEMAP_SCAN looks up swapped pages of shared memory.
pub const PM_SCAN_SHMEM_SWAP: u64 = 1 << 2;
/// `PM_SCAN_SHMEM_CACHE`: PAGEMAP_SCAN looks up cached pages of shared memory.
pub const PM_SCAN_SHMEM_CACHE: u64 = 1 << 3;
/// `PM_READ_SHMEM_SWAP`: PAGEMAP_READ looks up swapped pages of shared memory.
pub const PM_READ_SHMEM_SWAP: u64 = 1 << 0;

/// `SHMEM_IS_CACHED`: in the page cache.
pub const SHMEM_IS_CACHED: u64 = 1 << 0;
/// `SHMEM_IS_SWAPPED`: in swap.
pub const SHMEM_IS_SWAPPED: u64 = 1 << 1;
/// `SHMEM_IS_DIRTY`: cached, and may hold data; a cached page without it reads as zeroes.
pub const SHMEM_IS_DIRTY: u64 = 1 << 2;
/// `SHMEM_IS_ZERO`: in swap and all zero; the device does not hold it.
pub const SHMEM_IS_ZERO: u64 = 1 << 3;
/// `SHMEM_SCAN_LOCATION`: SHMEM_SCAN tells swap slots.
pub const SHMEM_SCAN_LOCATION: u64 = 1 << 0;

/// `struct pm_scan_arg`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct PmScanArg {
    /// Bytes of this structure.
    pub size: u64,
    /// `PM_SCAN_*`.
    pub flags: u64,
    /// First address.
    pub start: u64,
    /// Address behind the last byte.
    pub end: u64,
    /// Out: scanned up to here.
    pub walk_end: u64,
    /// Address of an array of [`PageRegion`].
    pub vec: u64,
    /// Its number of elements.
    pub vec_len: u64,
    /// Maximum number of pages to report; 0: no limit.
    pub max_pages: u64,
    /// Categories that are inverted before they are compared.
    pub category_inverted: u64,
    /// Categories that a page must all have.
    pub category_mask: u64,
    /// Categories of which a page must have one; 0: no condition.
    pub category_anyof_mask: u64,
    /// Categories that are reported.
    pub return_mask: u64,
}

/// `struct page_region`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageRegion {
    /// First address.
    pub start: u64,
    /// Address behind the last byte.
    pub end: u64,
    /// `PAGE_IS_*`.
    pub categories: u64,
}

/// `struct pm_read_arg`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct PmReadArg {
    /// Bytes of this structure.
    pub size: u64,
    /// `PM_READ_*`.
    pub flags: u64,
    /// First address.
    pub start: u64,
    /// Address behind the last byte.
    pub end: u64,
    /// Address of an array of entries.
    pub vec: u64,
    /// Its number of elements.
    pub vec_len: u64,
    /// Out: read up to here.
    pub walk_end: u64,
}

/// `struct shmem_scan_arg`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct ShmemScanArg {
    /// Bytes of this structure.
    pub size: u64,
    /// 0 or [`SHMEM_SCAN_LOCATION`].
    pub flags: u64,
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte, or the largest number.
    pub end: u64,
    /// Address of an array of [`ShmemRegion`].
    pub vec: u64,
    /// Its number of elements.
    pub vec_len: u64,
    /// Categories of which a page must have one; 0: all pages that have one.
    pub category_mask: u64,
    /// Out: scanned up to here.
    pub walk_end: u64,
    /// Out: pages reported.
    pub pages: u64,
}

/// `struct shmem_region`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShmemRegion {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
    /// `SHMEM_IS_*`.
    pub categories: u64,
    /// Swap type and offset of the first page, as bits 0 to 54 of a pagemap entry.
    pub location: u64,
}

/// `_IOWR('f', number, T)`.
const fn iowr<T>(number: u32) -> u32 {
    // sizeof() has 14 bits there.
    let size = (size_of::<T>() & 0x3fff) as u32;

    3 << 30 | size << 16 | ('f' as u32) << 8 | number
}

/// `ioctl(PAGEMAP_SCAN)`.
pub const PAGEMAP_SCAN: u32 = iowr::<PmScanArg>(16);
/// `ioctl(PAGEMAP_READ)`.
pub const PAGEMAP_READ: u32 = iowr::<PmReadArg>(18);
/// `ioctl(SHMEM_SCAN)`.
pub const SHMEM_SCAN: u32 = iowr::<ShmemScanArg>(48);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entry, exclusive};

    /// The C definitions `#define NAME PM_BIT(n)`.
    fn bits() -> Vec<(&'static str, u64)> {
        let headers = [
            include_str!("../../selftests/xpagemap.h"),
            include_str!("../../selftests/lib/pagemap/shmemscan.h"),
        ];
        let lines = headers.into_iter().flat_map(str::lines);

        lines
            .filter_map(|line| {
                let (name, value) = line.strip_prefix("#define ")?.split_once("\t")?;
                let (bit, _) = value
                    .trim_start()
                    .strip_prefix("PM_BIT(")?
                    .split_once(')')?;
                Some((name, 1 << bit.parse::<u32>().ok()?))
            })
            .collect()
    }

    #[test]
    fn bits_are_those_of_the_selftests() {
        let here = [
            ("PAGE_IS_CACHED", PAGE_IS_CACHED),
            ("PM_SCAN_SHMEM_SWAP", PM_SCAN_SHMEM_SWAP),
            ("PM_SCAN_SHMEM_CACHE", PM_SCAN_SHMEM_CACHE),
            ("PM_READ_SHMEM_SWAP", PM_READ_SHMEM_SWAP),
            ("SHMEM_IS_CACHED", SHMEM_IS_CACHED),
            ("SHMEM_IS_SWAPPED", SHMEM_IS_SWAPPED),
            ("SHMEM_IS_DIRTY", SHMEM_IS_DIRTY),
            ("SHMEM_IS_ZERO", SHMEM_IS_ZERO),
            ("SHMEM_SCAN_LOCATION", SHMEM_SCAN_LOCATION),
        ];
        let all: Vec<_> = here
            .into_iter()
            .chain(entry::C_NAMES)
            .chain(exclusive::C_NAMES)
            .collect();
        let there = bits();

        for (name, value) in &all {
            let found = there.iter().find(|(other, _)| other == name);
            assert_eq!(found, Some(&(*name, *value)), "{name}");
        }
        // All bits of an entry that the C header has are here, too.
        let entries = there
            .iter()
            .filter(|(name, _)| name.starts_with("EX_") || name.starts_with("PM_"));
        for (name, _) in entries.filter(|(name, _)| {
            !name.contains("SCAN") && !name.contains("READ") && *name != "PM_CACHED"
        }) {
            assert!(all.iter().any(|(other, _)| other == name), "{name}");
        }
    }

    #[test]
    fn requests_are_those_of_linux_fs_h() {
        assert_eq!(PAGEMAP_SCAN, 0xc060_6610);
        assert_eq!(PAGEMAP_READ, 0xc038_6612);
        assert_eq!(SHMEM_SCAN, 0xc048_6630);
    }
}
