// SPDX-License-Identifier: GPL-2.0

//! Going through an address space from one populated place to the next, so that what is mapped and
//! not populated costs next to nothing.

use kernel::{
    mm::{
        shmem::{
            ShmemMapping,
            SwapRun, //
        },
        virt::{
            flags,
            VmaRef, //
        },
        MmapReadGuard, //
    },
    page::PAGE_SHIFT,
    prelude::*, //
};

/// The most pages that are looked at at a time.
pub(crate) const WINDOW_PAGES: usize = 256;

/// The pages that are looked at after a gap; from one window to the next it is twice as many.
const FIRST_WINDOW_PAGES: usize = 8;

/// How much of an address space is searched for page tables at a time, in bytes.
const SEARCH_BYTES: usize = 64 << 30;

/// What a scan is to find.
pub(crate) struct Wanted {
    /// Page table entries of private mappings, where alone there is anonymous memory.
    pub(crate) private: bool,
    /// Page table entries of shared mappings.
    pub(crate) shared: bool,
    /// Hugetlb, of which all is gone through.
    pub(crate) hugetlb: bool,
    /// Pages of files in swap.
    pub(crate) shmem_swap: bool,
}

/// How far an address space was scanned.
pub(crate) struct Scan {
    wanted: Wanted,
    addr: usize,
    window_pages: usize,
}

/// A place in an address space.
pub(crate) struct Place<'a> {
    /// The vma that it is in.
    pub(crate) vma: &'a VmaRef,
    /// The address of the first page that is to be looked at.
    pub(crate) start: usize,
    /// How many pages are to be looked at; none where nothing was found for a while.
    pub(crate) pages: usize,
}

/// What is to be looked at next.
enum Next {
    /// These pages, some of which may be wanted.
    Window { start: usize, pages: usize },
    /// What follows this address; up to there, there is nothing.
    Behind(usize),
}

/// Finds the next pages of a vma, from `addr` on, that are wanted.
fn next(
    mm: &MmapReadGuard<'_>,
    vma: &VmaRef,
    addr: usize,
    pages: usize,
    wanted: &Wanted,
) -> Result<Next> {
    if vma.flags() & flags::HUGETLB != 0 {
        return Ok(if wanted.hugetlb {
            Next::Window {
                start: addr,
                pages: pages.min((vma.end() - addr) >> PAGE_SHIFT),
            }
        } else {
            Next::Behind(vma.end())
        });
    }

    // What only the file knows: it begins there, and up to there the file has nothing in swap.
    let file = vma
        .shmem()
        .filter(|shmem| wanted.shmem_swap && shmem.swapped_pages() != 0)
        .map_or(Next::Behind(vma.end()), |shmem| {
            next_of_file(vma, &shmem, addr)
        });
    let (Next::Window { start: quiet, .. } | Next::Behind(quiet)) = file;

    // What is in page tables.
    let shared = vma.flags() & flags::SHARED != 0;
    if quiet == addr
        || !(if shared {
            wanted.shared
        } else {
            wanted.private
        })
    {
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

impl Scan {
    pub(crate) fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            addr: 0,
            window_pages: FIRST_WINDOW_PAGES,
        }
    }

    /// Returns the next place, and moves on behind it; [`None`] where the address space ends.
    pub(crate) fn next<'a>(&mut self, mm: &'a MmapReadGuard<'_>) -> Result<Option<Place<'a>>> {
        let Some(vma) = mm.find_vma(self.addr) else {
            return Ok(None);
        };
        let addr = vma.start().max(self.addr);

        Ok(Some(
            match next(mm, vma, addr, self.window_pages, &self.wanted)? {
                Next::Behind(behind) => {
                    self.addr = behind;
                    self.window_pages = FIRST_WINDOW_PAGES;
                    Place {
                        vma,
                        start: addr,
                        pages: 0,
                    }
                }
                Next::Window { start, pages } => {
                    self.window_pages = if start == self.addr {
                        WINDOW_PAGES.min(2 * self.window_pages)
                    } else {
                        FIRST_WINDOW_PAGES
                    };
                    self.addr = start + (pages << PAGE_SHIFT);
                    Place { vma, start, pages }
                }
            },
        ))
    }
}
