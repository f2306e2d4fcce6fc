// SPDX-License-Identifier: GPL-2.0

//! Page tables and page cache, read as plain states.
//!
//! [`with_window`] decodes the window that the caller names; [`Sparse`] visits the populated parts
//! of an address space one after the other; [`slot_states`] looks up the swap slots.

mod shmem;
mod slots;
mod sparse;
mod window;

pub(crate) use {
    shmem::{
        anon_states,
        page_states,
        states_of_run, //
    },
    slots::{
        slot_states,
        FileSlots,
        SlotState, //
    },
    sparse::{
        Sparse,
        Step,
        Wanted,
        WINDOW_PAGES, //
    },
    window::with_window,
};
