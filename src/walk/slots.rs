// SPDX-License-Identifier: GPL-2.0

//! Pages in swap, and the location of their bytes.

use kernel::{
    mm::{
        page_state::{
            PageFlag,
            PageKind,
            PageState, //
        },
        shmem::{
            ShmemFile,
            SwapRun,
            SwapSlot, //
        },
        swap::Backing, //
    },
    prelude::*, //
};

use super::{
    shmem::states_of_run,
    sparse::WINDOW_PAGES, //
};

/// The state of a page, and the location of the bytes of a page in swap.
#[derive(Clone, Copy)]
pub(crate) struct SlotState {
    /// The state of the page.
    pub(crate) page: PageState,
    /// The location of the bytes; [`Backing::None`] if the page is not in swap.
    pub(crate) backing: Backing,
}

impl SlotState {
    /// The state of a page that is not mapped.
    pub(crate) const UNMAPPED: Self = Self {
        page: PageState::UNMAPPED,
        backing: Backing::None,
    };

    /// Returns the page's swap slot.
    pub(crate) fn slot(&self) -> Option<SwapSlot> {
        slot(&self.page)
    }
}

fn slot(page: &PageState) -> Option<SwapSlot> {
    (page.kind == PageKind::Swap).then_some(SwapSlot {
        swap_type: page.swap_type,
        offset: page.frame,
    })
}

/// Fills `states` with pages that `decode` decodes, and looks up the slots of those in swap.
/// `scratch` is memory of at least the same length.
///
/// A slot may be freed and reused before it is looked up. So the pages are decoded again: the slot
/// was that of the page if the page still has it. A page that has got another slot was written to
/// that slot meanwhile, and was in the swap cache then.
///
/// # Errors
///
/// - [`EINVAL`]: `scratch` is too short.
/// - Those of `decode`.
pub(crate) fn slot_states(
    states: &mut [SlotState],
    scratch: &mut [PageState],
    mut decode: impl FnMut(&mut [PageState]) -> Result,
) -> Result {
    let pages = scratch.get_mut(..states.len()).ok_or(EINVAL)?;
    let mut swapped = false;

    decode(pages)?;
    for (state, &page) in states.iter_mut().zip(&*pages) {
        let slot = slot(&page);

        swapped |= slot.is_some();
        *state = SlotState {
            page,
            backing: slot.map_or(Backing::None, |slot| slot.backing()),
        };
    }
    if !swapped {
        return Ok(());
    }
    decode(pages)?;
    for (state, &page) in states.iter_mut().zip(&*pages) {
        if slot(&page).is_some_and(|slot| state.slot() != Some(slot)) {
            state.backing = Backing::Cache;
        }
        state.page = page;
    }
    Ok(())
}

/// Sets the states of those pages of a file that are in swap; `states` begins with that of page
/// number `first`. The others are [`PageState::UNMAPPED`].
fn file_states(file: &ShmemFile, first: usize, states: &mut [PageState]) {
    let mut runs = [SwapRun::EMPTY; 16];
    let last = first.saturating_add(states.len().saturating_sub(1));
    let mut range = first..=last;

    states.fill(PageState::UNMAPPED);
    while !range.is_empty() {
        for run in file.mapping().swap_runs(&mut range, &mut runs) {
            for (state, page) in states_of_run(states, first, run.index, run.pages) {
                state.kind = PageKind::Swap;
                state.flags = PageFlag::File.into();
                state.swap_type = run.slot.swap_type;
                state.frame = run.slot.offset + page;
            }
        }
    }
}

/// A walk through the pages of a file that are in swap. Others cost next to nothing.
pub(crate) struct FileSlots {
    page: usize,
    states: KVec<SlotState>,
    scratch: KVec<PageState>,
}

impl FileSlots {
    /// Returns a walk from the first page on.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            page: 0,
            states: KVec::from_elem(SlotState::UNMAPPED, WINDOW_PAGES, GFP_KERNEL)?,
            scratch: KVec::from_elem(PageState::UNMAPPED, WINDOW_PAGES, GFP_KERNEL)?,
        })
    }

    /// Finds the next window, and returns the number of its first page and its states; none where
    /// nothing was found. [`None`] at the end of the file.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`]: does not happen.
    pub(crate) fn step(&mut self, file: &ShmemFile) -> Result<Option<(usize, &[SlotState])>> {
        let mut range = self.page..=usize::MAX;

        match file.mapping().next_swapped(&mut range) {
            Some(first) => {
                slot_states(&mut self.states, &mut self.scratch, |pages| {
                    file_states(file, first, pages);
                    Ok(())
                })?;
                // The last page that a file can have is far below the last number.
                self.page = first.saturating_add(WINDOW_PAGES);
                Ok(Some((first, &self.states)))
            }
            None if range.is_empty() => Ok(None),
            None => {
                self.page = *range.start();
                Ok(Some((self.page, &[])))
            }
        }
    }
}
