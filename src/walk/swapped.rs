// SPDX-License-Identifier: GPL-2.0

//! The pages of an address space or of a shmem file that are in swap, and the location of their
//! bytes. Others cost next to nothing.

use kernel::{
    mm::{
        page_state::{
            PageFlag,
            PageKind,
            PageState, //
        },
        shmem::{
            ShmemFile,
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
    runs::{
        Windows,
        RUNS, //
    },
    shmem::{
        page_states,
        states_of_run, //
    },
    slots::{
        Located,
        Locator, //
    },
    sparse::{
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
            private: true,
            shared: false,
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
        let at = |page: usize| addr + ((page - first) << PAGE_SHIFT);

        let mut range = first..=end - 1;
        let mut runs = [SwapRun::EMPTY; RUNS];
        let runs = shmem.swap_runs(&mut range, &mut runs);
        let rest = self.locator.windows(
            Windows::new(runs, first..end),
            |page, states| {
                mm.page_states(at(page), states)?;
                shmem.complete(page, states);
                Ok(())
            },
            &mut |located| {
                found(&Located {
                    first: at(located.first) >> PAGE_SHIFT,
                    ..*located
                })
            },
        )?;

        self.scan.addr = match rest {
            Some(page) => at(page),
            None if range.is_empty() => vma.end(),
            None => at(*range.start()),
        };
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
        let mut range = self.page..=usize::MAX;
        let mut runs = [SwapRun::EMPTY; RUNS];
        let runs = file.mapping().swap_runs(&mut range, &mut runs);
        let rest = self.locator.windows(
            Windows::new(runs, self.page..usize::MAX),
            |page, states| {
                file_states(file, page, states);
                Ok(())
            },
            &mut found,
        )?;

        let next = rest.or((!range.is_empty()).then_some(*range.start()));
        self.page = next.unwrap_or(usize::MAX);
        Ok(next.is_some())
    }
}
