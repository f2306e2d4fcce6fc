// SPDX-License-Identifier: GPL-2.0

//! Collects the counts of a process.

use std::collections::HashMap;
use std::fs::File;

use anyhow::{Context, Result};

use super::module;
use super::{Counts, MappingCounts, Summary, add};
use crate::interrupt;
use crate::json::{Addresses, Unknown, add_unknown};
use crate::maps::{self, Mapping};
use crate::select::Process;
use crate::source::scan::{self, Scan, ScanRun};
use crate::target::Target;

/// Columns that only the module knows.
const MODULE_ONLY: &str = "exclusive, shared, maybe-pinned, large, violations";

/// Counts the pages of a process, and adds to `unknown` what its sources do not tell.
///
/// # Errors
///
/// The process is gone, or belongs to another user.
pub fn of(process: &Process, unknown: &mut Vec<Unknown>) -> Result<Summary> {
    let pid = process.pid;
    let path = format!("/proc/{pid}/pagemap");
    let pagemap = File::open(&path).with_context(|| format!("cannot open {path}"))?;
    let looks_up = scan::looks_up(&pagemap)
        .with_context(|| format!("cannot scan {path}"))?
        .is_there();
    let maps = maps::mappings(pid)?;

    let (source, counts) = match Target::attach_if_possible(pid)? {
        Ok(target) => {
            if !looks_up {
                add_unknown(unknown, Unknown::new("cached", NO_LOOK_UP));
            }
            ("module", from_module(&target, &maps, &pagemap, looks_up)?)
        }
        Err(why) if looks_up => {
            add_unknown(unknown, Unknown::new(format!("{MODULE_ONLY}, ksm"), why));
            let counts = maps.iter().map(|map| scan_all(&pagemap, map, true));
            ("PAGEMAP_SCAN", counts.collect::<Result<_>>()?)
        }
        Err(why) => {
            add_unknown(unknown, Unknown::new(MODULE_ONLY, why));
            add_unknown(unknown, Unknown::new("cached", NO_LOOK_UP));
            ("/proc", from_smaps(pid, &maps, &pagemap)?)
        }
    };
    Ok(summary(process, source, maps, counts))
}

const NO_LOOK_UP: &str = "this kernel's PAGEMAP_SCAN does not look into shared memory files; \
                          xpagemap's patches add that";

fn summary(
    process: &Process,
    source: &'static str,
    maps: Vec<Mapping>,
    counts: Vec<Counts>,
) -> Summary {
    let mut total = Counts::default();
    let mappings = maps.into_iter().zip(counts).map(|(map, counts)| {
        total.add(&counts);
        MappingCounts {
            addresses: Addresses::new(map.start, map.end),
            permissions: map.permissions,
            name: map.name,
            counts,
        }
    });

    let mappings = mappings.collect();
    Summary {
        pid: process.pid,
        name: process.name.clone(),
        source,
        total,
        mappings,
    }
}

fn size(map: &Mapping) -> Counts {
    let pages = map.pages(procfs::page_size());

    Counts {
        pages: pages.end - pages.start,
        ..Default::default()
    }
}

fn from_module(
    target: &Target,
    maps: &[Mapping],
    pagemap: &File,
    looks_up: bool,
) -> Result<Vec<Counts>> {
    let lines = module::parse(&target.text("summary")?)?;
    let by_address: HashMap<_, _> = lines
        .into_iter()
        .filter_map(|(range, counts)| Some((range?, counts)))
        .collect();

    maps.iter()
        .map(|map| {
            let found = by_address.get(&(map.start, map.end));
            let mut counts = match found {
                Some(counts) => *counts,
                // The module has no line for what is not populated.
                None => unpopulated(map),
            };
            if looks_up && map.has_file {
                counts.cached = scan_all(pagemap, map, true)?.cached;
            } else if looks_up {
                counts.cached = Some(0);
            }
            Ok(counts)
        })
        .collect()
}

fn unpopulated(map: &Mapping) -> Counts {
    let mut counts = size(map);

    for (_, _, field) in super::COLUMNS {
        *field(&mut counts) = Some(0);
    }
    counts.cached = None;
    counts
}

/// A count, and the test for its pages.
type Told<'a> = (&'a mut Option<u64>, fn(ScanRun) -> bool);

/// Counts by PAGEMAP_SCAN. Shared memory that the page table does not tell is unknown unless the
/// scan looks it up.
fn scan_all(pagemap: &File, map: &Mapping, look_up: bool) -> Result<Counts> {
    let mut counts = size(map);
    let page_size = procfs::page_size();
    let told: [Told; 5] = [
        (&mut counts.resident, ScanRun::is_present),
        (&mut counts.swap_private, ScanRun::is_private_swap),
        (&mut counts.zero, ScanRun::is_zero),
        (&mut counts.swap_shared, ScanRun::is_shared_swap),
        (&mut counts.cached, ScanRun::is_cached),
    ];
    let mut told: Vec<_> = told.into_iter().take(if look_up { 5 } else { 3 }).collect();

    for (count, _) in &mut told {
        **count = Some(0);
    }
    for run in Scan::new(pagemap, map.start..map.end, look_up) {
        interrupt::check()?;
        let run = run.with_context(|| format!("cannot scan the mapping at {:x}", map.start))?;
        for (count, is_one) in &mut told {
            if is_one(run) {
                add(count, Some(run.pages(page_size)));
            }
        }
    }
    Ok(counts)
}

/// Counts by PAGEMAP_SCAN, and of shared memory in swap as much as smaps tells. Before Linux 6.7
/// by smaps alone.
fn from_smaps(pid: i32, maps: &[Mapping], pagemap: &File) -> Result<Vec<Counts>> {
    let smaps = maps::read(pid, "smaps")?;
    let by_start: HashMap<_, _> = smaps
        .iter()
        .map(|(map, _)| (map.address.0, &map.extension.map))
        .collect();

    maps.iter()
        .map(|map| {
            let pages = |key| {
                let bytes = by_start.get(&map.start)?.get(key)?;
                Some(bytes / procfs::page_size())
            };
            let mut counts = scan_all(pagemap, map, false).unwrap_or_else(|_| Counts {
                resident: pages("Rss"),
                ..size(map)
            });
            let swap = pages("Swap");

            counts.ksm = pages("KSM");
            if !map.has_file {
                counts.swap_private = swap;
                counts.swap_shared = Some(0);
            } else if map.permissions.ends_with('s') {
                counts.swap_private = Some(0);
                counts.swap_shared = swap;
            } else {
                // Pages of the file, and copies of pages, which the page table has.
                let private = counts.swap_private;
                counts.swap_shared = swap.zip(private).map(|(all, own)| all.saturating_sub(own));
            }
            Ok(counts)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_pages_are_counted() {
        let own = Process {
            pid: std::process::id() as i32,
            name: "self".to_string(),
        };
        let mut unknown = Vec::new();
        let found = of(&own, &mut unknown).expect("own memory");
        let resident = found.total.resident.expect("known");

        assert!(resident > 0 && resident < found.total.pages, "{found:?}");
        let sum: u64 = found.mappings.iter().map(|map| map.counts.pages).sum();
        assert_eq!(sum, found.total.pages);
        // A null has a reason.
        assert!(found.total.exclusive.is_some() || !unknown.is_empty());
    }
}
