// SPDX-License-Identifier: GPL-2.0

//! `PID/swapmap` and `files/ID/swapmap`: the pages in swap, as runs.

use kernel::{
    mm::{
        page_state::PageState,
        shmem::{
            ShmemFile,
            SwapRun, //
        },
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
        Sparse,
        Step,
        Wanted, //
    },
};

use super::run::{
    Run,
    Runs, //
};

/// `PID/swapmap`.
pub(crate) struct Swapmap(pub(crate) ARef<Mm>);

/// The position in an address space.
pub(crate) struct Cursor {
    walk: Sparse<PageState>,
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
            walk: Sparse::new(wanted, PageState::UNMAPPED)?,
            runs: Runs::new(PAGE_SIZE),
        })
    }

    fn step(&self, cursor: &mut Cursor, text: &mut Text) -> Result<bool> {
        let Cursor { walk, runs } = cursor;

        match walk.step(&self.0, walk::page_states)? {
            Step::Window { start, states, .. } => {
                for (page, state) in (start >> PAGE_SHIFT..).zip(states) {
                    if let Some(run) = Run::from_state(page, state) {
                        runs.add(run, text)?;
                    }
                }
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
    page: usize,
    runs: Runs,
}

impl Lines for FileSwapmap {
    type Cursor = FileCursor;

    fn begin(&self) -> Result<FileCursor> {
        Ok(FileCursor {
            page: 0,
            runs: Runs::new(1),
        })
    }

    fn step(&self, cursor: &mut FileCursor, text: &mut Text) -> Result<bool> {
        let mut range = cursor.page..=usize::MAX;
        let mut runs = [SwapRun::EMPTY; 32];

        for run in self.0.mapping().swap_runs(&mut range, &mut runs) {
            cursor.runs.add(Run::from_file(run, cursor.page), text)?;
        }
        if range.is_empty() {
            cursor.runs.finish(text)?;
            return Ok(false);
        }
        cursor.page = *range.start();
        Ok(true)
    }
}
