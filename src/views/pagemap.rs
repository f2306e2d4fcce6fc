// SPDX-License-Identifier: GPL-2.0

//! `PID/pagemap`.

use kernel::{
    mm::Mm,
    prelude::*,
    sync::aref::ARef, //
};

use crate::{
    files::Pages,
    walk, //
};

/// `/proc/PID/pagemap`, with the swap slots of shared memory.
pub(crate) struct Pagemap(pub(crate) ARef<Mm>);

impl Pages for Pagemap {
    type State = ();
    const SCRATCH: () = ();

    fn fill(&self, page: usize, _states: &mut [()], entries: &mut [u64]) -> Result<usize> {
        let window = walk::with_window(&self.0, page, entries, |mm, addr, entries| {
            mm.pagemap_entries(addr, entries)
        })?;

        Ok(window.map_or(0, |(pages, ())| pages))
    }
}
