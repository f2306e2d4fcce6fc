// SPDX-License-Identifier: GPL-2.0

//! `files/ID/filemap`.

use kernel::{
    mm::{
        page_state::{
            PageFlag,
            PageKind,
            PageState, //
        },
        shmem::{
            CachedRun,
            Content,
            ShmemFile, //
        },
    },
    prelude::*,
    sync::Arc, //
};

use crate::{
    entry,
    files::Pages,
    walk, //
};

/// The number of runs that one look-up in the page cache may return.
const RUNS: usize = 32;

/// The file's own state of its pages, mapped or not.
pub(crate) struct Filemap(pub(crate) Arc<ShmemFile>);

impl Filemap {
    /// Returns whether the file has pages from number `page` on. Pages behind its size can have
    /// been allocated ahead.
    fn has_pages_from(&self, page: usize) -> bool {
        let mut run = [CachedRun::EMPTY];

        !self
            .0
            .mapping()
            .cached_runs(&mut (page..=usize::MAX), &mut run)
            .is_empty()
    }

    /// Returns how many of `pages` pages from number `page` on are inside the file.
    fn pages_in_file(&self, page: usize, pages: usize) -> usize {
        let size = self.0.pages();

        match page.checked_add(pages) {
            Some(end) if end <= size => pages,
            Some(end) if self.has_pages_from(end) => pages,
            None => 0,
            Some(end) => {
                let populated = (page.max(size)..end)
                    .rev()
                    .find(|&last| self.has_pages_from(last));
                populated.map_or(size.saturating_sub(page), |last| last + 1 - page)
            }
        }
    }
}

/// Sets the states of the pages of a run; `states` begins with that of page number `first`.
fn fill_run(run: &CachedRun, first: usize, states: &mut [PageState]) {
    for (state, page) in walk::states_of_run(states, first, run.index, run.pages) {
        state.flags = PageFlag::File.into();
        match run.content {
            Content::Resident(pfn) => {
                state.kind = PageKind::Present;
                state.frame = pfn + page;
            }
            Content::Swapped(slot) => {
                state.kind = PageKind::Swap;
                state.swap_type = slot.swap_type;
                state.frame = slot.offset + page;
            }
            Content::Lost => *state = PageState::UNMAPPED,
        }
    }
}

impl Pages for Filemap {
    type State = PageState;
    const SCRATCH: PageState = PageState::UNMAPPED;

    fn fill(&self, page: usize, states: &mut [PageState], entries: &mut [u64]) -> Result<usize> {
        let pages = self.pages_in_file(page, states.len());
        let Some(states) = states.get_mut(..pages).filter(|states| !states.is_empty()) else {
            return Ok(0);
        };
        let mut range = page..=page + (pages - 1);
        let mut runs = [CachedRun::EMPTY; RUNS];

        states.fill(PageState::UNMAPPED);
        while !range.is_empty() {
            for run in self.0.mapping().cached_runs(&mut range, &mut runs) {
                fill_run(run, page, states);
            }
        }
        entry::encode(states, entries, entry::pagemap);
        Ok(pages)
    }
}
