// SPDX-License-Identifier: GPL-2.0

//! The evaluation of the tables in `cause.rs`: from the functions on the stack to a cause.

use kernel::prelude::*;

use super::cause::{
    Cause::{
        self,
        *, //
    },
    CHANGED_FOR,
    CHANGED_IN,
    MOVED_IN,
    ON_BEHALF,
    PART_OF, //
};

/// The meaning of a function on the stack, for changes made in it or on its behalf.
#[derive(Clone, Copy, Default)]
pub(super) struct Role {
    on_behalf: bool,
    moves: bool,
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
            moves: MOVED_IN.iter().any(|name| name.as_bytes() == function),
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
    /// Returns whether this function moves pages to other addresses.
    pub(super) fn moves(&self) -> bool {
        self.moves
    }

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
    fn moves_are_told_from_unmaps() {
        assert!(Role::of(b"move_ptes").moves());
        assert!(Role::of(b"move_huge_pmd").moves());
        assert!(!Role::of(b"folio_remove_rmap_ptes").moves());
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
