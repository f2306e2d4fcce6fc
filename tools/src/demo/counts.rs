// SPDX-License-Identifier: GPL-2.0

//! The kernel's other counts of a mapping's swapped pages: cachestat(2), smaps, the cgroup's charge.
//! They are independent of pagemap files, and have no locations.

use std::fs::File;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use procfs::process::MemoryMap;

use super::PAGE_BYTES;
use super::cgroup::Cgroup;
use crate::interrupt;
use crate::maps;
use crate::sys;

/// Counts of the swapped pages of a shared mapping.
pub struct KernelCounts {
    /// For each page, true if cachestat(2) counts it as evicted: it is on swap.
    pub on_swap: Vec<bool>,
    /// The mapping's bytes on swap in `/proc/PID/smaps`.
    pub smaps_bytes: u64,
    /// Bytes of swap charged to the cgroup, other memory of the process included.
    pub cgroup_bytes: u64,
}

impl KernelCounts {
    /// Reads the counts of the `pages` pages that process `pid` has mapped at `address`.
    pub fn read(pid: i32, address: u64, pages: u64, cgroup: &Cgroup) -> Result<Self> {
        let map = mapping(pid, address)?;
        let (start, end) = map.address;
        let path = format!("/proc/{pid}/map_files/{start:x}-{end:x}");
        let file = File::open(&path).with_context(|| format!("cannot open {path}"))?;
        let first = map.offset + (address - start);
        let bytes = PAGE_BYTES as u64;

        let on_swap = (0..pages)
            .map(|page| Ok(sys::cachestat(&file, first + page * bytes, bytes)?.evicted == 1))
            .collect::<Result<_>>()
            .with_context(|| format!("cachestat of {path}"))?;
        let smaps_bytes = *map
            .extension
            .map
            .get("Swap")
            .with_context(|| format!("no Swap line in /proc/{pid}/smaps"))?;

        Ok(Self {
            on_swap,
            smaps_bytes,
            cgroup_bytes: cgroup.swap_bytes()?,
        })
    }

    /// Number of pages on swap by cachestat(2).
    pub fn swapped(&self) -> usize {
        self.on_swap.iter().filter(|swapped| **swapped).count()
    }
}

fn mapping(pid: i32, address: u64) -> Result<MemoryMap> {
    maps::read(pid, "smaps")?
        .into_iter()
        .map(|(map, _)| map)
        .find(|map| (map.address.0..map.address.1).contains(&address))
        .with_context(|| format!("process {pid} has nothing mapped at {address:x}"))
}

/// Waits until no page is under writeback.
pub fn wait_for_writeback(deadline: Instant) -> Result<()> {
    const COUNTER: &str = "nr_writeback";

    loop {
        let counters = procfs::vmstat().context("cannot read /proc/vmstat")?;
        match counters.get(COUNTER) {
            Some(0) => return Ok(()),
            Some(pages) if Instant::now() >= deadline => {
                bail!("{pages} pages are still under writeback; try again when the disk is idle")
            }
            Some(_) => pause()?,
            None => bail!("no {COUNTER} in /proc/vmstat"),
        }
    }
}

/// Sleeps for 50 ms; fails if a signal has arrived.
pub fn pause() -> Result<()> {
    sleep(Duration::from_millis(50));
    interrupt::check()
}
