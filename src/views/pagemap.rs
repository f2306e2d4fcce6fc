// SPDX-License-Identifier: GPL-2.0

//! The view `PID/pagemap`.

use kernel::{
    mm::{
        page_state::PageState,
        Mm, //
    },
    prelude::*,
    sync::aref::ARef, //
};

use crate::{
    entry,
    reader::Pages,
    shmem,
    space, //
};

/// `/proc/PID/pagemap`'s view of an address space, and the swap slots of shared memory.
pub(crate) struct Pagemap(pub(crate) ARef<Mm>);

impl Pages for Pagemap {
    type State = PageState;
    const SCRATCH: PageState = PageState::UNMAPPED;

    fn fill(&self, page: usize, states: &mut [PageState], entries: &mut [u64]) -> Result<usize> {
        let looked_at = space::look_at(&self.0, page, states, |mm, addr, states| {
            let walked = mm.page_states(addr, states)?;

            if walked.shmem_swap {
                shmem::complete(mm, addr, states);
            }
            Ok(walked.uniform && !walked.shmem_swap)
        })?;
        let Some((pages, uniform)) = looked_at else {
            return Ok(0);
        };

        match states.first() {
            Some(state) if uniform => entries.fill(entry::pagemap(state)),
            _ => {
                for (entry, state) in entries.iter_mut().zip(&*states) {
                    *entry = entry::pagemap(state);
                }
            }
        }
        Ok(pages)
    }
}
