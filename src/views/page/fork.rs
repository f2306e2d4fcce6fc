// SPDX-License-Identifier: GPL-2.0

//! The effect of a fork on a page, by the kernel's rules.
//!
//! Source: `mm/mmap.c` (`dup_mmap()`), `mm/memory.c` (`vma_needs_copy()`, `copy_present_ptes()`,
//! `copy_nonpresent_pte()`), `mm/huge_memory.c` (`copy_huge_pmd()`), `mm/hugetlb.c`
//! (`copy_hugetlb_page_range()`).

use kernel::mm::{
    anon_state::AnonFlag,
    folio::FolioFlag,
    page_state::{
        PageFlag,
        PageKind, //
    },
    virt::flags,
};

use super::facts::{
    Facts,
    Vma, //
};

/// The effect of a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The child has the same page frame or swap slot.
    Share,
    /// The child gets a copy at once.
    Copy,
    /// The child has nothing there; a page fault may find the page of a file.
    Skip,
}

impl Effect {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Copy => "copy",
            Self::Skip => "skip",
        }
    }
}

use Effect::{
    Share,
    Skip, //
};

type Prediction = (Effect, &'static str);

/// Returns the effect of a fork, and its reason.
pub(super) fn predict(facts: &Facts<'_>) -> Prediction {
    let Some(vma) = facts.vma else {
        return (Skip, "unmapped");
    };
    // userfaultfd is left behind by a fork, unless its user asked for events.
    let copied = flags::COPY_ON_FORK & !(flags::UFFD_WP | flags::UFFD_RWP);

    if vma.has(flags::DONTCOPY) {
        return (Skip, "dontfork");
    }
    if vma.has(flags::WIPEONFORK) {
        return (Skip, "wipeonfork");
    }
    if !vma.anon_vma && !vma.has(copied) {
        return (Skip, "no-anon-vma");
    }

    match facts.kind() {
        PageKind::Unmapped | PageKind::Hole | PageKind::Empty => (Skip, "empty"),
        PageKind::Marker if facts.entry_is(PageFlag::Guard) => (Share, "guard"),
        PageKind::Marker if facts.entry_is(PageFlag::Uffd) => (Skip, "userfaultfd-wp"),
        PageKind::Marker => (Share, "poison"),
        PageKind::HwPoison => (Share, "hwpoison"),
        PageKind::Migration => (Share, "migration"),
        PageKind::Device => (Share, "device"),
        // The slot is in the page cache, not in the page table.
        PageKind::Swap if facts.entry_is(PageFlag::File) => (Skip, "empty"),
        PageKind::Swap => (Share, "swap-entry"),
        PageKind::Present => present(vma, facts),
    }
}

fn present(vma: &Vma, facts: &Facts<'_>) -> Prediction {
    let huge = facts.entry_is(PageFlag::Huge) && !facts.is(AnonFlag::Hugetlb);

    if huge && !vma.anonymous {
        return (Skip, "file-huge");
    }
    if facts.is(AnonFlag::Zero) {
        return (Share, "zero-page");
    }
    let Some(folio) = facts.folio else {
        return (Share, "no-folio");
    };

    if !folio.flags.contains(FolioFlag::Anon) {
        (Share, "file-page")
    } else if folio.flags.contains(FolioFlag::Ksm) {
        (Share, "ksm")
    } else if facts.is(AnonFlag::Exclusive)
        && facts.mm_has_pinned
        && folio.flags.contains(FolioFlag::MaybePinned)
    {
        (Effect::Copy, "pinned")
    } else {
        (Share, "anon-page")
    }
}
