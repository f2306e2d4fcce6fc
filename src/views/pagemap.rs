// SPDX-License-Identifier: GPL-2.0

//! `PID/pagemap`.

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
    files::Pages,
    walk, //
};

/// `/proc/PID/pagemap`, with the swap slots of shared memory.
pub(crate) struct Pagemap(pub(crate) ARef<Mm>);

impl Pages for Pagemap {
    type State = PageState;
    const SCRATCH: PageState = PageState::UNMAPPED;

    fn fill(&self, page: usize, states: &mut [PageState], entries: &mut [u64]) -> Result<usize> {
        let window = walk::with_window(&self.0, page, states, walk::page_states)?;
        let Some((pages, walked)) = window else {
            return Ok(0);
        };

        match states.first() {
            Some(state) if walked.uniform && !walked.shmem_swap => {
                entries.fill(entry::pagemap(state));
            }
            _ => entry::encode(states, entries, entry::pagemap),
        }
        Ok(pages)
    }
}
