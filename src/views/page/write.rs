// SPDX-License-Identifier: GPL-2.0

//! The effect of a write to a page, by the kernel's rules.
//!
//! Source: `mm/memory.c` (`handle_pte_fault()`, `do_wp_page()`, `wp_can_reuse_anon_folio()`,
//! `do_swap_page()`), `mm/huge_memory.c` (`do_huge_pmd_wp_page()`), `mm/hugetlb.c`
//! (`hugetlb_wp()`), in the order in which they decide.

use kernel::mm::{
    anon_state::AnonFlag,
    folio::{
        FolioFacts,
        FolioFlag, //
    },
    page_state::{
        PageFlag,
        PageKind, //
    },
    virt::flags,
};

use super::facts::{
    swap_cache_references,
    Facts,
    Vma, //
};

/// The effect of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The page frame stays.
    InPlace,
    /// The data is copied to another page frame, or the zero page is replaced.
    Copy,
    /// No page frame is mapped, or userfaultfd decides.
    Fault,
    /// SIGSEGV or SIGBUS.
    Denied,
}

impl Effect {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::InPlace => "in-place",
            Self::Copy => "copy",
            Self::Fault => "fault",
            Self::Denied => "denied",
        }
    }
}

use Effect::{
    Denied,
    Fault,
    InPlace, //
};

type Prediction = (Effect, &'static str);

/// Returns the effect of a write, and its reason.
pub(super) fn predict(facts: &Facts<'_>) -> Prediction {
    let Some(vma) = facts.vma else {
        return (Denied, "unmapped");
    };
    if !vma.has(flags::WRITE) || vma.has(flags::SHADOW_STACK) {
        return (Denied, "read-only");
    }

    match facts.kind() {
        PageKind::Unmapped | PageKind::Hole | PageKind::Empty => absent(vma),
        PageKind::Marker => marker(vma, facts),
        PageKind::HwPoison => (Denied, "hwpoison"),
        PageKind::Migration => (Fault, "migration"),
        PageKind::Device => (Fault, "device"),
        PageKind::Swap if userfaultfd_wp(vma, facts) => (Fault, "userfaultfd-wp"),
        PageKind::Swap if facts.entry_is(PageFlag::File) => absent_file(vma, true),
        PageKind::Swap => swapped(facts),
        PageKind::Present => present(vma, facts),
    }
}

/// Returns whether a write to a page with the entry's userfaultfd bit waits for the user.
fn userfaultfd_wp(vma: &Vma, facts: &Facts<'_>) -> bool {
    facts.entry_is(PageFlag::Uffd) && vma.has(flags::UFFD_WP) && !vma.wp_async
}

/// The page table has nothing, and no file has it in swap.
fn absent(vma: &Vma) -> Prediction {
    if !vma.anonymous && !vma.has(flags::HUGETLB) {
        return absent_file(vma, vma.shmem_cached);
    }
    if vma.beyond_end {
        (Denied, "beyond-end")
    } else if vma.has(flags::UFFD_MISSING) {
        (Fault, "userfaultfd-missing")
    } else if vma.shared() {
        (Fault, "shared-page")
    } else {
        (Fault, "new-page")
    }
}

/// The page table has nothing, and the VMA maps a file, which has the page, in memory or in swap, or
/// not.
fn absent_file(vma: &Vma, found: bool) -> Prediction {
    if vma.beyond_end {
        (Denied, "beyond-end")
    } else if !found && vma.has(flags::UFFD_MISSING) {
        (Fault, "userfaultfd-missing")
    } else if found && vma.has(flags::UFFD_MINOR) {
        (Fault, "userfaultfd-minor")
    } else if vma.shared() {
        (Fault, "shared-page")
    } else {
        (Fault, "private-copy")
    }
}

fn marker(vma: &Vma, facts: &Facts<'_>) -> Prediction {
    if facts.entry_is(PageFlag::Guard) {
        (Denied, "guard")
    } else if !facts.entry_is(PageFlag::Uffd) {
        (Denied, "poison")
    } else if userfaultfd_wp(vma, facts) {
        // The page is made first, then protected.
        (Fault, "userfaultfd-wp")
    } else {
        absent(vma)
    }
}

/// A swap entry of anonymous memory. The page is mapped, then written to as in [`present`].
fn swapped(facts: &Facts<'_>) -> Prediction {
    let cached = |flag| facts.cached.is_some_and(|folio| folio.flags.contains(flag));

    if cached(FolioFlag::Ksm) {
        return (Fault, "swap-in-copy");
    }
    let mark_dropped = cached(FolioFlag::Writeback) && cached(FolioFlag::StableWrites);
    if facts.is(AnonFlag::Exclusive) && !mark_dropped {
        return (Fault, "swap-in-exclusive");
    }
    let unshared = facts.cached.is_none_or(|folio| {
        folio.mappings == 0
            && folio.references <= swap_cache_references(folio)
            && !folio.flags.contains(FolioFlag::Writeback)
    });
    if facts.state.swap_references == 1 && unshared {
        (Fault, "swap-in-last")
    } else {
        (Fault, "swap-in-copy")
    }
}

fn present(vma: &Vma, facts: &Facts<'_>) -> Prediction {
    if facts.entry_is(PageFlag::Uffd) && vma.has(flags::UFFD_RWP) && !vma.rwp_async {
        return (Fault, "userfaultfd-rwp");
    }
    if userfaultfd_wp(vma, facts) {
        return (Fault, "userfaultfd-wp");
    }
    if facts.is(AnonFlag::Writable) {
        return (InPlace, "writable");
    }
    if vma.shared() {
        return (InPlace, "shared-mapping");
    }
    if facts.is(AnonFlag::Zero) {
        return (Effect::Copy, "zero-page");
    }
    let Some(folio) = facts.folio else {
        return (Effect::Copy, "no-folio");
    };

    if !folio.flags.contains(FolioFlag::Anon) {
        (Effect::Copy, "file-page")
    } else if folio.flags.contains(FolioFlag::Ksm) {
        (Effect::Copy, "ksm")
    } else if facts.is(AnonFlag::Exclusive) {
        (InPlace, "exclusive")
    } else if folio.flags.contains(FolioFlag::Hugetlb) {
        if folio.mappings == 1 {
            (InPlace, "last-mapping")
        } else {
            (Effect::Copy, "shared")
        }
    } else if folio.order == 0 {
        small(facts, folio)
    } else if facts.entry_is(PageFlag::Huge) {
        huge(facts, folio)
    } else {
        large(facts, folio)
    }
}

/// `wp_can_reuse_anon_folio()`, for a folio of one page.
fn small(facts: &Facts<'_>, folio: &FolioFacts) -> Prediction {
    let swap_cache = swap_cache_references(folio);

    if folio.mappings > 1 {
        (Effect::Copy, "shared")
    } else if folio.references > 1 + swap_cache {
        (Effect::Copy, "references")
    } else if folio.flags.contains(FolioFlag::Locked) {
        (Effect::Copy, "locked")
    } else if swap_cache != 0 && !facts.swap_freeable(folio) {
        (Effect::Copy, "swap-references")
    } else {
        (InPlace, "last-reference")
    }
}

/// `do_huge_pmd_wp_page()`. Where the PMD is split, other references remain that are no mappings,
/// so that [`large`] copies too.
fn huge(facts: &Facts<'_>, folio: &FolioFacts) -> Prediction {
    let swap_cache = swap_cache_references(folio);

    if folio.mappings > 1 {
        (Effect::Copy, "shared")
    } else if folio.references > 1 + swap_cache {
        (Effect::Copy, "references")
    } else if swap_cache != 0 && !facts.swap_freeable(folio) {
        (Effect::Copy, "swap-references")
    } else {
        (InPlace, "last-reference")
    }
}

/// `__wp_can_reuse_large_anon_folio()`, for a page that has a PTE.
fn large(facts: &Facts<'_>, folio: &FolioFacts) -> Prediction {
    let swap_cache = swap_cache_references(folio);
    let locked = folio.flags.contains(FolioFlag::Locked);

    if folio.mappings <= 1 {
        (Effect::Copy, "last-page")
    } else if folio.flags.contains(FolioFlag::MappedShared) {
        (Effect::Copy, "shared")
    } else if swap_cache != 0 && locked {
        (Effect::Copy, "locked")
    } else if swap_cache != 0 && !facts.swap_freeable(folio) {
        (Effect::Copy, "swap-references")
    } else if folio.references != folio.mappings + swap_cache {
        (Effect::Copy, "references")
    } else {
        (InPlace, "last-process")
    }
}
