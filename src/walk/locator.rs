// SPDX-License-Identifier: GPL-2.0

//! The location of the bytes of pages in swap.

mod kunit;

use core::ops::{
    Range,
    RangeInclusive, //
};

use kernel::{
    mm::{
        page_state::PageState,
        shmem::SwapRun,
        swap::Backing, //
    },
    prelude::*, //
};

use super::{
    runs::{
        Window,
        Windows,
        RUNS, //
    },
    slots::{
        behind,
        slot,
        swapped,
        Located, //
    },
    sparse::WINDOW_PAGES, //
};

/// The pages that a walk locates without dropping the lock, about: as many as one search of a page
/// cache finds.
const PAGES_AT_ONCE: usize = 512;

/// The pages of a shmem file, or of a shared mapping of one, that a [`Locator`] locates.
pub(super) trait Pages {
    /// Finds the pages of `range` in swap, as `ShmemMapping::swap_runs()`.
    fn swap_runs<'r>(
        &self,
        range: &mut RangeInclusive<usize>,
        runs: &'r mut [SwapRun],
    ) -> &'r [SwapRun];

    /// Returns whether a page table entry may hide one of these pages, as a guard marker does.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`]: no page, which does not happen.
    fn may_hide(&self, pages: &Range<usize>) -> Result<bool>;

    /// Decodes the pages from number `first` on.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`]: no page, which does not happen.
    fn decode(&self, first: usize, pages: &mut [PageState]) -> Result;
}

/// Locates the bytes of pages in swap; with memory for one window of pages.
///
/// A slot may be freed and reused before it is looked up. So the pages are read again afterwards:
/// the slot was that of the page if the page still has it. A page that has got another slot was
/// written to that slot meanwhile, and was in the swap cache then.
pub(super) struct Locator {
    before: KVec<PageState>,
    pages: KVec<PageState>,
    backings: KVec<Backing>,
    runs: KVec<SwapRun>,
    again: KVec<SwapRun>,
}

impl Locator {
    /// Returns a locator.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            before: KVec::from_elem(PageState::UNMAPPED, WINDOW_PAGES, GFP_KERNEL)?,
            pages: KVec::from_elem(PageState::UNMAPPED, WINDOW_PAGES, GFP_KERNEL)?,
            backings: KVec::from_elem(Backing::None, WINDOW_PAGES, GFP_KERNEL)?,
            runs: KVec::from_elem(SwapRun::EMPTY, RUNS, GFP_KERNEL)?,
            again: KVec::from_elem(SwapRun::EMPTY, RUNS, GFP_KERNEL)?,
        })
    }

    /// Locates the bytes of `pages` pages from number `first` on, at most [`WINDOW_PAGES`];
    /// `decode` decodes them, twice if one is in swap.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`]: too many pages.
    /// - Those of `decode` and of `found`.
    pub(super) fn pages(
        &mut self,
        first: usize,
        pages: usize,
        mut decode: impl FnMut(&mut [PageState]) -> Result,
        found: &mut impl FnMut(&Located<'_>) -> Result,
    ) -> Result {
        let before = self.before.get_mut(..pages).ok_or(EINVAL)?;
        let pages = self.pages.get_mut(..pages).ok_or(EINVAL)?;
        let backings = self.backings.get_mut(..pages.len()).ok_or(EINVAL)?;

        decode(before)?;
        if !before.iter().any(|page| slot(page).is_some()) {
            return Ok(());
        }
        // The other pages were not in swap.
        backings.fill(Backing::Cache);
        for (part, slot, _) in swapped(before) {
            slot.backings(backings.get_mut(part).ok_or(EINVAL)?);
        }
        decode(pages)?;
        for ((backing, page), before) in backings.iter_mut().zip(&*pages).zip(&*before) {
            if slot(page) != slot(before) {
                *backing = Backing::Cache;
            }
        }
        Located::among(first, pages, backings, found)
    }

    /// Finds pages of `numbers` in swap, some hundreds at most, and locates their bytes. Returns
    /// the number of the first page left.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`]: does not happen.
    /// - Those of `found`.
    pub(super) fn search(
        &mut self,
        numbers: Range<usize>,
        source: &impl Pages,
        found: &mut impl FnMut(&Located<'_>) -> Result,
    ) -> Result<Option<usize>> {
        let Some(last) = numbers.end.checked_sub(1) else {
            return Ok(None);
        };
        let mut range = numbers.start..=last;
        let Self {
            pages,
            backings,
            runs,
            again,
            ..
        } = self;
        let mut windows = Windows::new(source.swap_runs(&mut range, runs), numbers);
        let mut done = 0;

        while done < PAGES_AT_ONCE {
            let Some(window) = windows.next() else {
                break;
            };
            let pages = pages.get_mut(..window.pages.len()).ok_or(EINVAL)?;
            let backings = backings.get_mut(..window.pages.len()).ok_or(EINVAL)?;

            done += pages.len();
            locate_window(&window, source, pages, backings, again, found)?;
        }
        Ok(windows
            .rest()
            .or((!range.is_empty()).then_some(*range.start())))
    }
}

/// Returns the part of a run inside `pages`.
fn part_of(run: &SwapRun, pages: &Range<usize>) -> SwapRun {
    let first = run.index.max(pages.start);
    let end = (run.index + run.pages).min(pages.end);

    SwapRun {
        index: first,
        pages: end.saturating_sub(first),
        slot: behind(run.slot, first - run.index),
    }
}

/// Returns whether the pages of a window are in swap as before, and none is hidden.
fn is_unchanged(window: &Window<'_>, source: &impl Pages, again: &mut [SwapRun]) -> Result<bool> {
    let mut range = window.pages.start..=window.pages.end - 1;
    let part = |run| part_of(run, &window.pages);
    let runs = source.swap_runs(&mut range, again);

    Ok(range.is_empty()
        && runs.iter().map(part).eq(window.runs.iter().map(part))
        && !source.may_hide(&window.pages)?)
}

/// Locates the bytes of the pages of a window. Reads its pages one by one only if one of them has
/// changed, or may be hidden.
fn locate_window(
    window: &Window<'_>,
    source: &impl Pages,
    pages: &mut [PageState],
    backings: &mut [Backing],
    again: &mut [SwapRun],
    found: &mut impl FnMut(&Located<'_>) -> Result,
) -> Result {
    let first = window.pages.start;
    let runs = window.runs.iter().map(|run| part_of(run, &window.pages));

    // The other pages were not in swap.
    backings.fill(Backing::Cache);
    for run in runs.clone() {
        let begin = run.index - first;
        let backings = backings.get_mut(begin..begin + run.pages);
        run.slot.backings(backings.ok_or(EINVAL)?);
    }
    if is_unchanged(window, source, again)? {
        for run in runs {
            let begin = run.index - first;
            let backings = backings.get(begin..begin + run.pages);
            found(&Located {
                first: run.index,
                slot: run.slot,
                shmem: true,
                backings: backings.ok_or(EINVAL)?,
            })?;
        }
        return Ok(());
    }

    source.decode(first, pages)?;
    for run in runs {
        let changed = |page: &PageState, number| slot(page) != Some(behind(run.slot, number));
        let part = run.index - first..run.index - first + run.pages;
        let backings = backings.get_mut(part.clone()).into_iter().flatten();
        let pages = pages.get(part).into_iter().flatten();

        for (number, (backing, page)) in backings.zip(pages).enumerate() {
            if changed(page, number) {
                *backing = Backing::Cache;
            }
        }
    }
    Located::among(first, pages, backings, found)
}
