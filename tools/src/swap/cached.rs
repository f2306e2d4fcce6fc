// SPDX-License-Identifier: GPL-2.0

//! Slots of pages in memory: a page that was read back keeps its slot while it is in the swap cache,
//! and no page table entry refers to the slot then.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};
use procfs::{Current, Meminfo};

use super::runs::Place;
use super::sheet::{Entry, Owner};
use crate::entry::{ENTRY_BYTES, SwapSlot};
use crate::exclusive::Exclusive;
use crate::interrupt;
use crate::maps;
use crate::page;
use crate::source::scan::Scan;
use crate::target::Target;

/// Pages to ask for: each has the kernel drain the batches of all CPUs.
const MOST: usize = 20_000;

/// Entries per read.
const CHUNK: u64 = 4096;

/// Pages in the swap cache whose slots are not among those of `entries`, by the kernel's counter:
/// [`None`] if it cannot be read.
pub fn unseen(entries: &[Entry]) -> Option<u64> {
    // The counter has parts in each CPU; this adds them up.
    let _ = fs::read("/proc/sys/vm/stat_refresh");
    let cached = Meminfo::current().ok()?.swap_cached / procfs::page_size();
    let runs = entries.iter().flat_map(|entry| &entry.runs);
    let seen: HashSet<_> = runs
        .filter(|run| run.place == Place::Cache)
        .flat_map(|run| run.slots())
        .collect();
    let kept: HashSet<_> = entries.iter().flat_map(|entry| &entry.kept).collect();

    Some(cached.saturating_sub((seen.len() + kept.len()) as u64))
}

/// Finds the slots that pages of the processes keep, and adds them to `entries`. Stops once there
/// cannot be more.
///
/// # Errors
///
/// A signal arrived.
pub fn add(entries: &mut [Entry]) -> Result<()> {
    let mut left = match unseen(entries) {
        Some(0) | None => return Ok(()),
        Some(count) => count,
    };
    let referred: HashSet<_> = entries
        .iter()
        .flat_map(|entry| entry.runs.iter().flat_map(|run| run.slots()))
        .collect();
    let mut found = HashSet::new();
    let mut asked = 0;

    for entry in entries {
        let Owner::Process { pid, .. } = entry.owner else {
            continue;
        };
        let Ok(Ok(target)) = Target::attach_if_possible(pid) else {
            continue;
        };
        // One that ends meanwhile keeps nothing.
        for address in addresses(&target).unwrap_or_default() {
            interrupt::check()?;
            if asked == MOST || left == 0 {
                return Ok(());
            }
            asked += 1;
            let Ok(Some(page)) = page::ask(&target, address) else {
                continue;
            };
            if let Some(SwapSlot { area, offset }) = page.slot
                && !referred.contains(&(area, offset))
            {
                entry.kept.push((area, offset));
                left -= u64::from(found.insert((area, offset)));
            }
        }
    }
    Ok(())
}

/// Addresses of a process's pages that are mapped and in the swap cache.
fn addresses(target: &Target) -> Result<Vec<u64>> {
    let page_size = procfs::page_size();
    let pagemap = File::open(format!("/proc/{}/pagemap", target.pid())).context("pagemap")?;
    let exclusive = File::open(target.file("exclusive")).context("exclusive")?;
    let mut found = Vec::new();

    for mapping in maps::mappings(target.pid())? {
        for run in Scan::new(&pagemap, mapping.start..mapping.end, false) {
            let run = run?;
            if !run.is_present() || run.is_file() {
                continue;
            }
            let mut first = run.start / page_size;
            while first < run.end / page_size {
                let count = CHUNK.min(run.end / page_size - first);
                let entries = read(&exclusive, first, count)?;
                let cached = entries.iter().zip(first..);
                let cached = cached.filter(|(entry, _)| entry.is_in_swap_cache());
                found.extend(cached.map(|(_, page)| page * page_size));
                first += count;
            }
        }
    }
    Ok(found)
}

fn read(exclusive: &File, first: u64, count: u64) -> Result<Vec<Exclusive>> {
    let mut bytes = vec![0; usize::try_from(count)? * ENTRY_BYTES];
    let offset = first * ENTRY_BYTES as u64;

    exclusive
        .read_exact_at(&mut bytes, offset)
        .context("exclusive")?;
    let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
    Ok(entries
        .iter()
        .map(|bytes| Exclusive::from_bytes(*bytes))
        .collect())
}
