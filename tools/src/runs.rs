// SPDX-License-Identifier: GPL-2.0

//! Merges consecutive pages into runs, a page at a time.

use crate::entry::Entry;

/// The entries of one page in both files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The entry in `/proc/PID/pagemap`.
    pub proc: Entry,
    /// The entry in `xpagemap/PID/pagemap`.
    pub xpagemap: Entry,
}

/// Consecutive pages alike: one line of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Number of the first virtual page.
    pub first: u64,
    /// Number of pages.
    pub pages: u64,
    /// The first page's entries.
    pub start: Pair,
    last: Pair,
}

impl Run {
    /// A run of one page.
    pub fn new(first: u64, pair: Pair) -> Self {
        Self {
            first,
            pages: 1,
            start: pair,
            last: pair,
        }
    }

    fn extend(&mut self, page: u64, pair: Pair) -> bool {
        let fits = page == self.first + self.pages
            && pair.proc.continues(self.last.proc)
            && pair.xpagemap.continues(self.last.xpagemap);

        if fits {
            self.pages += 1;
            self.last = pair;
        }
        fits
    }
}

/// Takes pages in ascending order and returns each run once it is complete.
#[derive(Default)]
pub struct Merger {
    current: Option<Run>,
}

impl Merger {
    /// Takes a page. Returns the run before it, unless the page extends that run.
    pub fn push(&mut self, page: u64, pair: Pair) -> Option<Run> {
        if let Some(run) = &mut self.current
            && run.extend(page, pair)
        {
            return None;
        }
        self.current.replace(Run::new(page, pair))
    }

    /// Returns the last run.
    pub fn finish(self) -> Option<Run> {
        self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::{in_memory, swapped};

    fn merge(pages: &[(u64, Entry, Entry)]) -> Vec<(u64, u64)> {
        let mut merger = Merger::default();
        let mut runs = Vec::new();

        for &(page, proc, xpagemap) in pages {
            runs.extend(merger.push(page, Pair { proc, xpagemap }));
        }
        runs.extend(merger.finish());
        runs.iter().map(|run| (run.first, run.pages)).collect()
    }

    const NONE: fn() -> Entry = Entry::default;

    #[test]
    fn nothing_gives_no_run() {
        assert_eq!(merge(&[]), []);
    }

    #[test]
    fn consecutive_slots_are_one_run() {
        let pages = [
            (10, NONE(), swapped(0, 5)),
            (11, NONE(), swapped(0, 6)),
            (12, NONE(), swapped(0, 7)),
            (13, NONE(), swapped(0, 9)),
        ];
        assert_eq!(merge(&pages), [(10, 3), (13, 1)]);
    }

    #[test]
    fn either_file_ends_a_run() {
        let pages = [
            (10, in_memory(1), in_memory(1)),
            (11, NONE(), in_memory(1)),
            (12, NONE(), NONE()),
            (13, NONE(), NONE()),
        ];
        assert_eq!(merge(&pages), [(10, 1), (11, 1), (12, 2)]);
    }

    #[test]
    fn a_gap_in_the_addresses_ends_a_run() {
        let pages = [
            (10, NONE(), NONE()),
            (11, NONE(), NONE()),
            (13, NONE(), NONE()),
        ];
        assert_eq!(merge(&pages), [(10, 2), (13, 1)]);
    }
}
