// SPDX-License-Identifier: GPL-2.0

//! The causes of a change of the exclusive bit, or of its page's address, and the functions that
//! imply them, as tables.
//!
//! Compilers differ in the functions they inline, so the tables name every function that a change
//! passes through. A kernel whose functions have other names fails the tests: each provokes a cause
//! and expects its name.

/// The cause of a change of the exclusive bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    New,
    CowCopy,
    CowReuse,
    Unshare,
    ForkShare,
    ForkCopy,
    SwapOut,
    SwapIn,
    Swapoff,
    MigrateStart,
    MigrateEnd,
    ThpSplit,
    Collapse,
    Ksm,
    UffdCopy,
    Hugetlb,
    Device,
    Move,
    Unmap,
    Free,
    Other,
}

use Cause::*;

impl Cause {
    /// Returns the cause's name in `events`.
    pub(super) fn name(self) -> &'static str {
        match self {
            New => "new",
            CowCopy => "cow-copy",
            CowReuse => "cow-reuse",
            Unshare => "unshare",
            ForkShare => "fork-share",
            ForkCopy => "fork-copy",
            SwapOut => "swap-out",
            SwapIn => "swap-in",
            Swapoff => "swapoff",
            MigrateStart => "migrate-start",
            MigrateEnd => "migrate-end",
            ThpSplit => "thp-split",
            Collapse => "collapse",
            Ksm => "ksm",
            UffdCopy => "uffd-copy",
            Hugetlb => "hugetlb",
            Device => "device",
            Move => "move",
            Unmap => "unmap",
            Free => "free",
            Other => "other",
        }
    }
}

/// Helpers that change the bit on behalf of their callers, in case they are not inlined.
pub(super) const ON_BEHALF: [&str; 8] = [
    "__folio_try_dup_anon_rmap",
    "folio_try_dup_anon_rmap_ptes",
    "folio_try_dup_anon_rmap_pmd",
    "__folio_try_share_anon_rmap",
    "folio_try_share_anon_rmap_pte",
    "folio_try_share_anon_rmap_pmd",
    "hugetlb_try_dup_anon_rmap",
    "hugetlb_try_share_anon_rmap",
];

/// The cause of a change that the function makes itself.
pub(super) const CHANGED_IN: [(&str, Cause); 35] = [
    // Copying page tables: parent and child have the page now.
    ("copy_page_range", ForkShare),
    ("copy_p4d_range", ForkShare),
    ("copy_pud_range", ForkShare),
    ("copy_pmd_range", ForkShare),
    ("copy_pte_range", ForkShare),
    ("copy_present_ptes", ForkShare),
    ("__copy_present_ptes", ForkShare),
    ("copy_nonpresent_pte", ForkShare),
    ("copy_huge_pmd", ForkShare),
    ("copy_huge_non_present_pmd", ForkShare),
    // No other process has the page any more.
    ("do_wp_page", CowReuse),
    ("wp_page_reuse", CowReuse),
    ("do_huge_pmd_wp_page", CowReuse),
    ("try_to_unmap_one", SwapOut),
    ("try_to_migrate_one", MigrateStart),
    ("set_pmd_migration_entry", MigrateStart),
    // The page is not mapped, so no entry holds a mark.
    ("folio_migrate_flags", MigrateEnd),
    ("split_huge_pmd_locked", ThpSplit),
    ("__split_huge_pmd_locked", ThpSplit),
    ("__folio_freeze_and_split_unmapped", ThpSplit),
    ("__split_unmapped_folio", ThpSplit),
    ("__split_folio_to_order", ThpSplit),
    ("try_to_merge_one_page", Ksm),
    ("write_protect_page", Ksm),
    ("copy_hugetlb_page_range", Hugetlb),
    ("hugetlb_wp", Hugetlb),
    ("migrate_vma_collect_pmd", Device),
    ("migrate_vma_collect_huge_pmd", Device),
    ("free_zone_device_folio", Device),
    ("free_huge_folio", Free),
    ("__free_pages_prepare", Free),
    ("free_pages_prepare", Free),
    ("__free_frozen_pages", Free),
    ("__free_pages_ok", Free),
    ("free_unref_folios", Free),
];

/// The cause of a change made by a function that maps a page, by the function that called it.
pub(super) const CHANGED_FOR: [(&str, Cause); 47] = [
    ("copy_page_range", ForkCopy),
    ("copy_p4d_range", ForkCopy),
    ("copy_pud_range", ForkCopy),
    ("copy_pmd_range", ForkCopy),
    ("copy_pte_range", ForkCopy),
    ("copy_present_ptes", ForkCopy),
    ("copy_present_page", ForkCopy),
    ("do_wp_page", CowCopy),
    ("wp_page_copy", CowCopy),
    ("do_huge_pmd_wp_page", CowCopy),
    ("do_huge_zero_wp_pmd", CowCopy),
    // A write to a private mapping of a file.
    ("do_cow_fault", CowCopy),
    ("finish_fault", CowCopy),
    ("set_pte_range", CowCopy),
    ("do_swap_page", SwapIn),
    ("try_to_unuse", Swapoff),
    ("unuse_mm", Swapoff),
    ("unuse_pte_range", Swapoff),
    ("unuse_pte", Swapoff),
    ("remove_migration_pte", MigrateEnd),
    ("remove_migration_pmd", MigrateEnd),
    ("split_huge_pmd_locked", ThpSplit),
    ("__split_huge_pmd_locked", ThpSplit),
    ("collapse_single_pmd", Collapse),
    ("collapse_huge_page", Collapse),
    ("collapse_scan_pmd", Collapse),
    ("try_to_merge_one_page", Ksm),
    ("replace_page", Ksm),
    ("mfill_atomic_install_pte", UffdCopy),
    ("mfill_atomic_pte_copy", UffdCopy),
    ("mfill_atomic_pte_zeropage", UffdCopy),
    ("mfill_atomic_pte_zeroed_folio", UffdCopy),
    ("copy_hugetlb_page_range", Hugetlb),
    ("hugetlb_install_folio", Hugetlb),
    ("hugetlb_no_page", Hugetlb),
    ("hugetlb_fault", Hugetlb),
    ("hugetlb_wp", Hugetlb),
    ("hugetlb_mfill_atomic_pte", Hugetlb),
    ("__migrate_device_pages", Device),
    ("migrate_vma_insert_page", Device),
    ("migrate_vma_insert_huge_pmd_page", Device),
    // Any other change in a fault.
    ("do_anonymous_page", New),
    ("do_huge_pmd_anonymous_page", New),
    ("__do_huge_pmd_anonymous_page", New),
    ("map_anon_folio_pte_pf", New),
    ("__handle_mm_fault", New),
    ("handle_mm_fault", New),
];

/// Functions that move exclusive pages to other addresses: mremap() and UFFDIO_MOVE.
pub(super) const MOVED_IN: [&str; 9] = [
    "trace_moved_ptes",
    "move_ptes",
    "move_page_tables",
    "move_huge_pmd",
    "move_huge_pte",
    "move_hugetlb_page_tables",
    "move_present_ptes",
    "move_pages_ptes",
    "move_pages_huge_pmd",
];

/// The cause of changes that are parts of a larger operation.
pub(super) const PART_OF: [(&str, &[Cause], Cause); 12] = [
    // A split unmaps the folio as a migration does, and maps its pieces again.
    ("unmap_folio", &[MigrateStart], ThpSplit),
    ("remap_page", &[MigrateEnd], ThpSplit),
    ("__folio_split", &[MigrateStart, MigrateEnd], ThpSplit),
    // FAULT_FLAG_UNSHARE, and KSM's break_ksm(), copy the page as a write does.
    ("unshare_fault", &[CowCopy, CowReuse, Hugetlb], Unshare),
    ("break_ksm", &[CowCopy, CowReuse], Ksm),
    ("break_cow", &[CowCopy, CowReuse], Ksm),
    ("ksm_madvise", &[CowCopy, CowReuse], Ksm),
    ("unmerge_ksm_pages", &[CowCopy, CowReuse], Ksm),
    (
        "unmerge_and_remove_all_rmap_items",
        &[CowCopy, CowReuse],
        Ksm,
    ),
    ("migrate_device_unmap", &[MigrateStart, MigrateEnd], Device),
    ("__migrate_device_pages", &[MigrateEnd], Device),
    ("__migrate_device_finalize", &[MigrateEnd], Device),
];
