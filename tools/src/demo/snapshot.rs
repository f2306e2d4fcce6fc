// SPDX-License-Identifier: GPL-2.0

//! The entries of a mapping in both pagemap files, and their numbers by location.

use super::counts::KernelCounts;
use crate::entry::{Entry, Place, SwapSlot};

/// The entries of a mapping, page by page.
#[derive(Default, PartialEq, Eq)]
pub struct Snapshot {
    /// From `/proc/PID/pagemap`.
    pub proc: Vec<Entry>,
    /// From `xpagemap/PID/pagemap`.
    pub xpagemap: Vec<Entry>,
}

impl Snapshot {
    /// The swapped shared pages in xpagemap's entries, with their slots.
    pub fn located(&self) -> impl Iterator<Item = (usize, SwapSlot)> {
        let entries = self.xpagemap.iter().enumerate();
        entries.filter_map(|(page, entry)| Some((page, entry.shared_swap()?)))
    }

    /// Number of pages whose entries differ in more than the location that xpagemap adds.
    pub fn differing(&self) -> usize {
        let pairs = self.proc.iter().zip(&self.xpagemap);
        pairs
            .filter(|(proc, xpagemap)| proc.without_shared_swap() != xpagemap.without_shared_swap())
            .count()
    }
}

/// Number of entries of swapped pages.
pub fn on_swap(entries: &[Entry]) -> usize {
    count(entries, |place| matches!(place, Place::Swap(_)))
}

/// Number of entries of present pages.
pub fn in_memory(entries: &[Entry]) -> usize {
    count(entries, |place| matches!(place, Place::Memory { .. }))
}

/// Number of entries of pages neither present nor swapped.
pub fn blank(entries: &[Entry]) -> usize {
    count(entries, |place| place == Place::Nowhere)
}

/// Number of pages on swap by cachestat(2) whose entry says so.
pub fn shown_as_swapped(entries: &[Entry], counts: &KernelCounts) -> usize {
    let shown = |entry: &Entry| matches!(entry.place(), Place::Swap(_));
    let pairs = entries.iter().zip(&counts.on_swap);
    pairs
        .filter(|(entry, swapped)| **swapped && shown(entry))
        .count()
}

fn count(entries: &[Entry], wanted: impl Fn(Place) -> bool) -> usize {
    entries.iter().filter(|entry| wanted(entry.place())).count()
}
