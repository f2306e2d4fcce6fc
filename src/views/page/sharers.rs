// SPDX-License-Identifier: GPL-2.0

//! The processes and addresses that have a page.

use kernel::{
    mm::{
        page_state::{
            PageFlag,
            PageKind,
            PageState, //
        },
        rmap::Mapping,
        shmem::SwapSlot,
        spaces::AddressSpace,
        Mm, //
    },
    page::PAGE_SIZE,
    prelude::*,
    task::{
        cond_resched,
        Pid, //
    },
};

use crate::walk::{
    with_window,
    Entries,
    Sparse,
    Step,
    Wanted, //
};

/// The most mappings that are listed.
pub(super) const MAPPINGS_MAX: usize = 8192;

/// A process, in the reader's PID namespace, and the page's address there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sharer {
    /// 0 if no process that is visible in the namespace has the address space.
    pub(super) pid: Pid,
    pub(super) addr: usize,
}

/// Each address space once, with the oldest visible process that has it; 0 if there is none.
struct Processes<'a>(KVVec<(&'a Mm, Pid)>);

fn key(mm: &Mm) -> usize {
    core::ptr::from_ref(mm).addr()
}

impl<'a> Processes<'a> {
    /// `spaces` begins with that of the oldest process.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    fn new(spaces: &'a [AddressSpace]) -> Result<Self> {
        let mut all = KVVec::with_capacity(spaces.len(), GFP_KERNEL)?;
        let mut distinct: KVVec<(&Mm, Pid)> = KVVec::new();

        for (age, space) in spaces.iter().enumerate() {
            all.push((&*space.mm, space.pid == 0, age, space.pid), GFP_KERNEL)?;
        }
        all.sort_unstable_by_key(|&(mm, invisible, age, _)| (key(mm), invisible, age));
        for &(mm, _, _, pid) in &all {
            if distinct
                .last()
                .is_none_or(|&(last, _)| key(last) != key(mm))
            {
                distinct.push((mm, pid), GFP_KERNEL)?;
            }
        }
        Ok(Self(distinct))
    }

    /// Returns the process that has an address space.
    fn pid_of(&self, mm: &Mm) -> Pid {
        self.0
            .binary_search_by_key(&key(mm), |&(mm, _)| key(mm))
            .ok()
            .and_then(|index| self.0.get(index))
            .map_or(0, |&(_, pid)| pid)
    }
}

/// Returns the processes of mappings, in order.
///
/// # Errors
///
/// - [`ENOMEM`]: out of memory.
pub(super) fn of_mappings(mappings: &[Mapping], spaces: &[AddressSpace]) -> Result<KVec<Sharer>> {
    let processes = Processes::new(spaces)?;
    let mut sharers = KVec::with_capacity(mappings.len(), GFP_KERNEL)?;

    for &Mapping { ref mm, addr } in mappings {
        let pid = processes.pid_of(mm);

        sharers.push(Sharer { pid, addr }, GFP_KERNEL)?;
    }
    sharers.sort_unstable();
    Ok(sharers)
}

/// Returns whether an entry has a swap slot.
fn has_slot(page: &PageState, slot: SwapSlot) -> bool {
    page.kind == PageKind::Swap
        && !page.flags.contains(PageFlag::File)
        && page.swap_type == slot.swap_type
        && page.frame == slot.offset
}

/// Returns the page table entries that have a swap slot, in order, at most [`MAPPINGS_MAX`];
/// `references` is their number.
///
/// A slot has no reverse mapping. Sharers come from forks, and most keep the page at its address
/// `addr`. If not all are found there, all entries of all address spaces are read, as by swapoff.
///
/// # Errors
///
/// - [`EINTR`]: a fatal signal arrived.
/// - [`ENOMEM`]: out of memory.
pub(super) fn of_slot(
    slot: SwapSlot,
    references: usize,
    addr: usize,
    spaces: &[AddressSpace],
) -> Result<KVec<Sharer>> {
    let processes = Processes::new(spaces)?;
    let wanted = references.min(MAPPINGS_MAX);
    let mut sharers = KVec::new();

    for &(mm, pid) in &processes.0 {
        let mut state = [PageState::UNMAPPED];
        let window = with_window(mm, addr / PAGE_SIZE, &mut state, |mm, addr, state| {
            mm.page_states(addr, state)
        })?;

        if window.is_some() && has_slot(&state[0], slot) {
            add(&mut sharers, Sharer { pid, addr })?;
        }
    }
    if sharers.len() < wanted {
        sharers.clear();
        for &(mm, pid) in &processes.0 {
            search(mm, slot, pid, &mut sharers)?;
        }
    }
    sharers.sort_unstable();
    Ok(sharers)
}

/// Adds a sharer if there is room.
fn add(sharers: &mut KVec<Sharer>, sharer: Sharer) -> Result {
    if sharers.len() < MAPPINGS_MAX {
        sharers.push(sharer, GFP_KERNEL)?;
    }
    Ok(())
}

/// Adds all entries of an address space that have the slot.
fn search(mm: &Mm, slot: SwapSlot, pid: Pid, sharers: &mut KVec<Sharer>) -> Result {
    let wanted = Wanted {
        private: Entries::Softleaf,
        shared: Entries::None,
        hugetlb: false,
        shmem_swap: false,
    };
    let mut walk = Sparse::new(wanted, PageState::UNMAPPED)?;

    loop {
        let step = walk.step(mm, |mm, start, states| mm.page_states(start, states))?;
        let Step::Window { start, states, .. } = step else {
            return Ok(());
        };

        for (addr, state) in (start..).step_by(PAGE_SIZE).zip(states) {
            if has_slot(state, slot) {
                add(sharers, Sharer { pid, addr })?;
            }
        }
        cond_resched();
    }
}
