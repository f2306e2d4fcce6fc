// SPDX-License-Identifier: GPL-2.0

//! Page tables and page cache, read as plain states.
//!
//! [`with_window`] decodes the window that the caller names; [`Sparse`] visits the populated parts
//! of an address space one after the other.

mod shmem;
mod sparse;
mod window;

pub(crate) use {
    shmem::{
        anon_states,
        clip,
        page_states, //
    },
    sparse::{
        Sparse,
        Step,
        Wanted,
        WINDOW_PAGES, //
    },
    window::with_window,
};
