// SPDX-License-Identifier: GPL-2.0

//! Checking what xpagemap says of a mapping: against the swap disk and against other counts.

use std::fmt;
use std::time::Instant;

use anyhow::Result;

use super::PAGE_BYTES;
use super::disk::SwapDisk;
use super::evidence::{Evidence, pause};
use crate::entry::{Entry, Place, SwapSlot};

/// The entries of a mapping, page by page.
#[derive(Default, PartialEq, Eq)]
pub struct Snapshot {
    /// From `/proc/PID/pagemap`.
    pub proc: Vec<Entry>,
    /// From xpagemap.
    pub xpagemap: Vec<Entry>,
}

impl Snapshot {
    /// The pages that xpagemap says are on swap, and where.
    pub fn located(&self) -> impl Iterator<Item = (usize, SwapSlot)> {
        let entries = self.xpagemap.iter().enumerate();
        entries.filter_map(|(page, entry)| Some((page, entry.shared_swap()?)))
    }

    /// Pages for which xpagemap's entry is not `/proc`'s, apart from what it is there to add.
    pub fn differing(&self) -> usize {
        let pairs = self.proc.iter().zip(&self.xpagemap);
        pairs
            .filter(|(proc, xpagemap)| proc.without_shared_swap() != xpagemap.without_shared_swap())
            .count()
    }
}

/// How many of `entries` say that their page is on swap.
pub fn on_swap(entries: &[Entry]) -> usize {
    count(entries, |place| matches!(place, Place::Swap(_)))
}

/// How many of `entries` say that their page is in memory.
pub fn in_memory(entries: &[Entry]) -> usize {
    count(entries, |place| matches!(place, Place::Memory { .. }))
}

/// How many of `entries` name no place.
pub fn blank(entries: &[Entry]) -> usize {
    count(entries, |place| place == Place::Nowhere)
}

/// How many of the pages that are on swap by `evidence` have an entry that says so.
pub fn shown_as_swapped(entries: &[Entry], evidence: &Evidence) -> usize {
    let shown = |entry: &Entry| matches!(entry.place(), Place::Swap(_));
    let pairs = entries.iter().zip(&evidence.on_swap);
    pairs
        .filter(|(entry, swapped)| **swapped && shown(entry))
        .count()
}

fn count(entries: &[Entry], wanted: impl Fn(Place) -> bool) -> usize {
    entries.iter().filter(|entry| wanted(entry.place())).count()
}

/// Something that was compared, and how it came out.
pub struct Check {
    /// Whether it holds.
    pub holds: bool,
    /// What was seen.
    pub finding: String,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.holds { "ok    " } else { "FAILED" };
        write!(f, "{verdict}  {}", self.finding)
    }
}

/// Reads every page that xpagemap located from the disk, and counts those that hold `text(page)`.
///
/// A slot can be taken before its page is written, so pages are read again until `deadline`.
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

/// Compares the entries with each other, with what the disk held, and with the independent counts.
pub fn compare(snapshot: &Snapshot, found: usize, evidence: &Evidence) -> Vec<Check> {
    let check = |holds, finding| Check { holds, finding };
    let located = snapshot.located().count();
    let bytes = (located * PAGE_BYTES) as u64;
    let kib = |bytes| bytes / 1024;
    let swapped = evidence.swapped();
    let pairs = || snapshot.xpagemap.iter().zip(&evidence.on_swap);
    let missed = pairs().filter(|(entry, swapped)| **swapped && entry.shared_swap().is_none());
    let invented = pairs().filter(|(entry, swapped)| !**swapped && entry.shared_swap().is_some());
    let (missed, invented) = (missed.count(), invented.count());
    let (smaps, cgroup) = (evidence.smaps_bytes, evidence.cgroup_bytes);
    let differing = snapshot.differing();

    vec![
        check(
            located > 0 && found == located,
            format!("the disk holds every byte written to the page in {found} of {located} places"),
        ),
        check(
            swapped > 0 && missed == 0 && invented == 0,
            format!(
                "cachestat(2), page by page: {swapped} on swap; here {missed} missing, {invented} too many"
            ),
        ),
        check(
            smaps == bytes,
            format!(
                "smaps: {} kB of it on swap; here {} kB",
                kib(smaps),
                kib(bytes)
            ),
        ),
        check(
            cgroup >= bytes,
            format!(
                "its cgroup: charged for {} kB of swap, these included",
                kib(cgroup)
            ),
        ),
        check(
            differing == 0,
            format!("entries that differ from /proc's in anything else: {differing}"),
        ),
    ]
}

/// Compares two snapshots, the second taken after everything else.
pub fn unchanged(before: &Snapshot, after: &Snapshot) -> Check {
    Check {
        holds: before == after,
        finding: "read again at the end: nothing has changed meanwhile".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::{in_memory, swapped};

    fn snapshot() -> Snapshot {
        Snapshot {
            proc: vec![Entry::default(), in_memory(5), Entry::default()],
            xpagemap: vec![swapped(0, 8), in_memory(5), swapped(0, 9)],
        }
    }

    fn evidence() -> Evidence {
        Evidence {
            on_swap: vec![true, false, true],
            smaps_bytes: 8192,
            cgroup_bytes: 12288,
        }
    }

    fn failures(snapshot: &Snapshot, found: usize, evidence: &Evidence) -> Vec<usize> {
        let checks = compare(snapshot, found, evidence);
        (0..checks.len()).filter(|n| !checks[*n].holds).collect()
    }

    #[test]
    fn agreement_holds() {
        assert_eq!(failures(&snapshot(), 2, &evidence()), []);
    }

    #[test]
    fn wrong_bytes_on_disk_fail() {
        assert_eq!(failures(&snapshot(), 1, &evidence()), [0]);
    }

    #[test]
    fn a_missed_page_fails() {
        let mut snapshot = snapshot();
        snapshot.xpagemap[2] = Entry::default();
        assert_eq!(failures(&snapshot, 1, &evidence()), [1, 2]);
    }

    #[test]
    fn an_invented_page_fails() {
        let mut evidence = evidence();
        evidence.on_swap[0] = false;
        assert_eq!(failures(&snapshot(), 2, &evidence), [1]);
    }

    #[test]
    fn nothing_swapped_fails() {
        let snapshot = Snapshot {
            proc: vec![in_memory(1)],
            xpagemap: vec![in_memory(1)],
        };
        let evidence = Evidence {
            on_swap: vec![false],
            smaps_bytes: 0,
            cgroup_bytes: 0,
        };
        assert_eq!(failures(&snapshot, 0, &evidence), [0, 1]);
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
        assert_eq!(shown_as_swapped(&snapshot.proc, &evidence()), 0);
        assert_eq!(shown_as_swapped(&snapshot.xpagemap, &evidence()), 2);
    }

    #[test]
    fn too_small_a_charge_fails() {
        let mut evidence = evidence();
        evidence.cgroup_bytes = 4096;
        assert_eq!(failures(&snapshot(), 2, &evidence), [3]);
    }

    #[test]
    fn another_difference_fails() {
        let mut snapshot = snapshot();
        snapshot.xpagemap[1] = in_memory(6);
        assert_eq!(failures(&snapshot, 2, &evidence()), [4]);
    }
}
