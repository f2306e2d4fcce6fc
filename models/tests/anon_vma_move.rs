// SPDX-License-Identifier: GPL-2.0

//! `folio_lock_anon_vma_read()` against a move to another anon_vma.

use xpagemap_models::anon_vma_move::Outcome::{
    self, ForeignAnonVma, Found, FreedAnonVma, GaveUp, LookedAtTheOldIndex,
};
use xpagemap_models::anon_vma_move::{Design, run};
use xpagemap_models::explore::{Report, explore};

/// v6.8: the move locks the old anon_vma, and the walker checks again on both paths.
const V6_8: Design = Design {
    recheck_after_trylock: true,
    recheck_after_sleep: true,
    move_locks_anon_vma: true,
    walk_locks_folio: false,
};

/// 7.3: the move and the walker hold the folio lock; nothing else is needed.
const V7_3: Design = Design {
    recheck_after_trylock: false,
    recheck_after_sleep: false,
    move_locks_anon_vma: false,
    walk_locks_folio: true,
};

fn report(design: Design, shown: Outcome) -> Report<Outcome> {
    let report = explore(move |trace| run(design, trace));
    report.print(shown);
    report
}

fn assert_violated(design: Design, violation: Outcome) {
    let seen = report(design, violation).seen();
    assert!(seen.contains(&violation), "no violation among {seen:?}");
}

/// The anon_vma is the folio's, and not freed. A walk can still give up, or use the index
/// of before the move. This is harmless: walkers that act on the result hold the folio
/// lock.
#[test]
fn rechecks_on_both_paths_keep_the_anon_vma_right() {
    let seen = report(V6_8, LookedAtTheOldIndex).seen();
    assert_eq!(seen, [Found, LookedAtTheOldIndex, GaveUp]);
}

#[test]
fn without_rechecks_a_freed_anon_vma_is_locked() {
    let design = Design {
        recheck_after_trylock: false,
        recheck_after_sleep: false,
        ..V6_8
    };
    assert_violated(design, FreedAnonVma);
    assert_violated(design, ForeignAnonVma);
}

#[test]
fn recheck_is_needed_after_a_trylock() {
    let design = Design {
        recheck_after_trylock: false,
        ..V6_8
    };
    assert_violated(design, FreedAnonVma);
    assert_violated(design, ForeignAnonVma);
}

/// The anon_vma cannot be freed: the walker took a reference before it slept.
#[test]
fn recheck_is_needed_after_sleeping() {
    let design = Design {
        recheck_after_sleep: false,
        ..V6_8
    };
    let seen = report(design, ForeignAnonVma).seen();
    assert!(
        seen.contains(&ForeignAnonVma),
        "no violation among {seen:?}"
    );
    assert!(!seen.contains(&FreedAnonVma));
}

/// The mapping can change after the check.
#[test]
fn rechecks_are_worth_nothing_if_the_move_does_not_lock() {
    let design = Design {
        move_locks_anon_vma: false,
        ..V6_8
    };
    assert_violated(design, ForeignAnonVma);
}

/// One outcome: no walk gives up, none uses the wrong index.
#[test]
fn folio_lock_on_both_sides_is_enough() {
    assert_eq!(report(V7_3, Found).seen(), [Found]);
}

#[test]
fn folio_lock_on_the_moving_side_alone_is_not() {
    let design = Design {
        walk_locks_folio: false,
        ..V7_3
    };
    assert_violated(design, FreedAnonVma);
    assert_violated(design, ForeignAnonVma);
}
