// SPDX-License-Identifier: GPL-2.0

//! The swap slots of pages, and the location of their bytes.

use core::ops::Range;

use kernel::{
    mm::{
        page_state::{
            PageKind,
            PageState, //
        },
        shmem::{
            SwapRun,
            SwapSlot, //
        },
        swap::Backing, //
    },
    prelude::*, //
};

use super::{
    runs::Windows,
    shmem::states_of_run,
    sparse::WINDOW_PAGES, //
};

/// The pages that a walk locates without dropping the lock, about: as many as one search of a page
/// cache finds.
const PAGES_AT_ONCE: usize = 512;

/// Returns the swap slot of a page.
#[inline]
pub(crate) fn slot(page: &PageState) -> Option<SwapSlot> {
    (page.kind == PageKind::Swap).then_some(SwapSlot {
        swap_type: page.swap_type,
        offset: page.frame,
    })
}

/// Consecutive pages of a walk.
pub(crate) struct Located<'a> {
    /// The number of the first page.
    pub(crate) first: usize,
    /// The states of the pages.
    pub(crate) pages: &'a [PageState],
    /// The location of the bytes of each page; without meaning for a page that is not in swap.
    pub(crate) backings: &'a [Backing],
}

impl Located<'_> {
    /// Returns the swap slot of each page in swap, its number, its state and its location.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (usize, SwapSlot, &PageState, Backing)> {
        (self.first..)
            .zip(self.pages)
            .zip(self.backings)
            .filter_map(|((number, page), &backing)| Some((number, slot(page)?, page, backing)))
    }
}

/// Locates the bytes of pages in swap; with memory for one window of pages.
///
/// A slot may be freed and reused before it is looked up. So the pages are decoded afterwards: the
/// slot was that of the page if the page still has it. A page that has got another slot was written
/// to that slot meanwhile, and was in the swap cache then.
pub(super) struct Locator {
    before: KVec<PageState>,
    pages: KVec<PageState>,
    backings: KVec<Backing>,
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
        for (backing, page) in backings.iter_mut().zip(&*before) {
            *backing = slot(page).map_or(Backing::Cache, |slot| slot.backing());
        }
        decode(pages)?;
        for ((backing, page), before) in backings.iter_mut().zip(&*pages).zip(&*before) {
            if slot(page) != slot(before) {
                *backing = Backing::Cache;
            }
        }
        found(&Located {
            first,
            pages,
            backings,
        })
    }

    /// Locates the bytes of the pages of `windows`, some hundreds; `decode` gets the number of the
    /// first page of a window and decodes the pages. Returns the number of the first page left.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`]: does not happen.
    /// - Those of `decode` and of `found`.
    pub(super) fn windows(
        &mut self,
        mut windows: Windows<'_>,
        decode: impl Fn(usize, &mut [PageState]) -> Result,
        found: &mut impl FnMut(&Located<'_>) -> Result,
    ) -> Result<Option<usize>> {
        let mut done = 0;

        while done < PAGES_AT_ONCE {
            let Some(window) = windows.next() else {
                break;
            };
            done += window.pages.len();
            self.window(window.pages, window.runs, &decode, found)?;
        }
        Ok(windows.rest())
    }

    fn window(
        &mut self,
        numbers: Range<usize>,
        runs: &[SwapRun],
        decode: &impl Fn(usize, &mut [PageState]) -> Result,
        found: &mut impl FnMut(&Located<'_>) -> Result,
    ) -> Result {
        let first = numbers.start;
        let pages = self.pages.get_mut(..numbers.len()).ok_or(EINVAL)?;
        let backings = self.backings.get_mut(..numbers.len()).ok_or(EINVAL)?;

        // The other pages were not in swap.
        backings.fill(Backing::Cache);
        for run in runs {
            for (backing, page) in states_of_run(backings, first, run.index, run.pages) {
                *backing = slot_of(run, page).backing();
            }
        }
        decode(first, pages)?;
        for run in runs {
            let backings = states_of_run(backings, first, run.index, run.pages);
            let pages = states_of_run(pages, first, run.index, run.pages);

            for ((backing, page), (state, _)) in backings.zip(pages) {
                if slot(state) != Some(slot_of(run, page)) {
                    *backing = Backing::Cache;
                }
            }
        }
        found(&Located {
            first,
            pages,
            backings,
        })
    }
}

/// Returns the slot of page `page` of a run.
#[inline]
fn slot_of(run: &SwapRun, page: usize) -> SwapSlot {
    SwapSlot {
        offset: run.slot.offset + page,
        ..run.slot
    }
}

#[kunit_tests(xpagemap_locator)]
mod tests {
    use super::*;

    use core::cell::Cell;

    /// A page in a slot of a swap device that does not exist: its bytes are [`Backing::None`].
    fn swapped(offset: usize) -> PageState {
        PageState {
            kind: PageKind::Swap,
            swap_type: 31,
            frame: offset,
            ..PageState::UNMAPPED
        }
    }

    /// The locations of four pages: one stays in its slot, one gets another, one comes into swap, and
    /// one leaves it.
    const STAYED_MOVED_CAME_LEFT: [Option<Backing>; 4] = [
        Some(Backing::None),
        Some(Backing::Cache),
        Some(Backing::Cache),
        None,
    ];

    /// Copies the locations that a walk finds.
    fn copy(located: &Located<'_>, into: &mut [Option<Backing>; 4]) -> Result {
        for (number, _, _, backing) in located.slots() {
            *into.get_mut(number).ok_or(EINVAL)? = Some(backing);
        }
        Ok(())
    }

    #[test]
    fn page_that_moved_meanwhile_was_in_the_swap_cache() -> Result {
        let mut found = [None; 4];
        let decodings = Cell::new(0);

        Locator::new()?.pages(
            0,
            4,
            |pages| {
                let again = decodings.replace(decodings.get() + 1);
                let free = |again: usize, page| {
                    if again == 0 {
                        PageState::UNMAPPED
                    } else {
                        page
                    }
                };

                pages.copy_from_slice(&[
                    swapped(7),
                    swapped(8 + again),
                    free(again, swapped(9)),
                    free(1 - again, swapped(10)),
                ]);
                Ok(())
            },
            &mut |located| copy(located, &mut found),
        )?;
        assert_eq!(decodings.get(), 2);
        assert_eq!(found, STAYED_MOVED_CAME_LEFT);
        Ok(())
    }

    #[test]
    fn page_that_left_its_run_was_in_the_swap_cache() -> Result {
        let run = |index, offset| SwapRun {
            index,
            pages: 1,
            slot: SwapSlot {
                swap_type: 31,
                offset,
            },
        };
        let runs = [run(0, 7), run(1, 20), run(3, 9)];
        let mut found = [None; 4];

        // Number 2 is in the gap between two runs, and came into swap.
        let rest = Locator::new()?.windows(
            Windows::new(&runs, 0..4),
            |first, pages| {
                assert_eq!(first, 0);
                pages.copy_from_slice(&[swapped(7), swapped(8), swapped(30), PageState::UNMAPPED]);
                Ok(())
            },
            &mut |located| copy(located, &mut found),
        )?;
        assert!(rest.is_none());
        assert_eq!(found, STAYED_MOVED_CAME_LEFT);
        Ok(())
    }
}
