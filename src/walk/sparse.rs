// SPDX-License-Identifier: GPL-2.0

//! The populated parts of an address space, one window after the other. Unpopulated parts cost next
//! to nothing.

use core::ops::Range;

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
        Mm,
        MmapReadGuard, //
    },
    page::PAGE_SHIFT,
    prelude::*, //
};

/// The largest window, in pages.
pub(crate) const WINDOW_PAGES: usize = 256;

/// The window after a gap, in pages; each window near the one before is twice as large.
const FIRST_WINDOW_PAGES: usize = 8;

/// The bytes of address space that are searched for page tables at a time.
const SEARCH_BYTES: usize = 64 << 30;

/// Page table entries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entries {
    /// None at all.
    None,
    /// Neither empty nor present: in swap, in migration, markers.
    Softleaf,
    /// All that are not empty.
    Populated,
}

/// The parts of an address space to visit.
pub(crate) struct Wanted {
    /// Page table entries of private mappings; only these have anonymous memory.
    pub(crate) private: Entries,
    /// Page table entries of shared mappings.
    pub(crate) shared: Entries,
    /// Hugetlb VMAs, populated or not.
    pub(crate) hugetlb: bool,
    /// Pages of shmem files in swap.
    pub(crate) shmem_swap: bool,
}

/// The next part of a VMA.
enum Next {
    /// A window, some pages of which may be wanted.
    Window { start: usize, pages: usize },
    /// Nothing up to this address.
    Skip(usize),
}

/// Finds the next wanted pages of a VMA from `addr` on, `pages` at most.
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
            Next::Skip(vma.end())
        });
    }

    // Next swapped page that only the page cache knows of.
    let cached = vma
        .shmem()
        .filter(|shmem| wanted.shmem_swap && shmem.swapped_pages() != 0)
        .map_or(Next::Skip(vma.end()), |shmem| {
            next_swapped(vma, &shmem, addr)
        });
    let (Next::Window { start: limit, .. } | Next::Skip(limit)) = cached;

    // Page table entries before that.
    let shared = vma.flags() & flags::SHARED != 0;
    let entries = if shared {
        wanted.shared
    } else {
        wanted.private
    };
    if limit == addr {
        return Ok(cached);
    }
    let searched = limit.min(addr.saturating_add(SEARCH_BYTES));
    let found = match entries {
        Entries::None => return Ok(cached),
        Entries::Softleaf => mm.next_softleaf(vma, addr, searched)?,
        Entries::Populated => mm.next_populated(addr, searched)?,
    };
    Ok(match found {
        Some(start) => Next::Window {
            start,
            pages: pages.min((vma.end() - start) >> PAGE_SHIFT),
        },
        None if searched < limit => Next::Skip(searched),
        None => cached,
    })
}

/// Finds the next pages of a VMA, from `addr` on, that its shmem file has in swap.
fn next_swapped(vma: &VmaRef, shmem: &ShmemMapping<'_>, addr: usize) -> Next {
    let first = vma.page_index(addr);
    let last = first + ((vma.end() - addr) >> PAGE_SHIFT) - 1;
    let at = |index: usize| addr + ((index - first) << PAGE_SHIFT);

    let mut range = first..=last;
    let Some(start) = shmem.next_swapped(&mut range) else {
        return Next::Skip(if range.is_empty() {
            vma.end()
        } else {
            at(*range.start())
        });
    };
    // The window ends with the run, so that a lone page does not cost decoding its neighbours.
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

/// The position of a scan.
pub(super) struct Scan {
    wanted: Wanted,
    /// The address at which the scan continues.
    pub(super) addr: usize,
    window_pages: usize,
}

impl Scan {
    /// Returns a scan from address 0 on.
    pub(super) fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            addr: 0,
            window_pages: FIRST_WINDOW_PAGES,
        }
    }

    /// Returns the VMA and the window from the position on, and advances past it; no pages where
    /// none was found up to there. [`None`] at the end of the address space.
    pub(super) fn next<'a>(
        &mut self,
        mm: &'a MmapReadGuard<'_>,
    ) -> Result<Option<(&'a VmaRef, usize, usize)>> {
        let Some(vma) = mm.find_vma(self.addr) else {
            return Ok(None);
        };
        let addr = vma.start().max(self.addr);

        match next(mm, vma, addr, self.window_pages, &self.wanted)? {
            Next::Skip(end) => {
                self.addr = end;
                self.window_pages = FIRST_WINDOW_PAGES;
                Ok(Some((vma, addr, 0)))
            }
            Next::Window { start, pages } => {
                // A gap that is smaller than a window costs less than a window more.
                let near = (start - addr) >> PAGE_SHIFT < self.window_pages;
                self.window_pages = if near {
                    WINDOW_PAGES.min(2 * self.window_pages)
                } else {
                    FIRST_WINDOW_PAGES
                };
                self.addr = start + (pages << PAGE_SHIFT);
                Ok(Some((vma, start, pages)))
            }
        }
    }
}

/// The next step of a walk.
pub(crate) enum Step<'a, S> {
    /// The address space is gone.
    Gone,
    /// No page is left.
    End,
    /// A window in one VMA.
    Window {
        /// The addresses of the VMA.
        vma: Range<usize>,
        /// The address of the first page.
        start: usize,
        /// The states of the pages, at most [`WINDOW_PAGES`]; none where nothing was found.
        states: &'a [S],
    },
}

/// A walk through the wanted parts of an address space; `S` is the state of a page.
pub(crate) struct Sparse<S> {
    scan: Scan,
    states: KVec<S>,
}

impl<S: Copy> Sparse<S> {
    /// Returns a walk from address 0 on. `scratch` is any state.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn new(wanted: Wanted, scratch: S) -> Result<Self> {
        Ok(Self {
            scan: Scan::new(wanted),
            states: KVec::from_elem(scratch, WINDOW_PAGES, GFP_KERNEL)?,
        })
    }

    /// Finds the next window, calls `decode` for it with the mmap lock held for reading, and
    /// advances past it. The lock is dropped again.
    ///
    /// # Errors
    ///
    /// - [`EINTR`]: a fatal signal arrived.
    /// - Those of `decode`.
    pub(crate) fn step<T>(
        &mut self,
        mm: &Mm,
        decode: impl FnOnce(&MmapReadGuard<'_>, usize, &mut [S]) -> Result<T>,
    ) -> Result<Step<'_, S>> {
        let Some(mm) = mm.mmget_not_zero() else {
            return Ok(Step::Gone);
        };
        let guard = mm.mmap_read_lock_killable()?;
        let Some((vma, start, pages)) = self.scan.next(&guard)? else {
            return Ok(Step::End);
        };
        let vma = vma.start()..vma.end();
        let states = self.states.get_mut(..pages).ok_or(EINVAL)?;

        if !states.is_empty() {
            decode(&guard, start, states)?;
        }
        Ok(Step::Window { vma, start, states })
    }
}
