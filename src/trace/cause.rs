// SPDX-License-Identifier: GPL-2.0

//! The cause of a change of the exclusive bit, from the functions on the stack.
//!
//! Compilers differ in the functions they inline, so the tables name every function that a change
//! passes through. A kernel whose functions have other names fails the tests: each provokes a cause
//! and expects its name.

use kernel::prelude::*;

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
    Free,
    Other,
}

use Cause::*;

impl Cause {
    /// Returns whether this is done to pages of any process.
    pub(super) fn takes_any_page(self) -> bool {
        matches!(
            self,
            SwapOut | Swapoff | MigrateStart | MigrateEnd | ThpSplit | Collapse | Ksm
        )
    }

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
            Free => "free",
            Other => "other",
        }
    }
}

/// Helpers that change the bit on behalf of their callers, in case they are not inlined.
const ON_BEHALF: [&str; 8] = [
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
const CHANGED_IN: [(&str, Cause); 35] = [
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
const CHANGED_FOR: [(&str, Cause); 47] = [
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

/// The cause of changes that are parts of a larger operation.
const PART_OF: [(&str, &[Cause], Cause); 12] = [
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

/// The meaning of a function on the stack, for changes made in it or on its behalf.
#[derive(Clone, Copy, Default)]
pub(super) struct Role {
    on_behalf: bool,
    changed_in: Option<Cause>,
    changed_for: Option<Cause>,
    part_of: Option<(&'static [Cause], Cause)>,
}

impl Role {
    /// Returns the role of the function of this name.
    pub(super) fn of(function: &[u8]) -> Self {
        let find = |table: &[(&str, Cause)]| {
            table
                .iter()
                .find(|(name, _)| name.as_bytes() == function)
                .map(|&(_, cause)| cause)
        };

        Self {
            on_behalf: ON_BEHALF.iter().any(|name| name.as_bytes() == function),
            changed_in: find(&CHANGED_IN),
            changed_for: find(&CHANGED_FOR),
            part_of: PART_OF
                .iter()
                .find(|(name, ..)| name.as_bytes() == function)
                .map(|&(_, parts, whole)| (parts, whole)),
        }
    }
}

impl Role {
    /// Returns whether this function copies page tables for a child.
    pub(super) fn forks(&self) -> bool {
        self.changed_for == Some(ForkCopy)
    }

    /// Returns whether a change in this function has the same cause for all callers.
    pub(super) fn implies_cause(&self) -> bool {
        self.changed_in
            .is_some_and(|cause| PART_OF.iter().all(|(_, parts, _)| !parts.contains(&cause)))
    }
}

/// Returns the cause of a change in the first of these functions; each was called by the next.
pub(super) fn cause_of(mut functions: impl Iterator<Item = Role>) -> Cause {
    let Some(cause) = functions
        .find(|role| !role.on_behalf)
        .and_then(|role| role.changed_in)
        .or_else(|| functions.by_ref().find_map(|role| role.changed_for))
    else {
        return Other;
    };

    functions
        .filter_map(|role| role.part_of)
        .find(|(parts, _)| parts.contains(&cause))
        .map_or(cause, |(_, whole)| whole)
}

#[kunit_tests(xpagemap_cause)]
mod tests {
    use super::*;

    fn cause(functions: &[&str]) -> Cause {
        cause_of(functions.iter().map(|name| Role::of(name.as_bytes())))
    }

    #[test]
    fn the_function_that_changes_the_bit_comes_first() {
        assert_eq!(cause(&["do_wp_page", "handle_mm_fault"]), CowReuse);
        assert_eq!(cause(&["copy_page_range", "dup_mm"]), ForkShare);
        // Reclaim during a fault.
        assert_eq!(
            cause(&[
                "try_to_unmap_one",
                "try_to_unmap",
                "do_wp_page",
                "handle_mm_fault"
            ]),
            SwapOut
        );
    }

    #[test]
    fn a_function_that_maps_pages_is_asked_for_whom() {
        let mapped = |by| cause(&["folio_add_new_anon_rmap", by, "handle_mm_fault"]);

        assert_eq!(mapped("do_wp_page"), CowCopy);
        assert_eq!(mapped("do_swap_page"), SwapIn);
        assert_eq!(mapped("map_anon_folio_pte_nopf"), New);
        assert_eq!(
            cause(&["folio_add_new_anon_rmap", "copy_page_range"]),
            ForkCopy
        );
    }

    #[test]
    fn what_is_inlined_or_not_is_passed_over() {
        assert_eq!(
            cause(&[
                "__folio_try_share_anon_rmap",
                "folio_try_share_anon_rmap_pte",
                "try_to_unmap_one"
            ]),
            SwapOut
        );
        assert_eq!(
            cause(&["folio_try_dup_anon_rmap_pmd", "copy_huge_pmd"]),
            ForkShare
        );
        assert!(!Role::of(b"folio_try_share_anon_rmap_pte").implies_cause());
    }

    #[test]
    fn a_part_is_called_after_the_whole() {
        let copied = ["folio_add_new_anon_rmap", "do_wp_page", "handle_mm_fault"];

        assert_eq!(
            cause(&["try_to_migrate_one", "rmap_walk_anon"]),
            MigrateStart
        );
        assert_eq!(
            cause(&["try_to_migrate_one", "rmap_walk_anon", "__folio_split"]),
            ThpSplit
        );
        assert_eq!(cause(&copied), CowCopy);
        let [a, b, c] = copied;
        assert_eq!(cause(&[a, b, c, "unshare_fault"]), Unshare);
        assert_eq!(cause(&[a, b, c, "break_ksm"]), Ksm);
    }

    #[test]
    fn some_functions_tell_all_by_themselves() {
        let implies_cause = |name: &str| Role::of(name.as_bytes()).implies_cause();

        assert!(implies_cause("copy_page_range"));
        assert!(implies_cause("try_to_unmap_one"));
        assert!(!implies_cause("do_wp_page"));
        assert!(!implies_cause("try_to_migrate_one"));
        assert!(!implies_cause("folio_add_new_anon_rmap"));
    }

    #[test]
    fn what_is_not_known_is_other() {
        assert_eq!(cause(&[]), Other);
        assert_eq!(
            cause(&["folio_add_new_anon_rmap", "brand_new_function"]),
            Other
        );
    }

    #[test]
    fn no_function_stands_twice_in_a_table() {
        for table in [&CHANGED_IN[..], &CHANGED_FOR[..]] {
            for (i, (name, _)) in table.iter().enumerate() {
                assert!(table.iter().skip(i + 1).all(|(other, _)| other != name));
            }
        }
    }
}
