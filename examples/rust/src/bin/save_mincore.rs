// SPDX-License-Identifier: GPL-2.0

//! Pages of shared memory that are in memory, by mincore() of a mapping. Some programs of today
//! take them for the pages that a checkpoint must save. That is right without swap only: a page
//! in swap is left out, and its data is lost.

use anyhow::{Context, Result};
use save_examples::sys::Mapping;
use save_examples::{PAGE, Runs, file};

/// Pages in a call.
const PAGES: usize = 4096;

fn main() -> Result<()> {
    let (file, size) = file()?;
    let mut runs = Runs::default();

    if size > 0 {
        let mapping = Mapping::new(&file, size).context("mmap")?;
        let pages = usize::try_from(size / PAGE)?;
        for first in (0..pages).step_by(PAGES) {
            add(&mapping, first, PAGES.min(pages - first), &mut runs)?;
        }
    }
    runs.done();
    Ok(())
}

/// Adds those of `pages` pages from `first` on that are in memory.
fn add(mapping: &Mapping, first: usize, pages: usize, runs: &mut Runs) -> Result<()> {
    let mut states = [0; PAGES];

    mapping
        .mincore(first, &mut states[..pages])
        .context("mincore")?;
    for (page, state) in (first as u64..).zip(&states[..pages]) {
        if state & 1 != 0 {
            runs.add(page * PAGE, (page + 1) * PAGE);
        }
    }
    Ok(())
}
