// SPDX-License-Identifier: GPL-2.0

//! The view `PID/violations`: the pages for which a rule of the exclusive bit does not hold.

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
    invariants,
    scan::{
        Scan,
        Wanted,
        WINDOW_PAGES, //
    },
    text::{
        Lines,
        Text,
        GONE, //
    },
};

/// How far an address space was checked.
pub(crate) struct Cursor {
    scan: Scan,
    states: KVec<AnonState>,
}

/// `PID/violations`.
pub(crate) struct Violations(pub(crate) ARef<Mm>);

/// Writes a line for each rule that a page breaks.
fn write(addr: usize, state: &AnonState, text: &mut Text) -> Result {
    for (rule, verdict) in invariants::broken(state) {
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
    type Cursor = Cursor;

    fn begin(&self) -> Result<Cursor> {
        Ok(Cursor {
            scan: Scan::new(Wanted {
                private: true,
                shared: false,
                hugetlb: true,
                shmem_swap: false,
            }),
            states: KVec::from_elem(AnonState::of(PageState::UNMAPPED), WINDOW_PAGES, GFP_KERNEL)?,
        })
    }

    fn step(&self, cursor: &mut Cursor, text: &mut Text) -> Result<bool> {
        let Some(mm) = self.0.mmget_not_zero() else {
            text.append(fmt!("{GONE}"))?;
            return Ok(false);
        };
        let guard = mm.mmap_read_lock_killable()?;
        let Some(place) = cursor.scan.next(&guard)? else {
            return Ok(false);
        };
        let start = place.start;
        let states = cursor.states.get_mut(..place.pages).ok_or(EINVAL)?;

        if !states.is_empty() {
            guard.anon_states(start, states)?;
        }
        drop(guard);

        for (addr, state) in (start..).step_by(PAGE_SIZE).zip(&*states) {
            write(addr, state, text)?;
        }
        Ok(true)
    }
}
