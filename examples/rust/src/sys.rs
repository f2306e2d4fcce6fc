// SPDX-License-Identifier: GPL-2.0

//! System calls, and the structures and bits of `linux/fs.h` on a patched kernel. All unsafe code
//! is here.
//!
//! `tools/src/abi.rs` and `tools/src/sys.rs` have these too: an example can be copied without the
//! tool. `scripts/lint-abi.py` holds both against `linux/fs.h`.
#![allow(unsafe_code)]

use std::fs::File;
use std::num::NonZeroUsize;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

/// The exit status if the kernel lacks the interface.
pub const UNSUPPORTED: i32 = 3;

/// In swap.
pub const SHMEM_IS_SWAPPED: u64 = 1 << 1;
/// Cached, and may have data.
pub const SHMEM_IS_DIRTY: u64 = 1 << 2;
/// In swap, and all zero.
pub const SHMEM_IS_ZERO: u64 = 1 << 3;

/// Mapped or shared.
pub const PAGE_IS_FILE: u64 = 1 << 2;
/// In memory and mapped.
pub const PAGE_IS_PRESENT: u64 = 1 << 3;
/// In swap.
pub const PAGE_IS_SWAPPED: u64 = 1 << 4;
/// In memory and not mapped.
pub const PAGE_IS_CACHED: u64 = 1 << 10;
/// Look for pages in swap that are not mapped.
pub const PM_SCAN_SHMEM_SWAP: u64 = 1 << 2;
/// Look for pages in memory that are not mapped.
pub const PM_SCAN_SHMEM_CACHE: u64 = 1 << 3;

/// `struct shmem_region`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ShmemRegion {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
    /// Bits `SHMEM_IS_*`.
    pub categories: u64,
    /// Swap type and offset, if asked for.
    pub location: u64,
}

/// `struct shmem_scan_arg`.
#[repr(C)]
#[derive(Debug, Default)]
struct ShmemScanArg {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    vec: u64,
    vec_len: u64,
    category_mask: u64,
    walk_end: u64,
    pages: u64,
}

/// `struct page_region`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct PageRegion {
    /// The first address.
    pub start: u64,
    /// The address behind the last.
    pub end: u64,
    /// Bits `PAGE_IS_*`.
    pub categories: u64,
}

/// `struct pm_scan_arg`.
#[repr(C)]
#[derive(Debug, Default)]
struct PmScanArg {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

mod ioctl {
    use super::{PmScanArg, ShmemScanArg};

    nix::ioctl_readwrite!(shmem_scan, b'f', 48, ShmemScanArg);
    nix::ioctl_readwrite!(pagemap_scan, b'f', 16, PmScanArg);
}

/// Finds runs of pages between the offsets `start` and `end` that are in any category of `mask`.
/// Returns those that there was room for in `regions`, and the offset up to which it looked.
///
/// # Errors
///
/// - [`Errno::ENOTTY`]: no shared memory, or a kernel without SHMEM_SCAN.
/// - [`Errno::EPERM`]: the file is another user's.
pub fn shmem_scan<'a>(
    file: &File,
    start: u64,
    end: u64,
    mask: u64,
    regions: &'a mut [ShmemRegion],
) -> nix::Result<(&'a [ShmemRegion], u64)> {
    let mut arg = ShmemScanArg {
        size: size_of::<ShmemScanArg>() as u64,
        start,
        end,
        vec: regions.as_mut_ptr().expose_provenance() as u64,
        vec_len: regions.len() as u64,
        category_mask: mask,
        ..Default::default()
    };

    // SAFETY: the kernel reads and writes `arg`, and writes at most `vec_len` regions to `regions`,
    // which is borrowed mutably; any bits are valid in them.
    let count = unsafe { ioctl::shmem_scan(file.as_raw_fd(), &raw mut arg) }?;
    Ok((&regions[..count.unsigned_abs() as usize], arg.walk_end))
}

/// Finds runs of pages between the addresses `start` and `end` of this process that are in any
/// category of `anyof`, through `pagemap`, which is `/proc/self/pagemap`.
///
/// # Errors
///
/// - [`Errno::EINVAL`]: a kernel without one of the `flags`.
/// - [`Errno::ENOTTY`]: a kernel without PAGEMAP_SCAN.
pub fn pagemap_scan<'a>(
    pagemap: &File,
    (start, end): (u64, u64),
    flags: u64,
    anyof: u64,
    regions: &'a mut [PageRegion],
) -> nix::Result<(&'a [PageRegion], u64)> {
    let mut arg = PmScanArg {
        size: size_of::<PmScanArg>() as u64,
        flags,
        start,
        end,
        vec: regions.as_mut_ptr().expose_provenance() as u64,
        vec_len: regions.len() as u64,
        category_anyof_mask: anyof,
        // One bit that all of them have, so that neighbours are one region.
        return_mask: PAGE_IS_FILE,
        ..Default::default()
    };

    // SAFETY: as in `shmem_scan`; none of the flags write-protects pages.
    let count = unsafe { ioctl::pagemap_scan(pagemap.as_raw_fd(), &raw mut arg) }?;
    Ok((&regions[..count.unsigned_abs() as usize], arg.walk_end))
}

/// A new shared mapping of a file, with no page table yet. Its bytes are never read.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<libc::c_void>,
    size: usize,
}

impl Mapping {
    /// Maps the first `size` bytes.
    ///
    /// # Errors
    ///
    /// The errors of mmap(2).
    pub fn new(file: &File, size: u64) -> nix::Result<Self> {
        let size = usize::try_from(size).map_err(|_| Errno::EOVERFLOW)?;
        let length = NonZeroUsize::new(size).ok_or(Errno::EINVAL)?;

        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let start = unsafe {
            mmap(
                None,
                length,
                ProtFlags::PROT_READ,
                MapFlags::MAP_SHARED,
                file,
                0,
            )
        }?;
        Ok(Self { start, size })
    }

    /// The first address.
    pub fn start(&self) -> u64 {
        self.start.addr().get() as u64
    }

    /// mincore(2) of as many pages as `states` has, from page `first` on.
    ///
    /// # Errors
    ///
    /// The errors of mincore(2), and [`Errno::ENOMEM`] for pages that are not mapped.
    pub fn mincore(&self, first: usize, states: &mut [u8]) -> nix::Result<()> {
        let page = crate::PAGE as usize;
        let (from, bytes) = (first * page, states.len() * page);
        if from + bytes > self.size {
            return Err(Errno::ENOMEM);
        }
        let start = self.start.as_ptr().wrapping_byte_add(from);

        // SAFETY: the kernel writes a byte for each page of a range, which is in the mapping.
        let status = unsafe { libc::mincore(start, bytes, states.as_mut_ptr()) };
        Errno::result(status).map(drop)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this is all of the mapping, to which nothing else refers.
        let unmapped = unsafe { munmap(self.start, self.size) };
        debug_assert!(unmapped.is_ok());
    }
}
