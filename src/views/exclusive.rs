// SPDX-License-Identifier: GPL-2.0

//! `PID/exclusive`.

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
    files::Pages,
    walk, //
};

/// The exclusive bit of each page, and the state that decides about it.
pub(crate) struct Exclusive(pub(crate) ARef<Mm>);

impl Pages for Exclusive {
    type State = AnonState;
    const SCRATCH: AnonState = AnonState::of(PageState::UNMAPPED);

    fn fill(&self, page: usize, states: &mut [AnonState], entries: &mut [u64]) -> Result<usize> {
        let window = walk::with_window(&self.0, page, states, |mm, addr, states| {
            mm.anon_states(addr, states)
        })?;
        let Some((pages, walked)) = window else {
            return Ok(0);
        };

        match states {
            [first, ..] if walked.uniform => entries.fill(entry::exclusive(first)),
            _ => entry::encode(states, entries, entry::exclusive),
        }
        Ok(pages)
    }
}
