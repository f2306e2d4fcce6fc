// SPDX-License-Identifier: GPL-2.0

//! Merges consecutive pages into runs, a page at a time.

use crate::continues::Continues;
use crate::entry::Entry;
use crate::exclusive::Exclusive;

/// The entries of one page in both files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The entry in `/proc/PID/pagemap`.
    pub proc: Entry,
    /// The entry in `xpagemap/PID/pagemap`; that of `/proc`, if there is no other.
    pub xpagemap: Entry,
    /// The entry in `xpagemap/PID/exclusive`, if it was read.
    pub exclusive: Option<Exclusive>,
}

impl Continues for Pair {
    fn continues(self, previous: Self) -> bool {
        let flags = |pair: Self| pair.exclusive.map(Exclusive::flags);

        self.proc.continues(previous.proc)
            && self.xpagemap.continues(previous.xpagemap)
            && flags(self) == flags(previous)
    }
}

/// Consecutive pages alike: one line of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<T> {
    /// Number of the first page.
    pub first: u64,
    /// Number of pages.
    pub pages: u64,
    /// State of the first page.
    pub start: T,
    last: T,
}

impl<T: Continues> Run<T> {
    /// A run of one page.
    pub fn new(first: u64, state: T) -> Self {
        Self {
            first,
            pages: 1,
            start: state,
            last: state,
        }
    }

    fn extend(&mut self, page: u64, state: T) -> bool {
        let fits = self.first.checked_add(self.pages) == Some(page) && state.continues(self.last);

        if fits {
            self.pages += 1;
            self.last = state;
        }
        fits
    }
}

/// Takes pages in ascending order and returns each run once it is complete.
pub struct Merger<T> {
    current: Option<Run<T>>,
}

impl<T> Default for Merger<T> {
    fn default() -> Self {
        Self { current: None }
    }
}

impl<T: Continues> Merger<T> {
    /// Takes a page. Returns the run before it, unless the page extends that run.
    pub fn push(&mut self, page: u64, state: T) -> Option<Run<T>> {
        if let Some(run) = &mut self.current
            && run.extend(page, state)
        {
            return None;
        }
        self.current.replace(Run::new(page, state))
    }

    /// Returns the last run.
    pub fn finish(self) -> Option<Run<T>> {
        self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::{in_memory, swapped};
    use quickcheck::quickcheck;

    fn merge(pages: &[(u64, Entry, Entry)]) -> Vec<(u64, u64)> {
        let mut merger = Merger::default();
        let mut runs = Vec::new();

        for &(page, proc, xpagemap) in pages {
            runs.extend(merger.push(
                page,
                Pair {
                    proc,
                    xpagemap,
                    exclusive: None,
                },
            ));
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

    quickcheck! {
        fn each_page_is_in_one_run_and_runs_are_as_long_as_can_be(bits: Vec<(u8, u8)>) -> bool {
            runs_are_the_pages(&bits)
        }
    }

    /// Each page is in one run, in order; pages of a run continue each other, neighbouring runs
    /// do not.
    fn runs_are_the_pages(bits: &[(u8, u8)]) -> bool {
        let pages: Vec<_> = bits
            .iter()
            .scan(0u64, |page, (gap, kind)| {
                *page += 1 + u64::from(gap % 8 == 0);
                // Few states, so that many pages continue the one before.
                let entry = match kind % 4 {
                    0 => NONE(),
                    1 => in_memory(u64::from(*kind)),
                    _ => swapped(0, *page),
                };
                Some((*page, entry))
            })
            .collect();
        let mut merger = Merger::default();
        let mut runs = Vec::new();
        for &(page, entry) in &pages {
            runs.extend(merger.push(page, entry));
        }
        runs.extend(merger.finish());

        let covered = runs.iter().flat_map(|run| run.first..run.first + run.pages);
        let starts = |page| runs.iter().any(|run: &Run<Entry>| run.first == page);
        covered.eq(pages.iter().map(|(page, _)| *page))
            && pages.windows(2).all(|pair| {
                let [(a, first), (b, second)] = pair else {
                    return false;
                };
                (*b == a + 1 && second.continues(*first)) != starts(*b)
            })
    }
}
