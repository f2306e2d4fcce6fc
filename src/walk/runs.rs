// SPDX-License-Identifier: GPL-2.0

//! Runs of pages of a shmem file in swap, split into windows.

use core::ops::Range;

use kernel::{
    mm::shmem::SwapRun,
    prelude::*, //
};

use super::sparse::WINDOW_PAGES;

/// The number of runs that one search of the page cache may return.
pub(super) const RUNS: usize = 64;

/// The largest gap between two runs in one window, in pages: a window more costs as much.
const GAP_PAGES: usize = 64;

/// A window, of [`WINDOW_PAGES`] at most, that begins and ends with a page in swap.
pub(super) struct Window<'r> {
    /// The numbers of the pages.
    pub(super) pages: Range<usize>,
    /// The runs that have pages of the window, and may begin before it and end after it.
    pub(super) runs: &'r [SwapRun],
}

/// The windows of some runs.
pub(super) struct Windows<'r> {
    runs: &'r [SwapRun],
    /// The page at which the next window begins at the earliest.
    next: usize,
    /// The page behind the last one.
    end: usize,
}

impl<'r> Windows<'r> {
    /// Returns the windows of the part of `runs` inside `pages`.
    pub(super) fn new(runs: &'r [SwapRun], pages: Range<usize>) -> Self {
        Self {
            runs,
            next: pages.start,
            end: pages.end,
        }
    }

    /// Returns the page behind the last window; [`None`] if there is no window left.
    pub(super) fn rest(&self) -> Option<usize> {
        (!self.runs.is_empty()).then_some(self.next)
    }
}

impl<'r> Iterator for Windows<'r> {
    type Item = Window<'r>;

    fn next(&mut self) -> Option<Window<'r>> {
        let start = self.runs.first()?.index.max(self.next);
        let limit = self.end.min(start.saturating_add(WINDOW_PAGES));
        let mut end = start;

        // The window has those runs that begin in it, near the one before.
        let runs = self
            .runs
            .iter()
            .take_while(|run| {
                let near = run.index < limit && run.index <= end.saturating_add(GAP_PAGES);

                if near {
                    end = limit.min(run.index + run.pages);
                }
                near
            })
            .count();
        let (window, rest) = self.runs.split_at_checked(runs)?;
        let cut = window.last().is_some_and(|run| run.index + run.pages > end);

        self.next = end;
        self.runs = if end == self.end {
            &[]
        } else if cut {
            self.runs.get(runs - 1..)?
        } else {
            rest
        };
        Some(Window {
            pages: start..end,
            runs: window,
        })
    }
}

#[kunit_tests(xpagemap_runs)]
mod tests {
    use super::*;

    use kernel::mm::shmem::SwapSlot;

    fn run(index: usize, pages: usize) -> SwapRun {
        SwapRun {
            index,
            pages,
            slot: SwapSlot {
                swap_type: 1,
                offset: 10 * index,
            },
        }
    }

    /// Checks the windows of some runs.
    fn check(runs: &[SwapRun], pages: Range<usize>, expected: &[(Range<usize>, usize)]) {
        let mut windows = Windows::new(runs, pages);

        for (pages, runs) in expected {
            let window = windows.next();
            assert!(
                window.is_some_and(|window| window.pages == *pages && window.runs.len() == *runs)
            );
        }
        assert!(windows.rest().is_none() && windows.next().is_none());
    }

    #[test]
    fn near_runs_are_one_window() {
        let runs = [run(10, 1), run(12, 3), run(15 + GAP_PAGES, 1), run(2000, 1)];

        check(&runs, 0..4000, &[(10..16 + GAP_PAGES, 3), (2000..2001, 1)]);
    }

    #[test]
    fn large_runs_are_several() {
        let end = 100 + 2 * WINDOW_PAGES + 7;

        check(
            &[run(0, 5000), run(5001, 1)],
            100..end,
            &[
                (100..100 + WINDOW_PAGES, 1),
                (100 + WINDOW_PAGES..end - 7, 1),
                (end - 7..end, 1),
            ],
        );
    }

    #[test]
    fn a_run_that_a_window_cuts_is_in_the_next() {
        let runs = [run(0, WINDOW_PAGES - 2), run(WINDOW_PAGES - 1, 4)];

        check(
            &runs,
            0..5000,
            &[(0..WINDOW_PAGES, 2), (WINDOW_PAGES..WINDOW_PAGES + 3, 1)],
        );
    }
}
