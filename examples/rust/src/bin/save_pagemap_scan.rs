// SPDX-License-Identifier: GPL-2.0

//! Pages of shared memory that a checkpoint must save, by ioctl(PAGEMAP_SCAN) of a mapping. The
//! flags add the pages that the mapping has no page table entry for: here that is all of them,
//! since the mapping is new. What is in no category reads as zeroes.

use std::fs::File;
use std::process::exit;

use anyhow::{Context, Result};
use nix::errno::Errno;
use save_examples::sys::{
    Mapping, PAGE_IS_CACHED, PAGE_IS_PRESENT, PAGE_IS_SWAPPED, PM_SCAN_SHMEM_CACHE,
    PM_SCAN_SHMEM_SWAP, PageRegion, UNSUPPORTED, pagemap_scan,
};
use save_examples::{Runs, file};

fn main() -> Result<()> {
    let (file, size) = file()?;
    let mut runs = Runs::default();

    if size > 0 {
        let mapping = Mapping::new(&file, size).context("mmap")?;
        scan(mapping.start(), size, &mut runs)?;
    }
    runs.done();
    Ok(())
}

fn scan(start: u64, size: u64, runs: &mut Runs) -> Result<()> {
    let pagemap = File::open("/proc/self/pagemap").context("/proc/self/pagemap")?;
    let mut regions = [PageRegion::default(); 1024];
    let flags = PM_SCAN_SHMEM_SWAP | PM_SCAN_SHMEM_CACHE;
    let anyof = PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_CACHED;
    let end = start + size;
    let mut at = start;

    while at < end {
        let result = pagemap_scan(&pagemap, (at, end), flags, anyof, &mut regions);
        if matches!(result, Err(Errno::EINVAL | Errno::ENOTTY)) {
            eprintln!("this kernel has no PM_SCAN_SHMEM_SWAP or no PM_SCAN_SHMEM_CACHE");
            exit(UNSUPPORTED);
        }
        let (found, walk_end) = result.context("PAGEMAP_SCAN")?;
        for region in found {
            runs.add(region.start - start, region.end - start);
        }
        at = walk_end;
    }
    Ok(())
}
