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
    Sparse,
    Step,
    Wanted, //
};

/// A process, in the reader's PID namespace, and the page's address there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sharer {
    /// 0 if no process that is visible in the namespace has the address space.
    pub(super) pid: Pid,
    pub(super) addr: usize,
}

fn same(a: &Mm, b: &Mm) -> bool {
    core::ptr::eq(a, b)
}

/// Returns the oldest visible process that has an address space.
fn pid_of(mm: &Mm, spaces: &[AddressSpace]) -> Pid {
    spaces
        .iter()
        .find(|space| space.pid != 0 && same(&space.mm, mm))
        .map_or(0, |space| space.pid)
}

/// Adds a sharer, in order.
///
/// # Errors
///
/// - [`ENOMEM`]: out of memory.
fn add(sharers: &mut KVec<Sharer>, sharer: Sharer) -> Result {
    let (Ok(index) | Err(index)) = sharers.binary_search(&sharer);

    sharers.reserve(1, GFP_KERNEL)?;
    sharers
        .insert_within_capacity(index, sharer)
        .map_err(|_| ENOMEM)
}

/// Returns the processes of mappings, in order.
///
/// # Errors
///
/// - [`ENOMEM`]: out of memory.
pub(super) fn of_mappings(mappings: &[Mapping], spaces: &[AddressSpace]) -> Result<KVec<Sharer>> {
    let mut sharers = KVec::with_capacity(mappings.len(), GFP_KERNEL)?;

    for mapping in mappings {
        let pid = pid_of(&mapping.mm, spaces);

        let addr = mapping.addr;

        add(&mut sharers, Sharer { pid, addr })?;
    }
    Ok(sharers)
}

/// Returns whether an entry has a swap slot.
fn has_slot(page: &PageState, slot: SwapSlot) -> bool {
    page.kind == PageKind::Swap
        && !page.flags.contains(PageFlag::File)
        && page.swap_type == slot.swap_type
        && page.frame == slot.offset
}

/// Returns the page table entries that have a swap slot, in order; `references` is their number.
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
    let mut sharers = KVec::new();

    for mm in distinct(spaces) {
        let mut state = [PageState::UNMAPPED];
        let window = with_window(mm, addr / PAGE_SIZE, &mut state, |mm, addr, state| {
            mm.page_states(addr, state)
        })?;

        if window.is_some() && has_slot(&state[0], slot) {
            let pid = pid_of(mm, spaces);
            add(&mut sharers, Sharer { pid, addr })?;
        }
    }
    if sharers.len() < references {
        sharers.clear();
        for mm in distinct(spaces) {
            search(mm, slot, pid_of(mm, spaces), &mut sharers)?;
        }
    }
    Ok(sharers)
}

/// Returns each address space once.
fn distinct(spaces: &[AddressSpace]) -> impl Iterator<Item = &Mm> {
    spaces.iter().enumerate().filter_map(|(i, space)| {
        let repeated = spaces
            .iter()
            .take(i)
            .any(|earlier| same(&earlier.mm, &space.mm));

        (!repeated).then_some(&*space.mm)
    })
}

/// Adds all entries of an address space that have the slot.
fn search(mm: &Mm, slot: SwapSlot, pid: Pid, sharers: &mut KVec<Sharer>) -> Result {
    let wanted = Wanted {
        private: true,
        shared: false,
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
