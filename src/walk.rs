// SPDX-License-Identifier: GPL-2.0

//! Page tables and page cache, read as plain states.
//!
//! [`with_window`] decodes the window that the caller names; [`Sparse`] visits the populated parts
//! of an address space one after the other; [`AddressSlots`] and [`FileSlots`] visit those in swap.

mod locator;
mod runs;
mod shmem;
mod slots;
mod sparse;
mod swapped;
mod window;

pub(crate) use {
    shmem::{
        anon_states,
        states_of_run, //
    },
    slots::Located,
    sparse::{
        Entries,
        Sparse,
        Step,
        Wanted,
        WINDOW_PAGES, //
    },
    swapped::{
        AddressSlots,
        FileSlots, //
    },
    window::with_window,
};
