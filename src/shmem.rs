// SPDX-License-Identifier: GPL-2.0

//! What page tables cannot tell of shared memory: the slots of its pages in swap.

use kernel::{
    mm::{
        page_state::{
            PageFlag,
            PageKind,
            PageState, //
        },
        shmem::SwapRun,
        virt::VmaRef,
        MmapReadGuard, //
    },
    page::PAGE_SHIFT, //
};

/// How many runs to ask for at a time.
const RUNS: usize = 32;

/// Completes the states of the pages from address `start` on: where a page table leaves open what
/// is there, and the vma's shmem file has the page in swap, the state becomes that of a swap entry.
///
/// The page tables were looked at before. What is filled in was true when the file was looked at,
/// later: a page that is in swap is mapped by nobody, so for a shared mapping no entry that the page
/// table may have got meanwhile could say otherwise.
pub(crate) fn fill(mm: &MmapReadGuard<'_>, start: usize, states: &mut [PageState]) {
    let end = start + (states.len() << PAGE_SHIFT);
    let mut addr = start;

    while let Some(vma) = mm.find_vma(addr).filter(|vma| vma.start() < end) {
        let first = vma.start().max(start);
        let last = vma.end().min(end);

        if let Some(states) =
            states.get_mut((first - start) >> PAGE_SHIFT..(last - start) >> PAGE_SHIFT)
        {
            fill_vma(vma, first, states);
        }
        addr = last;
        if addr >= end {
            break;
        }
    }
}

/// Does the same for pages of one vma.
fn fill_vma(vma: &VmaRef, addr: usize, states: &mut [PageState]) {
    let Some(shmem) = vma.shmem() else {
        return;
    };
    if states.is_empty() || shmem.swapped_pages() == 0 {
        return;
    }

    let first = vma.page_index(addr);
    let mut range = first..=first + (states.len() - 1);
    let mut runs = [SwapRun::EMPTY; RUNS];

    while !range.is_empty() {
        for run in shmem.swap_runs(&mut range, &mut runs) {
            fill_run(run, first, states);
        }
    }
}

/// Fills in the pages of one run; `first` is the index that the first state is for.
fn fill_run(run: &SwapRun, first: usize, states: &mut [PageState]) {
    // The entry that the run begins with may be a large one that begins before the states do.
    let skipped = first.saturating_sub(run.index);
    let Some(states) = states.get_mut((run.index + skipped) - first..) else {
        return;
    };

    for (state, page) in states.iter_mut().zip(skipped..run.pages) {
        if state.is_vacant() {
            state.kind = PageKind::Swap;
            state.swap_type = run.slot.swap_type;
            state.frame = run.slot.offset + page;
            state.flags |= PageFlag::File;
        }
    }
}
