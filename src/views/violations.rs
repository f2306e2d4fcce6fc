// SPDX-License-Identifier: GPL-2.0

//! `PID/violations`: the pages that break an invariant of [`rules`](crate::rules).

use kernel::{
    mm::{
        anon_state::AnonState,
        page_state::PageState,
        Mm, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::aref::ARef, //
};

use crate::{
    files::{
        Lines,
        Text, //
    },
    rules,
    walk::{
        Entries,
        Sparse,
        Step,
        Wanted, //
    },
};

/// `PID/violations`.
pub(crate) struct Violations(pub(crate) ARef<Mm>);

/// Appends a line for each rule that the page at `addr` breaks.
fn write(addr: usize, state: &AnonState, text: &mut Text) -> Result {
    for (rule, verdict) in rules::broken(state) {
        let name = rule.name;
        let verdict = verdict.name();
        let frame = state.page.frame;
        let AnonState {
            references,
            mappings,
            swap_references,
            ..
        } = state;

        text.append(fmt!(
            "{addr:x} {name} {verdict}: frame {frame:x}, {references} references, \
             {mappings} mappings, {swap_references} swap references\n"
        ))?;
    }
    Ok(())
}

impl Lines for Violations {
    type Cursor = Sparse<AnonState>;

    fn begin(&self) -> Result<Self::Cursor> {
        let wanted = Wanted {
            private: Entries::Populated,
            shared: Entries::None,
            hugetlb: true,
            shmem_swap: false,
        };

        Sparse::new(wanted, AnonState::of(PageState::UNMAPPED))
    }

    fn step(&self, walk: &mut Sparse<AnonState>, text: &mut Text) -> Result<bool> {
        let decoded = walk.step(&self.0, |mm, start, states| mm.anon_states(start, states))?;

        match decoded {
            Step::Window { start, states, .. } => {
                for (addr, state) in (start..).step_by(PAGE_SIZE).zip(states) {
                    write(addr, state, text)?;
                }
                return Ok(true);
            }
            Step::End => (),
            Step::Gone => text.append_gone()?,
        }
        Ok(false)
    }
}
