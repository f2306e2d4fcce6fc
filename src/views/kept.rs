// SPDX-License-Identifier: GPL-2.0

//! `PID/kept`: the pages in memory that keep a swap slot, as runs.

use kernel::{
    mm::{
        anon_state::{
            AnonFlag,
            AnonState, //
        },
        page_state::{
            PageKind,
            PageState, //
        },
        shmem::SwapSlot,
        swap::Backing,
        Mm,
        MmapReadGuard, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::aref::ARef, //
};

use crate::{
    files::{
        Lines,
        Text, //
    },
    walk::{
        Entries,
        Located,
        Sparse,
        Step,
        Wanted,
        WINDOW_PAGES, //
    },
};

use super::run::Runs;

/// `PID/kept`: a page that was read back is in the swap cache, and no page table has its slot.
pub(crate) struct Kept(pub(crate) ARef<Mm>);

/// The position in an address space.
pub(crate) struct Cursor {
    walk: Sparse<PageState>,
    scratch: KVec<AnonState>,
    runs: Runs,
}

/// The location of the bytes of all pages.
static CACHED: [Backing; WINDOW_PAGES] = [Backing::Cache; WINDOW_PAGES];

/// Returns the state of a page with its slot, as if it were in swap.
fn with_slot(slot: SwapSlot) -> PageState {
    PageState {
        kind: PageKind::Swap,
        swap_type: slot.swap_type,
        frame: slot.offset,
        ..PageState::UNMAPPED
    }
}

/// Fills `states` with the slots that pages from `start` on keep. The flag tells which pages to look
/// at; their folios have the slots.
fn kept(
    mm: &MmapReadGuard<'_>,
    start: usize,
    states: &mut [PageState],
    scratch: &mut [AnonState],
) -> Result {
    let pages = scratch.get_mut(..states.len()).ok_or(EINVAL)?;

    mm.anon_states(start, pages)?;
    for ((state, page), addr) in states
        .iter_mut()
        .zip(&*pages)
        .zip((start..).step_by(PAGE_SIZE))
    {
        let cached =
            page.page.kind == PageKind::Present && page.flags.contains(AnonFlag::SwapCache);
        let folio = cached.then(|| mm.folio_at(addr)).flatten();
        let slot = folio.and_then(|folio| folio.facts().slot);

        *state = slot.map_or(PageState::UNMAPPED, with_slot);
    }
    Ok(())
}

impl Lines for Kept {
    type Cursor = Cursor;

    fn begin(&self) -> Result<Cursor> {
        let wanted = Wanted {
            private: Entries::Populated,
            shared: Entries::None,
            hugetlb: false,
            shmem_swap: false,
        };

        Ok(Cursor {
            walk: Sparse::new(wanted, PageState::UNMAPPED)?,
            scratch: KVec::from_elem(AnonState::of(PageState::UNMAPPED), WINDOW_PAGES, GFP_KERNEL)?,
            runs: Runs::new(PAGE_SIZE),
        })
    }

    fn step(&self, cursor: &mut Cursor, text: &mut Text) -> Result<bool> {
        let Cursor {
            walk,
            scratch,
            runs,
        } = cursor;
        let decoded = walk.step(&self.0, |mm, start, states| {
            kept(mm, start, states, scratch)
        })?;

        match decoded {
            Step::Window { start, states, .. } => {
                let backings = CACHED.get(..states.len()).ok_or(EINVAL)?;
                Located::among(start / PAGE_SIZE, states, backings, |located| {
                    runs.add_located(located, text)
                })?;
                return Ok(true);
            }
            Step::End => runs.finish(text)?,
            Step::Gone => {
                runs.finish(text)?;
                text.append_gone()?;
            }
        }
        Ok(false)
    }
}
