// SPDX-License-Identifier: GPL-2.0

//! The view `PID/pagemap`.

use kernel::{
    mm::{
        page_state::PageState,
        Mm, //
    },
    page::PAGE_SHIFT,
    prelude::*,
    sync::aref::ARef, //
};

use crate::{
    entry,
    reader::Pages,
    shmem, //
};

/// `/proc/PID/pagemap`'s view of an address space, and the swap slots of shared memory.
pub(crate) struct Pagemap(pub(crate) ARef<Mm>);

impl Pages for Pagemap {
    fn fill(&self, page: usize, states: &mut [PageState], entries: &mut [u64]) -> Result<usize> {
        let Some(mm) = self.0.mmget_not_zero() else {
            return Ok(0);
        };
        if page > usize::MAX >> PAGE_SHIFT {
            return Ok(0);
        }
        let guard = mm.mmap_read_lock_killable()?;
        let addr = guard.untagged_addr(page << PAGE_SHIFT);
        let pages = states
            .len()
            .min(mm.task_size().saturating_sub(addr) >> PAGE_SHIFT);
        let Some(states) = states.get_mut(..pages).filter(|states| !states.is_empty()) else {
            return Ok(0);
        };

        let walked = guard.page_states(addr, states)?;
        if walked.shmem_swap {
            shmem::complete(&guard, addr, states);
        }
        drop(guard);

        match states.first() {
            Some(state) if walked.uniform && !walked.shmem_swap => {
                entries.fill(entry::pagemap(state));
            }
            _ => {
                for (entry, state) in entries.iter_mut().zip(&*states) {
                    *entry = entry::pagemap(state);
                }
            }
        }
        Ok(pages)
    }
}
