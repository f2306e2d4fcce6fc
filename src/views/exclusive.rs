// SPDX-License-Identifier: GPL-2.0

//! The view `PID/exclusive`.

use kernel::{
    mm::{
        anon_state::AnonState,
        page_state::PageState,
        Mm, //
    },
    prelude::*,
    sync::aref::ARef, //
};

use crate::{
    entry,
    reader::Pages,
    space, //
};

/// Which pages of an address space are exclusive, and what decides that they may be.
pub(crate) struct Exclusive(pub(crate) ARef<Mm>);

impl Pages for Exclusive {
    type State = AnonState;
    const SCRATCH: AnonState = AnonState::of(PageState::UNMAPPED);

    fn fill(&self, page: usize, states: &mut [AnonState], entries: &mut [u64]) -> Result<usize> {
        let looked_at = space::look_at(&self.0, page, states, |mm, addr, states| {
            mm.anon_states(addr, states)
        })?;
        let Some((pages, _)) = looked_at else {
            return Ok(0);
        };

        for (entry, state) in entries.iter_mut().zip(&*states) {
            *entry = entry::exclusive(state);
        }
        Ok(pages)
    }
}
