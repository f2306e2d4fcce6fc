// SPDX-License-Identifier: GPL-2.0

//! `PID/swapmap` and `files/ID/swapmap`: the pages in swap, as runs.

use kernel::{
    mm::{
        page_state::PageState,
        shmem::ShmemFile,
        Mm, //
    },
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
};

use crate::{
    files::{
        Lines,
        Text, //
    },
    walk::{
        self,
        FileSlots,
        SlotState,
        Sparse,
        Step,
        Wanted,
        WINDOW_PAGES, //
    },
};

use super::run::Runs;

/// `PID/swapmap`.
pub(crate) struct Swapmap(pub(crate) ARef<Mm>);

/// The position in an address space.
pub(crate) struct Cursor {
    walk: Sparse<SlotState>,
    scratch: KVec<PageState>,
    runs: Runs,
}

impl Lines for Swapmap {
    type Cursor = Cursor;

    fn begin(&self) -> Result<Cursor> {
        let wanted = Wanted {
            private: true,
            shared: false,
            hugetlb: false,
            shmem_swap: true,
        };

        Ok(Cursor {
            walk: Sparse::new(wanted, SlotState::UNMAPPED)?,
            scratch: KVec::from_elem(PageState::UNMAPPED, WINDOW_PAGES, GFP_KERNEL)?,
            runs: Runs::new(PAGE_SIZE),
        })
    }

    fn step(&self, cursor: &mut Cursor, text: &mut Text) -> Result<bool> {
        let Cursor {
            walk,
            scratch,
            runs,
        } = cursor;
        let decoded = walk.step(&self.0, |mm, start, states| {
            walk::slot_states(states, scratch, |pages| {
                walk::page_states(mm, start, pages).map(drop)
            })
        })?;

        match decoded {
            Step::Window { start, states, .. } => {
                runs.add_states(start >> PAGE_SHIFT, states, text)?;
                return Ok(true);
            }
            Step::End => runs.finish(text)?,
            Step::Gone => {
                runs.finish(text)?;
                text.append_gone()?;
            }
        }
        Ok(false)
    }
}

/// `files/ID/swapmap`.
pub(crate) struct FileSwapmap(pub(crate) Arc<ShmemFile>);

/// The position in a file.
pub(crate) struct FileCursor {
    walk: FileSlots,
    runs: Runs,
}

impl Lines for FileSwapmap {
    type Cursor = FileCursor;

    fn begin(&self) -> Result<FileCursor> {
        Ok(FileCursor {
            walk: FileSlots::new()?,
            runs: Runs::new(1),
        })
    }

    fn step(&self, cursor: &mut FileCursor, text: &mut Text) -> Result<bool> {
        match cursor.walk.step(&self.0)? {
            Some((first, states)) => cursor.runs.add_states(first, states, text).map(|()| true),
            None => cursor.runs.finish(text).map(|()| false),
        }
    }
}
