// SPDX-License-Identifier: GPL-2.0

//! The system calls no crate we use wraps; the only unsafe code of this program.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr;
use std::slice;

/// Maps `bytes` bytes of new memory, shared with future children, for as long as the process
/// lives.
pub fn map_shared(bytes: usize) -> io::Result<&'static mut [u8]> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;

    // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
    let start = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: mmap returned `bytes` readable, writable, zeroed bytes, which nobody else has a
    // pointer to and which are never unmapped.
    Ok(unsafe { slice::from_raw_parts_mut(start.cast(), bytes) })
}

/// What the page cache holds of a range of a file: `struct cachestat`.
#[repr(C)]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CacheStat {
    /// Pages in the cache.
    pub cache: u64,
    /// Of them, dirty.
    pub dirty: u64,
    /// Of them, being written.
    pub writeback: u64,
    /// Pages that were in the cache; for shared memory, pages on swap.
    pub evicted: u64,
    /// Of them, evicted a short time ago.
    pub recently_evicted: u64,
}

#[repr(C)]
struct CacheStatRange {
    offset: u64,
    bytes: u64,
}

/// cachestat(2) has this number on every architecture but alpha.
const SYS_CACHESTAT: libc::c_long = 451;

/// cachestat(2) on `bytes` bytes of `file` from `offset`.
pub fn cachestat(file: &File, offset: u64, bytes: u64) -> io::Result<CacheStat> {
    let range = CacheStatRange { offset, bytes };
    let mut stat = CacheStat::default();

    // SAFETY: the kernel reads a cachestat_range and writes a cachestat, which these two are laid
    // out as; both outlive the call.
    let status = unsafe {
        libc::syscall(
            SYS_CACHESTAT,
            file.as_raw_fd(),
            &raw const range,
            &raw mut stat,
            0,
        )
    };
    match status {
        0 => Ok(stat),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_shared_memory_is_zeroed_and_writable() {
        let memory = map_shared(8192).expect("two pages");
        assert!(memory.iter().all(|byte| *byte == 0));
        memory.fill(7);
        assert_eq!(memory[8191], 7);
    }

    #[test]
    fn no_memory_of_no_size() {
        let error = map_shared(0).expect_err("an empty mapping");
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    }
}
