// SPDX-License-Identifier: GPL-2.0

//! The views `PID/swapmap` and `files/ID/swapmap`: what is in swap, in runs.

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
    run::{
        Run,
        Runs, //
    },
    scan::{
        Scan,
        Wanted,
        WINDOW_PAGES, //
    },
    shmem,
    text::{
        Lines,
        Text,
        GONE, //
    },
};

/// How far an address space was shown.
pub(crate) struct Cursor {
    scan: Scan,
    states: KVec<PageState>,
    runs: Runs,
}

/// `PID/swapmap`.
pub(crate) struct Swapmap(pub(crate) ARef<Mm>);

impl Lines for Swapmap {
    type Cursor = Cursor;

    fn begin(&self) -> Result<Cursor> {
        Ok(Cursor {
            scan: Scan::new(Wanted {
                private: true,
                shared: false,
                hugetlb: false,
                shmem_swap: true,
            }),
            states: KVec::from_elem(PageState::UNMAPPED, WINDOW_PAGES, GFP_KERNEL)?,
            runs: Runs::new(PAGE_SIZE),
        })
    }

    fn step(&self, cursor: &mut Cursor, text: &mut Text) -> Result<bool> {
        let Some(mm) = self.0.mmget_not_zero() else {
            cursor.runs.finish(text)?;
            text.append(fmt!("{GONE}"))?;
            return Ok(false);
        };
        let guard = mm.mmap_read_lock_killable()?;
        let Some(place) = cursor.scan.next(&guard)? else {
            drop(guard);
            cursor.runs.finish(text)?;
            return Ok(false);
        };
        let first = place.start >> PAGE_SHIFT;
        let states = cursor.states.get_mut(..place.pages).ok_or(EINVAL)?;

        if !states.is_empty() && guard.page_states(place.start, states)?.shmem_swap {
            shmem::complete(&guard, place.start, states);
        }
        drop(guard);

        for (page, state) in (first..).zip(states) {
            if let Some(run) = Run::from_state(page, state) {
                cursor.runs.add(run, text)?;
            }
        }
        Ok(true)
    }
}

/// How far a file was shown.
pub(crate) struct FileCursor {
    page: usize,
    runs: Runs,
}

/// `files/ID/swapmap`.
pub(crate) struct FileSwapmap(pub(crate) Arc<ShmemFile>);

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
