// SPDX-License-Identifier: GPL-2.0

//! The pages of an address space or of a shmem file that are in swap, and the location of their
//! bytes. Others cost next to nothing.

use core::ops::{
    Range,
    RangeInclusive, //
};

use kernel::{
    mm::{
        page_state::{
            PageFlag,
            PageKind,
            PageState, //
        },
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
    page::PAGE_SHIFT,
    prelude::*, //
};

use super::{
    locator::{
        Locator,
        Pages, //
    },
    runs::RUNS,
    shmem::{
        page_states,
        states_of_run, //
    },
    slots::Located,
    sparse::{
        Entries,
        Scan,
        Wanted, //
    },
};

/// A walk through the pages of an address space that are in swap.
pub(crate) struct AddressSlots {
    scan: Scan,
    locator: Locator,
}

impl AddressSlots {
    /// Returns a walk from address 0 on.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn new() -> Result<Self> {
        let wanted = Wanted {
            private: Entries::Softleaf,
            shared: Entries::None,
            hugetlb: false,
            shmem_swap: true,
        };

        Ok(Self {
            scan: Scan::new(wanted),
            locator: Locator::new()?,
        })
    }

    /// Finds the next pages, and calls `found` for consecutive ones; the number of a page is its
    /// address, divided by the size of a page. Returns whether pages may be left; [`None`] if the
    /// address space is gone.
    ///
    /// `found` is called with the mmap lock held for reading.
    ///
    /// # Errors
    ///
    /// - [`EINTR`]: a fatal signal arrived.
    /// - Those of `found`.
    pub(crate) fn step(
        &mut self,
        mm: &Mm,
        mut found: impl FnMut(&Located<'_>) -> Result,
    ) -> Result<Option<bool>> {
        let Some(mm) = mm.mmget_not_zero() else {
            return Ok(None);
        };
        let guard = mm.mmap_read_lock_killable()?;
        let Some(vma) = guard.find_vma(self.scan.addr) else {
            return Ok(Some(false));
        };

        if vma.flags() & flags::SHARED != 0 {
            self.step_shared(&guard, vma, &mut found)?;
            return Ok(Some(true));
        }
        let Some((_, start, pages)) = self.scan.next(&guard)? else {
            return Ok(Some(false));
        };

        if pages != 0 {
            self.locator.pages(
                start >> PAGE_SHIFT,
                pages,
                |states| page_states(&guard, start, states).map(drop),
                &mut found,
            )?;
        }
        Ok(Some(true))
    }

    /// Does a step in a shared mapping: its page tables have no slots, the file's page cache does.
    fn step_shared(
        &mut self,
        mm: &MmapReadGuard<'_>,
        vma: &VmaRef,
        found: &mut impl FnMut(&Located<'_>) -> Result,
    ) -> Result {
        let addr = vma.start().max(self.scan.addr);
        let Some(shmem) = vma.shmem().filter(|shmem| shmem.swapped_pages() != 0) else {
            self.scan.addr = vma.end();
            return Ok(());
        };
        let first = vma.page_index(addr);
        let end = first + ((vma.end() - addr) >> PAGE_SHIFT);

        let mapping = Mapping {
            mm,
            vma,
            shmem,
            first,
            addr,
        };
        let rest = self.locator.search(first..end, &mapping, &mut |located| {
            found(&Located {
                first: mapping.at(located.first) >> PAGE_SHIFT,
                ..*located
            })
        })?;

        self.scan.addr = rest.map_or(vma.end(), |page| mapping.at(page));
        Ok(())
    }
}

/// A shared mapping of a shmem file; its pages have their numbers in the file.
struct Mapping<'a> {
    mm: &'a MmapReadGuard<'a>,
    vma: &'a VmaRef,
    shmem: ShmemMapping<'a>,
    /// The number of a page.
    first: usize,
    /// The address of that page.
    addr: usize,
}

impl Mapping<'_> {
    /// Returns the address of a page.
    fn at(&self, page: usize) -> usize {
        self.addr + ((page - self.first) << PAGE_SHIFT)
    }
}

impl Pages for Mapping<'_> {
    fn swap_runs<'r>(
        &self,
        range: &mut RangeInclusive<usize>,
        runs: &'r mut [SwapRun],
    ) -> &'r [SwapRun] {
        self.shmem.swap_runs(range, runs)
    }

    /// A page in swap is mapped by no page table. So the entries of others, between pages in swap,
    /// do not count, but a software leaf entry may be that of a page in swap.
    fn may_hide(&self, pages: &Range<usize>) -> Result<bool> {
        let (start, end) = (self.at(pages.start), self.at(pages.end));
        let found = self.mm.next_softleaf(self.vma, start, end)?;

        Ok(found.is_some())
    }

    fn decode(&self, first: usize, pages: &mut [PageState]) -> Result {
        self.mm.page_states(self.at(first), pages)?;
        self.shmem.complete(first, pages);
        Ok(())
    }
}

impl Pages for ShmemFile {
    fn swap_runs<'r>(
        &self,
        range: &mut RangeInclusive<usize>,
        runs: &'r mut [SwapRun],
    ) -> &'r [SwapRun] {
        self.mapping().swap_runs(range, runs)
    }

    fn may_hide(&self, _pages: &Range<usize>) -> Result<bool> {
        Ok(false)
    }

    fn decode(&self, first: usize, pages: &mut [PageState]) -> Result {
        file_states(self, first, pages);
        Ok(())
    }
}

/// Decodes the pages of a file from number `first` on. Those that are not in swap are
/// [`PageState::UNMAPPED`].
fn file_states(file: &ShmemFile, first: usize, states: &mut [PageState]) {
    let mut runs = [SwapRun::EMPTY; RUNS];
    let last = first.saturating_add(states.len().saturating_sub(1));
    let mut range = first..=last;

    states.fill(PageState::UNMAPPED);
    while !range.is_empty() {
        for run in file.mapping().swap_runs(&mut range, &mut runs) {
            for (state, page) in states_of_run(states, first, run.index, run.pages) {
                state.kind = PageKind::Swap;
                state.flags = PageFlag::File.into();
                state.swap_type = run.slot.swap_type;
                state.frame = run.slot.offset + page;
            }
        }
    }
}

/// A walk through the pages of a file that are in swap.
pub(crate) struct FileSlots {
    page: usize,
    locator: Locator,
}

impl FileSlots {
    /// Returns a walk from the first page on.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            page: 0,
            locator: Locator::new()?,
        })
    }

    /// Finds the next pages, and calls `found` for consecutive ones. Returns whether pages may be
    /// left.
    ///
    /// # Errors
    ///
    /// - The errors of `found`.
    pub(crate) fn step(
        &mut self,
        file: &ShmemFile,
        mut found: impl FnMut(&Located<'_>) -> Result,
    ) -> Result<bool> {
        let next = self
            .locator
            .search(self.page..usize::MAX, file, &mut found)?;

        self.page = next.unwrap_or(usize::MAX);
        Ok(next.is_some())
    }
}
