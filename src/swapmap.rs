// SPDX-License-Identifier: GPL-2.0

//! The views `PID/swapmap` and `files/ID/swapmap`: what is in swap, in runs.
//!
//! Both search for the next page that is in swap and go on from there, so that what is mapped and
//! not populated costs next to nothing.

use kernel::{
    mm::{
        page_state::PageState,
        shmem::{
            ShmemFile,
            ShmemMapping,
            SwapRun, //
        },
        virt::{
            flags,
            VmaRef, //
        },
        Mm,
        MmapReadGuard, //
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
    shmem,
    text::{
        Lines,
        Text, //
    },
};

/// The most pages that are looked at at a time.
const WINDOW_PAGES: usize = 256;

/// The pages that are looked at after a gap; from one window to the next it is twice as many.
const FIRST_WINDOW_PAGES: usize = 8;

/// How much of an address space is searched for page tables at a time, in bytes.
const SEARCH_BYTES: usize = 64 << 30;

/// How far an address space was shown.
pub(crate) struct Cursor {
    addr: usize,
    window_pages: usize,
    states: KVec<PageState>,
    runs: Runs,
}

/// What is to be looked at next.
enum Next {
    /// These pages, some of which may be in swap.
    Window { start: usize, pages: usize },
    /// What follows this address; up to there, nothing is in swap.
    Behind(usize),
}

/// Finds the next pages of a vma, from `addr` on, that may be in swap.
fn next(mm: &MmapReadGuard<'_>, vma: &VmaRef, addr: usize, pages: usize) -> Result<Next> {
    // What only the file knows: it begins there, and up to there the file has nothing in swap.
    let file = vma
        .shmem()
        .filter(|shmem| shmem.swapped_pages() != 0)
        .map_or(Next::Behind(vma.end()), |shmem| {
            next_of_file(vma, &shmem, addr)
        });
    let (Next::Window { start: quiet, .. } | Next::Behind(quiet)) = file;

    // What is in page tables: nothing, where memory is shared.
    if quiet == addr || vma.flags() & flags::SHARED != 0 {
        return Ok(file);
    }
    let searched = quiet.min(addr.saturating_add(SEARCH_BYTES));
    Ok(match mm.next_populated(addr, searched)? {
        Some(start) => Next::Window {
            start,
            pages: pages.min((vma.end() - start) >> PAGE_SHIFT),
        },
        None if searched < quiet => Next::Behind(searched),
        None => file,
    })
}

/// Finds the next pages of a vma, from `addr` on, that its file has in swap.
fn next_of_file(vma: &VmaRef, shmem: &ShmemMapping<'_>, addr: usize) -> Next {
    let first = vma.page_index(addr);
    let last = first + ((vma.end() - addr) >> PAGE_SHIFT) - 1;
    let at = |index: usize| addr + ((index - first) << PAGE_SHIFT);

    let mut range = first..=last;
    let Some(start) = shmem.next_swapped(&mut range) else {
        return Next::Behind(if range.is_empty() {
            vma.end()
        } else {
            at(*range.start())
        });
    };
    // Not more than that, so that a page alone costs no look at its neighbours.
    let mut range = start..=last.min(start + (WINDOW_PAGES - 1));
    let limit = *range.end() + 1;
    let mut runs = [SwapRun::EMPTY; 8];
    let end = shmem
        .swap_runs(&mut range, &mut runs)
        .last()
        .map_or(start + 1, |run| limit.min(run.index + run.pages));

    Next::Window {
        start: at(start),
        pages: end - start,
    }
}

/// `PID/swapmap`.
pub(crate) struct Swapmap(pub(crate) ARef<Mm>);

impl Swapmap {
    /// Copies the states of the next pages that may be in swap to the cursor, and moves it behind
    /// them. Returns the number of the first page and how many there are; [`None`] where the
    /// address space ends.
    fn look(&self, mm: &MmapReadGuard<'_>, cursor: &mut Cursor) -> Result<Option<(usize, usize)>> {
        let Some(vma) = mm.find_vma(cursor.addr) else {
            return Ok(None);
        };
        let addr = vma.start().max(cursor.addr);

        match next(mm, vma, addr, cursor.window_pages)? {
            Next::Behind(behind) => {
                cursor.addr = behind;
                cursor.window_pages = FIRST_WINDOW_PAGES;
                Ok(Some((0, 0)))
            }
            Next::Window { start, pages } => {
                let states = cursor.states.get_mut(..pages).ok_or(EINVAL)?;

                if mm.page_states(start, states)?.shmem_swap {
                    shmem::complete(mm, start, states);
                }
                cursor.window_pages = if start == cursor.addr {
                    WINDOW_PAGES.min(2 * cursor.window_pages)
                } else {
                    FIRST_WINDOW_PAGES
                };
                cursor.addr = start + (pages << PAGE_SHIFT);
                Ok(Some((start >> PAGE_SHIFT, pages)))
            }
        }
    }
}

impl Lines for Swapmap {
    type Cursor = Cursor;

    fn begin(&self) -> Result<Cursor> {
        Ok(Cursor {
            addr: 0,
            window_pages: FIRST_WINDOW_PAGES,
            states: KVec::from_elem(PageState::UNMAPPED, WINDOW_PAGES, GFP_KERNEL)?,
            runs: Runs::new(PAGE_SIZE),
        })
    }

    fn step(&self, cursor: &mut Cursor, text: &mut Text) -> Result<bool> {
        let Some(mm) = self.0.mmget_not_zero() else {
            cursor.runs.finish(text)?;
            text.append(fmt!("# the address space is gone\n"))?;
            return Ok(false);
        };
        let Some((first, pages)) = self.look(&mm.mmap_read_lock_killable()?, cursor)? else {
            cursor.runs.finish(text)?;
            return Ok(false);
        };

        let states = cursor.states.get(..pages).ok_or(EINVAL)?;
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
