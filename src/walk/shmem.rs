// SPDX-License-Identifier: GPL-2.0

//! What page tables cannot tell of shared memory: the slots of its pages in swap.

use kernel::{
    mm::{
        page_state::PageState,
        MmapReadGuard, //
    },
    page::PAGE_SHIFT, //
};

/// Completes the states of the pages from address `start` on: where a page table leaves open what
/// is there, and the vma's shmem file has the page in swap, the state becomes that of a swap entry.
///
/// The page tables were looked at before. What is filled in was true when the file was looked at,
/// later: a page that is in swap is mapped by nobody, so for a shared mapping no entry that the page
/// table may have got meanwhile could say otherwise.
pub(crate) fn complete(mm: &MmapReadGuard<'_>, start: usize, states: &mut [PageState]) {
    let end = start + (states.len() << PAGE_SHIFT);
    let mut addr = start;

    while addr < end {
        let Some(vma) = mm.find_vma(addr).filter(|vma| vma.start() < end) else {
            break;
        };
        let first = vma.start().max(start);
        let last = vma.end().min(end);

        if let (Some(shmem), Some(states)) = (
            vma.shmem().filter(|shmem| shmem.swapped_pages() != 0),
            states.get_mut((first - start) >> PAGE_SHIFT..(last - start) >> PAGE_SHIFT),
        ) {
            shmem.complete(vma.page_index(first), states);
        }
        addr = last;
    }
}
