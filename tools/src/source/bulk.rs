// SPDX-License-Identifier: GPL-2.0

//! Entries of a process's pages by PAGEMAP_READ, without the module.

use std::fs::File;
use std::io;

use super::{Support, support};
use crate::abi::PM_READ_SHMEM_SWAP;
use crate::entry::Entry;
use crate::sys;

/// Asks whether the kernel has PAGEMAP_READ, with the look-up of shared memory in swap.
///
/// # Errors
///
/// The process is gone, or its memory may not be read.
pub fn is_there(pagemap: &File) -> io::Result<Support> {
    support(sys::pagemap_read(
        pagemap,
        PM_READ_SHMEM_SWAP,
        0,
        0,
        &mut [],
    ))
}

/// Reads `count` entries from virtual page `first` on, with the swap slots of shared memory.
/// Frames and slots are 0 if the opener of `pagemap` had no CAP_SYS_ADMIN.
///
/// # Errors
///
/// The process is gone, or the kernel lacks PAGEMAP_READ.
pub fn read(pagemap: &File, first: u64, count: usize, page_size: u64) -> io::Result<Vec<Entry>> {
    let mut words = vec![0; count];
    let mut done = 0;

    while done < count {
        let start = (first + done as u64).saturating_mul(page_size);
        let end = (first + count as u64).saturating_mul(page_size);
        let rest = words.get_mut(done..).unwrap_or_default();

        match sys::pagemap_read(pagemap, PM_READ_SHMEM_SWAP, start, end, rest)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => done += read,
        }
    }
    Ok(words.into_iter().map(Entry::from_raw).collect())
}
