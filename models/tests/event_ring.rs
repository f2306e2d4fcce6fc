// SPDX-License-Identifier: GPL-2.0

//! The module's ring of events: two writers and a reader of the same slot.

use xpagemap_models::event_ring::Outcome::{self, Dropped, Pending, Torn, Whole};
use xpagemap_models::event_ring::{Design, run};
use xpagemap_models::explore::{Report, explore};

const RING: Design = Design {
    claim: true,
    publish: true,
    second_look: true,
};

fn report(design: Design, wanted: u64, shown: Outcome) -> Report<Outcome> {
    let report = explore(move |trace| run(design, wanted, trace));
    report.print(shown);
    report
}

fn assert_torn(design: Design) {
    let torn = |wanted| report(design, wanted, Torn).seen().contains(&Torn);

    assert!(torn(1) || torn(0), "no violation");
}

#[test]
fn record_that_is_overwritten_is_whole_or_dropped() {
    assert_eq!(report(RING, 0, Whole).seen(), [Whole, Pending, Dropped]);
}

/// No later record overwrites the last one. If its writer gives up, it stays pending.
#[test]
fn last_record_is_whole_or_pending() {
    assert_eq!(report(RING, 1, Whole).seen(), [Whole, Pending]);
}

#[test]
fn second_look_is_needed() {
    assert_torn(Design {
        second_look: false,
        ..RING
    });
}

#[test]
fn publishing_must_release() {
    assert_torn(Design {
        publish: false,
        ..RING
    });
}

#[test]
fn two_writers_must_not_share_the_slot() {
    assert_torn(Design {
        claim: false,
        ..RING
    });
}
