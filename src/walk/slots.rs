// SPDX-License-Identifier: GPL-2.0

//! The pages of a walk that are in swap, as runs.

use core::ops::Range;

use kernel::{
    mm::{
        page_state::{
            PageFlag,
            PageKind,
            PageState, //
        },
        shmem::SwapSlot,
        swap::Backing, //
    },
    prelude::*, //
};

/// Returns the swap slot of a page.
#[inline]
pub(crate) fn slot(page: &PageState) -> Option<SwapSlot> {
    (page.kind == PageKind::Swap).then_some(SwapSlot {
        swap_type: page.swap_type,
        offset: page.frame,
    })
}

/// Consecutive pages of a walk in consecutive swap slots.
pub(crate) struct Located<'a> {
    /// The number of the first page.
    pub(crate) first: usize,
    /// The slot of the first page.
    pub(crate) slot: SwapSlot,
    /// True if the pages are those of a shmem file.
    pub(crate) shmem: bool,
    /// The location of the bytes of each page.
    pub(crate) backings: &'a [Backing],
}

impl Located<'_> {
    /// Calls `found` for the pages in swap among consecutive pages from number `first` on.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`]: fewer locations than pages.
    /// - Those of `found`.
    pub(crate) fn among(
        first: usize,
        pages: &[PageState],
        backings: &[Backing],
        mut found: impl FnMut(&Located<'_>) -> Result,
    ) -> Result {
        for (part, slot, shmem) in swapped(pages) {
            found(&Located {
                first: first + part.start,
                slot,
                shmem,
                backings: backings.get(part).ok_or(EINVAL)?,
            })?;
        }
        Ok(())
    }
}

/// Returns the runs of pages in swap: their place among `pages`, the first slot, and whether they
/// are those of a shmem file.
pub(super) fn swapped(
    pages: &[PageState],
) -> impl Iterator<Item = (Range<usize>, SwapSlot, bool)> + '_ {
    let mut next = 0;

    pages.chunk_by(goes_on).filter_map(move |part| {
        let begin = next;
        next += part.len();

        let page = part.first()?;
        Some((
            begin..next,
            slot(page)?,
            page.flags.contains(PageFlag::File),
        ))
    })
}

/// Returns whether `next`, the state of the page behind `page`, is in the slot behind that of
/// `page`; or whether neither is in swap.
#[inline]
fn goes_on(page: &PageState, next: &PageState) -> bool {
    match (slot(page), slot(next)) {
        (Some(page_slot), Some(next_slot)) => {
            next_slot == behind(page_slot, 1)
                && page.flags.contains(PageFlag::File) == next.flags.contains(PageFlag::File)
        }
        (None, None) => true,
        _ => false,
    }
}

/// Returns the slot `pages` slots behind `slot`.
#[inline]
pub(super) fn behind(slot: SwapSlot, pages: usize) -> SwapSlot {
    SwapSlot {
        offset: slot.offset + pages,
        ..slot
    }
}

#[kunit_tests(xpagemap_located)]
mod tests {
    use super::*;

    fn swapped(offset: usize) -> PageState {
        PageState {
            kind: PageKind::Swap,
            frame: offset,
            ..PageState::UNMAPPED
        }
    }

    #[test]
    fn consecutive_slots_are_one_run() -> Result {
        let file = |offset| PageState {
            flags: PageFlag::File.into(),
            ..swapped(offset)
        };
        let pages = [
            swapped(7),
            swapped(8),
            file(9),
            PageState::UNMAPPED,
            PageState::UNMAPPED,
            swapped(12),
            swapped(14),
        ];
        let expected = [(3, 7, 2), (5, 9, 1), (8, 12, 1), (9, 14, 1)];
        let mut runs = expected.iter();

        Located::among(3, &pages, &[Backing::None; 7], |run| {
            let found = (run.first, run.slot.offset, run.backings.len());
            assert_eq!(runs.next(), Some(&found));
            assert_eq!(run.shmem, run.first == 5);
            Ok(())
        })?;
        assert!(runs.next().is_none());
        Ok(())
    }
}
