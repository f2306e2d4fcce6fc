// SPDX-License-Identifier: GPL-2.0

//! Pages of shared memory that a checkpoint must save, by ioctl(SHMEM_SCAN): one call for up to
//! 1024 runs, no mapping. Pages that read as zeroes are left out.

use std::process::exit;

use anyhow::{Context, Result};
use nix::errno::Errno;
use save_examples::sys::{
    SHMEM_IS_DIRTY, SHMEM_IS_SWAPPED, SHMEM_IS_ZERO, ShmemRegion, UNSUPPORTED, shmem_scan,
};
use save_examples::{Runs, file};

fn main() -> Result<()> {
    let (file, size) = file()?;
    let mut regions = [ShmemRegion::default(); 1024];
    let mut runs = Runs::default();
    // Cached and not dirty is zero: it was read, or allocated, and never written.
    let mask = SHMEM_IS_DIRTY | SHMEM_IS_SWAPPED;
    let mut at = 0;

    while at < size {
        let result = shmem_scan(&file, at, size, mask, &mut regions);
        if matches!(result, Err(Errno::ENOTTY)) {
            eprintln!("this kernel has no SHMEM_SCAN, or the file is no shared memory");
            exit(UNSUPPORTED);
        }
        let (found, walk_end) = result.context("SHMEM_SCAN")?;
        for region in found {
            if region.categories & SHMEM_IS_ZERO == 0 {
                runs.add(region.start, region.end);
            }
        }
        at = walk_end;
    }
    runs.done();
    Ok(())
}
