// SPDX-License-Identifier: GPL-2.0

//! Sources of what is known of pages, besides [`pagemap`](crate::pagemap) files: three ioctls of a
//! patched kernel, of which PAGEMAP_SCAN is in other kernels too, with less to tell.
//!
//! Each iterates over runs of pages and tells, with [`Support`], what the kernel lacks. None holds a
//! lock between two calls of the kernel: runs were true at some moment while they were read, and
//! can be stale once they are seen.

pub mod bulk;
pub mod scan;
pub mod shmem;

use std::io;

/// Result of asking the kernel whether it has an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It has.
    Yes,
    /// It has not.
    No,
}

impl Support {
    /// True for [`Support::Yes`].
    pub fn is_there(self) -> bool {
        self == Self::Yes
    }
}

/// Takes the errors of a missing interface for [`Support::No`].
fn support<T>(result: io::Result<T>) -> io::Result<Support> {
    match result {
        Ok(_) => Ok(Support::Yes),
        Err(error) => match error.raw_os_error() {
            Some(libc::ENOTTY | libc::EINVAL) => Ok(Support::No),
            _ => Err(error),
        },
    }
}
