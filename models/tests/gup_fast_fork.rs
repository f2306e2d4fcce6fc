// SPDX-License-Identifier: GPL-2.0

//! GUP-fast against fork, in the designs that were discussed in 2020 and 2021.

use xpagemap_models::explore::{Report, explore};
use xpagemap_models::gup_fast_fork::Child::{HasACopy, SharesThePage};
use xpagemap_models::gup_fast_fork::Outcome::{self, BackedOff, PinnedAndOwn, PinnedAndShared};
use xpagemap_models::gup_fast_fork::{Cpu, Design, Scenario, run};

/// All outcomes of a sound design. Each must occur.
const SOUND: [Outcome; 3] = [BackedOff(HasACopy), BackedOff(SharesThePage), PinnedAndOwn];

const CPUS: [Cpu; 2] = [Cpu::X86, Cpu::WeaklyOrdered];

/// Small or large folio, and first or later pin of the process.
const CASES: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

fn report(design: Design, cpu: Cpu, (large, pinned_before): (bool, bool)) -> Report<Outcome> {
    let scenario = Scenario {
        design,
        cpu,
        large,
        pinned_before,
    };
    let report = explore(move |trace| run(scenario, trace));
    report.print(PinnedAndShared);
    report
}

fn assert_sound(design: Design, cpu: Cpu, case: (bool, bool)) {
    assert_eq!(report(design, cpu, case).seen(), SOUND);
}

fn assert_violated(design: Design, cpu: Cpu, case: (bool, bool)) {
    let seen = report(design, cpu, case).seen();
    assert!(
        seen.contains(&PinnedAndShared),
        "no violation among {seen:?}"
    );
}

/// On every CPU: all of GUP-fast can run between fork's check and its write-protection.
#[test]
fn flag_alone_shares_a_page_that_is_being_pinned() {
    for cpu in CPUS {
        for case in CASES {
            assert_violated(Design::FlagAlone, cpu, case);
        }
    }
}

/// Store buffering: fork stores the PTE and loads the pin count, GUP-fast stores the pin
/// count and loads the PTE. Without a barrier on both sides each can miss the other's
/// store. x86 has one: the write-protection is an atomic instruction.
#[test]
fn protect_first_without_a_barrier_misses_the_pin() {
    let design = Design::ProtectFirst { barrier: false };
    for case in CASES {
        assert_violated(design, Cpu::WeaklyOrdered, case);
        assert_sound(design, Cpu::X86, case);
    }
}

/// Its price is a barrier per page in every fork, and a PTE that goes from read-only back
/// to writable.
#[test]
fn protect_first_with_a_barrier_is_sound() {
    for case in CASES {
        let design = Design::ProtectFirst { barrier: true };
        assert_sound(design, Cpu::WeaklyOrdered, case);
    }
}

#[test]
fn write_protect_seq_is_sound() {
    for case in CASES {
        let full_barrier = true;
        assert_sound(
            Design::WriteProtectSeq { full_barrier },
            Cpu::WeaklyOrdered,
            case,
        );
        // On x86, folio_get() is the barrier.
        let full_barrier = false;
        assert_sound(Design::WriteProtectSeq { full_barrier }, Cpu::X86, case);
    }
}

/// The counter's own `smp_wmb()` does not order fork's store of the odd count before its
/// loads.
///
/// No kernel is known to show this: between the two, fork allocates the child's page
/// table and takes its lock. But LKMM does not guarantee that a lock's acquisition, or
/// another's release before it, orders an earlier store before a later load.
#[test]
fn write_protect_seq_needs_more_than_its_own_barriers() {
    let bare = Design::WriteProtectSeq {
        full_barrier: false,
    };
    let (small, large, first_pin, later_pin) = (false, true, false, true);
    // The flag of the first pin ever, and the count of pins of a large folio, are
    // variables that fork only loads.
    assert_violated(bare, Cpu::WeaklyOrdered, (small, first_pin));
    assert_violated(bare, Cpu::WeaklyOrdered, (large, first_pin));
    assert_violated(bare, Cpu::WeaklyOrdered, (large, later_pin));
    // The pins of a small folio are in its reference count. Fork changes that too, after
    // smp_wmb(): the second of the two changes sees the first.
    assert_sound(bare, Cpu::WeaklyOrdered, (small, later_pin));
}
