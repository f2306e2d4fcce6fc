// SPDX-License-Identifier: GPL-2.0

//! Facts about pages, for the tests of the predictions.

use kernel::mm::{
    anon_state::{
        AnonFlag,
        AnonFlags,
        AnonState, //
    },
    folio::{
        FolioFacts,
        FolioFlag,
        FolioFlags, //
    },
    page_state::{
        PageFlag,
        PageFlags,
        PageKind,
        PageState, //
    },
    virt::{
        flags,
        vm_flags_t, //
    },
};

use crate::views::page::facts::{
    Facts,
    Vma, //
};

/// Facts that a table changes.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) vma: Vma,
    state: AnonState,
    pub(super) folio: Option<FolioFacts>,
    cached: Option<FolioFacts>,
    swap_references: u32,
    pub(super) mm_has_pinned: bool,
}

pub(super) fn folio(flags: &[FolioFlag]) -> FolioFacts {
    FolioFacts {
        frame: 1,
        first_frame: 1,
        order: 0,
        index: 0,
        references: 1,
        mappings: 1,
        pins: None,
        slot: None,
        flags: flags
            .iter()
            .fold(FolioFlags::empty(), |all, &flag| all | flag),
    }
}

impl Page {
    /// Returns a page of a private anonymous VMA; a present one has one mapping and one
    /// reference, and may be written to after a fault.
    pub(super) fn new(kind: PageKind) -> Self {
        let page = PageState {
            kind,
            ..PageState::UNMAPPED
        };

        Self {
            vma: Vma {
                addresses: 0..1,
                flags: flags::READ | flags::WRITE,
                anonymous: true,
                anon_vma: true,
                file: None,
                index: 0,
                beyond_end: false,
                shmem_cached: false,
                wp_async: false,
                rwp_async: false,
            },
            state: AnonState {
                swap_references: 1,
                ..AnonState::of(page)
            },
            folio: (kind == PageKind::Present).then(|| folio(&[FolioFlag::Anon])),
            cached: None,
            swap_references: 0,
            mm_has_pinned: false,
        }
    }

    pub(super) fn state(mut self, flags: &[AnonFlag]) -> Self {
        self.state.flags = flags
            .iter()
            .fold(AnonFlags::default(), |all, &flag| all | flag);
        self
    }

    pub(super) fn entry(mut self, flags: &[PageFlag]) -> Self {
        self.state.page.flags = flags
            .iter()
            .fold(PageFlags::default(), |all, &flag| all | flag);
        self
    }

    pub(super) fn vma(mut self, more: vm_flags_t) -> Self {
        self.vma.flags |= more;
        self
    }

    pub(super) fn of_file(mut self) -> Self {
        self.vma.anonymous = false;
        self.vma.file = Some((0, 1, 2));
        self.vma.anon_vma = false;
        self
    }

    /// Sets the mapped folio, with `extra` references besides those of mappings and swap cache.
    pub(super) fn mapped(
        mut self,
        order: u32,
        mappings: u32,
        extra: u32,
        flags: &[FolioFlag],
    ) -> Self {
        let flags = flags
            .iter()
            .fold(FolioFlags::empty() | FolioFlag::Anon, |all, &flag| {
                all | flag
            });
        let cache = if flags.contains(FolioFlag::SwapCache) {
            1 << order
        } else {
            0
        };

        self.folio = Some(FolioFacts {
            order,
            mappings,
            references: mappings + extra + cache,
            flags,
            ..folio(&[])
        });
        self
    }

    pub(super) fn swap_references(mut self, references: u32) -> Self {
        self.swap_references = references;
        self.state.swap_references = references;
        self
    }

    pub(super) fn cached(mut self, mappings: u32, flags: &[FolioFlag]) -> Self {
        self.cached = Some(FolioFacts {
            mappings,
            references: mappings + 1,
            ..folio(flags)
        });
        self.cached.as_mut().into_iter().for_each(|folio| {
            folio.flags |= FolioFlag::SwapCache;
        });
        self
    }

    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            vma: Some(&self.vma),
            state: &self.state,
            folio: self.folio.as_ref(),
            cached: self.cached.as_ref(),
            swap_references: self.swap_references,
            mm_has_pinned: self.mm_has_pinned,
        }
    }
}

pub(super) fn present() -> Page {
    Page::new(PageKind::Present)
}

pub(super) fn swap() -> Page {
    Page::new(PageKind::Swap)
}
