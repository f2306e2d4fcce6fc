// SPDX-License-Identifier: GPL-2.0

//! The facts from which the effects of a write and of a fork follow.

use core::ops::Range;

use kernel::mm::{
    anon_state::{
        AnonFlag,
        AnonState, //
    },
    folio::{
        FolioFacts,
        FolioFlag, //
    },
    page_state::{
        PageFlag,
        PageKind, //
    },
    shmem::{
        CachedRun,
        Content,
        ShmemMapping, //
    },
    virt::{
        flags,
        vm_flags_t,
        VmaRef, //
    },
    MmapReadGuard,
};

/// Facts about a VMA.
#[derive(Clone)]
pub(super) struct Vma {
    pub(super) addresses: Range<usize>,
    pub(super) flags: vm_flags_t,
    /// It maps neither a file nor shared memory.
    pub(super) anonymous: bool,
    /// It has, or had, anonymous pages.
    pub(super) anon_vma: bool,
    /// The mapped file's device, major and minor number, and inode.
    pub(super) file: Option<(u32, u32, u64)>,
    /// The page's index in the mapped object.
    pub(super) index: usize,
    /// The page is behind the end of the mapped file.
    pub(super) beyond_end: bool,
    /// It maps a shmem file that has the page in its page cache.
    pub(super) shmem_cached: bool,
    pub(super) wp_async: bool,
    pub(super) rwp_async: bool,
}

impl Vma {
    pub(super) fn new(vma: &VmaRef, addr: usize) -> Self {
        let index = vma.page_index(addr);

        Self {
            addresses: vma.start()..vma.end(),
            flags: vma.flags(),
            anonymous: vma.is_anonymous(),
            anon_vma: vma.has_anon_vma(),
            file: vma.file_id(),
            index,
            beyond_end: vma.file_pages().is_some_and(|pages| index >= pages),
            shmem_cached: vma.shmem().is_some_and(|shmem| is_cached(&shmem, index)),
            wp_async: vma.userfaultfd_wp_async(),
            rwp_async: vma.userfaultfd_rwp_async(),
        }
    }

    pub(super) fn has(&self, flag: vm_flags_t) -> bool {
        self.flags & flag != 0
    }

    pub(super) fn shared(&self) -> bool {
        self.has(flags::SHARED | flags::MAYSHARE)
    }
}

/// The facts about a page.
pub(super) struct Facts<'a> {
    /// [`None`]: no VMA has the address.
    pub(super) vma: Option<&'a Vma>,
    pub(super) state: &'a AnonState,
    /// The folio that the page table maps.
    pub(super) folio: Option<&'a FolioFacts>,
    /// The folio that the swap cache has for a swap entry.
    pub(super) cached: Option<&'a FolioFacts>,
    /// The number of page table entries that have a swap slot of [`Self::folio`].
    pub(super) swap_references: u32,
    /// Pages of the address space are or were pinned.
    pub(super) mm_has_pinned: bool,
}

impl Facts<'_> {
    pub(super) fn kind(&self) -> PageKind {
        self.state.page.kind
    }

    pub(super) fn is(&self, flag: AnonFlag) -> bool {
        self.state.flags.contains(flag)
    }

    pub(super) fn entry_is(&self, flag: PageFlag) -> bool {
        self.state.page.flags.contains(flag)
    }

    /// Returns whether the swap cache would give up the folio, were it locked now: the condition of
    /// `folio_free_swap()`.
    pub(super) fn swap_freeable(&self, folio: &FolioFacts) -> bool {
        folio.flags.contains(FolioFlag::SwapCache)
            && !folio.flags.contains(FolioFlag::Writeback)
            && self.swap_references == 0
    }
}

/// Returns whether a shmem file has the page of an index in its page cache.
fn is_cached(shmem: &ShmemMapping<'_>, index: usize) -> bool {
    let mut run = [CachedRun::EMPTY];

    shmem
        .cached_runs(&mut (index..=index), &mut run)
        .iter()
        .any(|run| matches!(run.content, Content::Resident(_)))
}

/// Returns the references that the swap cache holds on a folio.
pub(super) fn swap_cache_references(folio: &FolioFacts) -> u32 {
    if folio.flags.contains(FolioFlag::SwapCache) {
        1 << folio.order
    } else {
        0
    }
}

/// Returns the VMA at an address.
pub(super) fn vma_at(mm: &MmapReadGuard<'_>, addr: usize) -> Option<Vma> {
    mm.vma_lookup(addr).map(|vma| Vma::new(vma, addr))
}
