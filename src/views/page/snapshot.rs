// SPDX-License-Identifier: GPL-2.0

//! All that is known of a page at one moment.

use kernel::{
    mm::{
        anon_state::{
            AnonFlag,
            AnonState, //
        },
        folio::{
            drain_lru,
            FolioRef, //
        },
        page_state::{
            PageFlag,
            PageKind,
            PageState, //
        },
        shmem::SwapSlot,
        spaces::address_spaces,
        swap::Backing,
        Mm, //
    },
    page::PAGE_MASK,
    prelude::*, //
};

use super::{
    facts::{
        vma_at,
        Facts,
        Vma, //
    },
    sharers::{
        self,
        Sharer,
        MAPPINGS_MAX, //
    },
};

use crate::{
    entry,
    walk, //
};

/// Attempts to read all facts while none of them changes.
const ATTEMPTS: u32 = 32;

/// The facts about the page at an address.
pub(super) struct Snapshot {
    pub(super) addr: usize,
    pub(super) vma: Option<Vma>,
    pub(super) state: AnonState,
    /// The entry of `PID/pagemap`.
    pub(super) pagemap: u64,
    /// The entry of `PID/exclusive`.
    pub(super) exclusive: u64,
    pub(super) folio: Option<FolioRef>,
    /// The folio that the swap cache has for a swap entry.
    cached: Option<FolioRef>,
    /// The swap slot of the page, and the location of its bytes.
    pub(super) slot: Option<(SwapSlot, Backing)>,
    pub(super) sharers: KVec<Sharer>,
    /// The number of mappings, of which at most [`MAPPINGS_MAX`] are listed.
    pub(super) mappings: usize,
    swap_references: u32,
    mm_has_pinned: bool,
    /// The page never stood still.
    pub(super) unstable: bool,
}

/// The part of a snapshot that the page table has.
struct Tables {
    vma: Option<Vma>,
    /// According to the page table alone.
    state: AnonState,
    /// With the swap slot that a shmem file has.
    complete: AnonState,
    folio: Option<FolioRef>,
}

impl Tables {
    /// Reads the page table; [`None`] if the address space is gone.
    fn read(mm: &Mm, addr: usize) -> Result<Option<Self>> {
        let Some(mm) = mm.mmget_not_zero() else {
            return Ok(None);
        };
        let guard = mm.mmap_read_lock_killable()?;
        let unmapped = AnonState::of(PageState::UNMAPPED);
        let (mut state, mut complete) = ([unmapped], [unmapped]);

        if addr >= mm.task_size() {
            return Ok(Some(Self {
                vma: None,
                state: unmapped,
                complete: unmapped,
                folio: None,
            }));
        }
        guard.anon_states(addr, &mut state)?;
        walk::anon_states(&guard, addr, &mut complete, &mut [PageState::UNMAPPED])?;
        Ok(Some(Self {
            vma: vma_at(&guard, addr),
            folio: guard.folio_at(addr),
            state: state[0],
            complete: complete[0],
        }))
    }

    /// Returns whether the states and the folio belong together.
    fn consistent(&self) -> bool {
        let same = self.state.page == self.complete.page
            || self.state.page.is_vacant() && self.complete.page.kind == PageKind::Swap;
        let frame = self.folio.as_ref().map(|folio| folio.facts().frame);
        let present = self.state.page.kind == PageKind::Present;

        same && match frame {
            Some(frame) => present && frame == self.state.page.frame,
            None => !present || self.state.references == 0,
        }
    }

    /// Returns the page's swap slot if the page is in swap.
    fn slot(&self) -> Option<SwapSlot> {
        let page = &self.complete.page;

        (page.kind == PageKind::Swap).then_some(SwapSlot {
            swap_type: page.swap_type,
            offset: page.frame,
        })
    }
}

impl Snapshot {
    /// Takes a snapshot; [`None`] if the address space is gone.
    ///
    /// # Errors
    ///
    /// - [`EINTR`]: a fatal signal arrived.
    /// - [`ENOMEM`]: out of memory.
    pub(super) fn take(mm: &Mm, addr: usize) -> Result<Option<Self>> {
        let addr = addr & PAGE_MASK;

        drain_lru();
        for attempt in 1..=ATTEMPTS {
            let Some(tables) = Tables::read(mm, addr)? else {
                return Ok(None);
            };
            let consistent = tables.consistent();
            let last = attempt == ATTEMPTS;

            if !consistent && !last {
                continue;
            }
            let mut snapshot = Self::complete(mm, addr, tables)?;
            let Some(again) = Tables::read(mm, addr)? else {
                return Ok(None);
            };
            let same = again.complete.page == snapshot.state.page;
            if last || consistent && same && !snapshot.unstable {
                snapshot.unstable |= !consistent || !same;
                return Ok(Some(snapshot));
            }
        }
        Ok(None)
    }

    /// Adds what is known elsewhere.
    fn complete(mm: &Mm, addr: usize, tables: Tables) -> Result<Self> {
        let swapped = tables.slot();
        let anon_slot = swapped.filter(|_| !tables.complete.page.flags.contains(PageFlag::File));
        let cached = anon_slot.and_then(|slot| {
            FolioRef::in_swap_cache(slot).filter(|folio| folio.facts().slot == Some(slot))
        });
        let slot = swapped.or(tables.folio.as_ref().and_then(|folio| folio.facts().slot));
        let mut snapshot = Self {
            addr,
            pagemap: entry::pagemap(&tables.complete.page),
            exclusive: entry::exclusive(&tables.state),
            state: tables.complete,
            vma: tables.vma,
            folio: tables.folio,
            cached,
            slot: slot.map(|slot| (slot, slot.backing())),
            sharers: KVec::new(),
            mappings: 0,
            swap_references: 0,
            mm_has_pinned: mm.has_pinned(),
            unstable: false,
        };

        if let Some(folio) = &snapshot.folio {
            match folio.mappings(MAPPINGS_MAX) {
                Ok(found) => {
                    snapshot.mappings = found.total;
                    snapshot.swap_references = found.swap_references;
                    snapshot.sharers = sharers::of_mappings(&found.list, &address_spaces()?)?;
                }
                Err(EAGAIN) => snapshot.unstable = true,
                Err(err) => return Err(err),
            }
        } else if let Some(slot) = anon_slot {
            let references = usize::try_from(snapshot.state.swap_references)?;

            snapshot.mappings = references;
            snapshot.sharers = sharers::of_slot(slot, references, addr, &address_spaces()?)?;
        }
        Ok(snapshot)
    }

    /// Returns the facts that decide about writes and forks.
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            vma: self.vma.as_ref(),
            state: &self.state,
            folio: self.folio.as_ref().map(FolioRef::facts),
            cached: self.cached.as_ref().map(FolioRef::facts),
            swap_references: self.swap_references,
            mm_has_pinned: self.mm_has_pinned,
        }
    }

    /// Returns whether the page belongs to anonymous memory, mapped or in swap.
    pub(super) fn is_anon(&self) -> bool {
        self.state.is_anon() && !self.state.flags.contains(AnonFlag::Ksm)
    }
}
