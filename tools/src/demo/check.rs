// SPDX-License-Identifier: GPL-2.0

//! Checks xpagemap's entries of a mapping against the swap disk and the kernel's other counts.

use std::fmt;
use std::time::Instant;

use anyhow::Result;

use super::PAGE_BYTES;
use super::counts::{KernelCounts, pause};
use super::disk::SwapDisk;
use super::snapshot::Snapshot;

/// Result of a comparison.
pub struct Check {
    /// True if it holds.
    pub holds: bool,
    /// The printed text.
    pub finding: String,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = if self.holds { "ok    " } else { "FAILED" };
        write!(f, "{result}  {}", self.finding)
    }
}

/// Reads every located page from the disk, and counts those that hold `text(page)`.
///
/// A slot is allocated before its page is written: a page that differs is read again until
/// `deadline`.
pub fn found_on_disk(
    snapshot: &Snapshot,
    disk: &mut SwapDisk,
    text: impl Fn(u64) -> [u8; PAGE_BYTES],
    deadline: Instant,
) -> Result<usize> {
    let mut found = 0;

    for (page, slot) in snapshot.located() {
        let expected = text(page as u64);
        loop {
            if *disk.read(slot)? == expected {
                found += 1;
                break;
            }
            if Instant::now() >= deadline {
                break;
            }
            pause()?;
        }
    }
    Ok(found)
}

/// Compares the entries with each other, with the disk, and with the kernel's counts.
pub fn compare(snapshot: &Snapshot, found: usize, counts: &KernelCounts) -> Vec<Check> {
    let check = |holds, finding| Check { holds, finding };
    let located = snapshot.located().count();
    let bytes = (located * PAGE_BYTES) as u64;
    let kib = |bytes| bytes / 1024;
    let swapped = counts.swapped();
    let pairs = || snapshot.xpagemap.iter().zip(&counts.on_swap);
    let missed = pairs().filter(|(entry, swapped)| **swapped && entry.shared_swap().is_none());
    let extra = pairs().filter(|(entry, swapped)| !**swapped && entry.shared_swap().is_some());
    let (missed, extra) = (missed.count(), extra.count());
    let (smaps, cgroup) = (counts.smaps_bytes, counts.cgroup_bytes);
    let differing = snapshot.differing();

    vec![
        check(
            located > 0 && found == located,
            format!("swap disk: {found} of {located} slots hold every byte of their page"),
        ),
        check(
            swapped > 0 && missed == 0 && extra == 0,
            format!(
                "cachestat(2), page by page: {swapped} on swap; xpagemap: {missed} missing, {extra} too many"
            ),
        ),
        check(
            smaps == bytes,
            format!(
                "smaps: {} kB of the mapping on swap; xpagemap: {} kB",
                kib(smaps),
                kib(bytes)
            ),
        ),
        check(
            cgroup >= bytes,
            format!(
                "cgroup: {} kB of swap charged, these pages included",
                kib(cgroup)
            ),
        ),
        check(
            differing == 0,
            format!("entries that differ from /proc's in anything but the location: {differing}"),
        ),
    ]
}

/// Compares two snapshots, the second taken after all checks.
pub fn unchanged(before: &Snapshot, after: &Snapshot) -> Check {
    Check {
        holds: before == after,
        finding: "read again after the checks: no entry has changed".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::shown_as_swapped;
    use super::*;
    use crate::entry::Entry;
    use crate::entry::tests::{in_memory, swapped};

    fn snapshot() -> Snapshot {
        Snapshot {
            proc: vec![Entry::default(), in_memory(5), Entry::default()],
            xpagemap: vec![swapped(0, 8), in_memory(5), swapped(0, 9)],
        }
    }

    fn counts() -> KernelCounts {
        KernelCounts {
            on_swap: vec![true, false, true],
            smaps_bytes: 8192,
            cgroup_bytes: 12288,
        }
    }

    fn failures(snapshot: &Snapshot, found: usize, counts: &KernelCounts) -> Vec<usize> {
        let checks = compare(snapshot, found, counts);
        (0..checks.len()).filter(|n| !checks[*n].holds).collect()
    }

    #[test]
    fn agreement_holds() {
        assert!(failures(&snapshot(), 2, &counts()).is_empty());
    }

    #[test]
    fn wrong_bytes_on_disk_fail() {
        assert_eq!(failures(&snapshot(), 1, &counts()), [0]);
    }

    #[test]
    fn a_missed_page_fails() {
        let mut snapshot = snapshot();
        snapshot.xpagemap[2] = Entry::default();
        assert_eq!(failures(&snapshot, 1, &counts()), [1, 2]);
    }

    #[test]
    fn an_invented_page_fails() {
        let mut counts = counts();
        counts.on_swap[0] = false;
        assert_eq!(failures(&snapshot(), 2, &counts), [1]);
    }

    #[test]
    fn nothing_swapped_fails() {
        let snapshot = Snapshot {
            proc: vec![in_memory(1)],
            xpagemap: vec![in_memory(1)],
        };
        let counts = KernelCounts {
            on_swap: vec![false],
            smaps_bytes: 0,
            cgroup_bytes: 0,
        };
        assert_eq!(failures(&snapshot, 0, &counts), [0, 1]);
    }

    #[test]
    fn a_change_in_between_fails() {
        let mut after = snapshot();
        assert!(unchanged(&snapshot(), &after).holds);
        after.proc[0] = in_memory(1);
        assert!(!unchanged(&snapshot(), &after).holds);
    }

    #[test]
    fn only_what_is_swapped_counts_as_shown() {
        let snapshot = snapshot();
        assert_eq!(shown_as_swapped(&snapshot.proc, &counts()), 0);
        assert_eq!(shown_as_swapped(&snapshot.xpagemap, &counts()), 2);
    }

    #[test]
    fn too_small_a_charge_fails() {
        let mut counts = counts();
        counts.cgroup_bytes = 4096;
        assert_eq!(failures(&snapshot(), 2, &counts), [3]);
    }

    #[test]
    fn another_difference_fails() {
        let mut snapshot = snapshot();
        snapshot.xpagemap[1] = in_memory(6);
        assert_eq!(failures(&snapshot, 2, &counts()), [4]);
    }
}
