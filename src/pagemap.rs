// SPDX-License-Identifier: GPL-2.0

//! The view `PID/pagemap`.

use kernel::{
    mm::{
        page_state::PageState,
        MmapReadGuard, //
    },
    prelude::*,
};

use crate::{
    entry,
    reader::View,
    shmem, //
};

/// `/proc/PID/pagemap`'s view, and the swap slots of shared memory.
pub(crate) struct Pagemap;

impl View for Pagemap {
    fn fill(
        mm: &MmapReadGuard<'_>,
        start: usize,
        states: &mut [PageState],
        entries: &mut [u64],
    ) -> Result {
        if mm.page_states(start, states)?.shmem_swap {
            shmem::fill(mm, start, states);
        }
        for (entry, state) in entries.iter_mut().zip(&*states) {
            *entry = entry::pagemap(state);
        }
        Ok(())
    }
}
