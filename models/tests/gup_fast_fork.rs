// SPDX-License-Identifier: GPL-2.0

//! GUP-fast against fork, in the designs that were discussed in 2020 and 2021.

use xpagemap_models::explore::{Report, explore};
use xpagemap_models::gup_fast_fork::Child::{HasACopy, SharesThePage};
use xpagemap_models::gup_fast_fork::Outcome::{self, BackedOff, PinnedAndOwn, PinnedAndShared};
use xpagemap_models::gup_fast_fork::{Cpu, Design, Scenario, run};

/// Every outcome of a sound design: none of them may be missing either.
const SOUND: [Outcome; 3] = [BackedOff(HasACopy), BackedOff(SharesThePage), PinnedAndOwn];

const CPUS: [Cpu; 2] = [Cpu::X86, Cpu::WeaklyOrdered];

/// Small and large folios, the process's first pin and a later one.
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

/// On every CPU: GUP-fast can do all it does between fork's check and its
/// write-protection.
#[test]
fn flag_alone_shares_a_page_that_is_being_pinned() {
    for cpu in CPUS {
        for case in CASES {
            assert_violated(Design::FlagAlone, cpu, case);
        }
    }
}

/// The write-protection and the check are store and load of two variables, and so
/// are GUP-fast's pin and its second look: without a barrier on both sides each can miss
/// the other's store. x86 has one, the write-protection being an atomic instruction.
#[test]
fn protect_first_without_a_barrier_misses_the_pin() {
    let design = Design::ProtectFirst { barrier: false };
    for case in CASES {
        assert_violated(design, Cpu::WeaklyOrdered, case);
        assert_sound(design, Cpu::X86, case);
    }
}

/// Sound, but a barrier per page for every fork, and a PTE that goes from
/// read-only back to writable.
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
        // folio_get() is the barrier there.
        let full_barrier = false;
        assert_sound(Design::WriteProtectSeq { full_barrier }, Cpu::X86, case);
    }
}

/// What the counter's own `smp_wmb()` leaves open: it does not order fork's store of the
/// odd count before its loads.
///
/// No kernel is known to run into this: between the two, fork allocates the child's page
/// table and takes its lock. But LKMM does not promise that a lock's acquisition, or
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
    // A small folio's pins are in its reference count, which fork changes too, after
    // smp_wmb(): whoever comes second sees what the first has done.
    assert_sound(bare, Cpu::WeaklyOrdered, (small, later_pin));
}
