// SPDX-License-Identifier: GPL-2.0

//! The swap slots of shared memory, which only the file's page cache has.

use kernel::{
    mm::{
        anon_state::AnonState,
        page_state::PageState,
        pagewalk::Walked,
        MmapReadGuard, //
    },
    page::PAGE_SHIFT,
    prelude::*, //
};

/// Decodes the pages from address `start` on, those of shmem that are in swap included.
///
/// # Errors
///
/// - [`EINVAL`]: `start` is on no page boundary, or `states` is empty.
pub(crate) fn page_states(
    mm: &MmapReadGuard<'_>,
    start: usize,
    states: &mut [PageState],
) -> Result<Walked> {
    let walked = mm.page_states(start, states)?;

    if walked.shmem_swap {
        complete(mm, start, states);
    }
    Ok(walked)
}

/// As [`page_states`], with the anonymous state of each page. `scratch` is memory of the same
/// length.
///
/// # Errors
///
/// - [`EINVAL`]: `start` is on no page boundary, or `states` is empty.
pub(crate) fn anon_states(
    mm: &MmapReadGuard<'_>,
    start: usize,
    states: &mut [AnonState],
    scratch: &mut [PageState],
) -> Result<Walked> {
    let walked = mm.anon_states(start, states)?;

    if walked.shmem_swap {
        for (page, state) in scratch.iter_mut().zip(&*states) {
            *page = state.page;
        }
        complete(mm, start, scratch);
        for (state, page) in states.iter_mut().zip(scratch) {
            state.page = *page;
        }
    }
    Ok(walked)
}

/// Makes swap entries of those states that the page table leaves open, where the VMA's shmem file
/// has the page in swap.
///
/// The page tables were decoded before; each state here was true at a later moment. For a shared
/// mapping the two cannot contradict each other: a page in swap is mapped by no page table.
fn complete(mm: &MmapReadGuard<'_>, start: usize, states: &mut [PageState]) {
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

/// Returns the states of the pages of a run, `pages` pages from number `index` on, each with its
/// number in the run. `states` begins with that of page number `first`.
pub(crate) fn states_of_run<S>(
    states: &mut [S],
    first: usize,
    index: usize,
    pages: usize,
) -> impl Iterator<Item = (&mut S, usize)> {
    let part = first.saturating_sub(index).min(pages)..pages;
    let begin = (index + part.start).checked_sub(first);

    begin
        .and_then(|begin| states.get_mut(begin..))
        .into_iter()
        .flatten()
        .zip(part)
}
