// SPDX-License-Identifier: GPL-2.0

//! Changes of a page between two moments.

use std::collections::BTreeMap;

use crate::continues::Continues;
use crate::entry::{Entry, Place};
use crate::exclusive::Exclusive;

/// State of a page at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Its entry.
    pub entry: Entry,
    /// True if the frame in it is this page's.
    pub has_frame: bool,
    /// Its entry in `PID/exclusive`, if it is known.
    pub exclusive: Option<Exclusive>,
}

/// A change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing was there before.
    Came,
    /// Nothing is there now.
    Went,
    /// From memory to swap.
    SwappedOut,
    /// From swap to memory.
    SwappedIn,
    /// To another slot: read and swapped out again.
    SwappedAgain,
    /// To another frame, and exclusive only since: copied on write.
    Copied,
    /// To another frame, by migration or by swap-out and swap-in.
    Moved,
    /// To another frame, copied or moved.
    Replaced,
    /// The exclusive bit was set.
    BecameExclusive,
    /// The exclusive bit was cleared: shared by fork, or about to be moved.
    BecameShared,
}

impl Change {
    /// The name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Came => "came",
            Self::Went => "went",
            Self::SwappedOut => "swapped-out",
            Self::SwappedIn => "swapped-in",
            Self::SwappedAgain => "swapped-again",
            Self::Copied => "copied",
            Self::Moved => "moved",
            Self::Replaced => "replaced",
            Self::BecameExclusive => "became-exclusive",
            Self::BecameShared => "became-shared",
        }
    }
}

impl Continues for Change {
    fn continues(self, previous: Self) -> bool {
        self == previous
    }
}

/// The change of a page that was there at both moments.
fn between(before: State, after: State) -> Option<Change> {
    let exclusive = |state: State| state.exclusive.map(Exclusive::is_exclusive);
    let bits = exclusive(before).zip(exclusive(after));

    match (before.entry.place(), after.entry.place()) {
        (Place::Memory { .. }, Place::Swap(_)) => Some(Change::SwappedOut),
        (Place::Swap(_), Place::Memory { .. }) => Some(Change::SwappedIn),
        (Place::Swap(a), Place::Swap(b)) if a != b => Some(Change::SwappedAgain),
        (Place::Memory { frame: a }, Place::Memory { frame: b })
            if a != b && before.has_frame && after.has_frame =>
        {
            Some(match bits {
                Some((false, true)) => Change::Copied,
                Some(_) => Change::Moved,
                None => Change::Replaced,
            })
        }
        _ => match bits {
            Some((false, true)) => Some(Change::BecameExclusive),
            Some((true, false)) => Some(Change::BecameShared),
            _ => None,
        },
    }
}

/// The pages that changed, in order.
pub fn compare(first: &BTreeMap<u64, State>, second: &BTreeMap<u64, State>) -> Vec<(u64, Change)> {
    let went = first.keys().filter(|page| !second.contains_key(page));
    let mut all: Vec<_> = went.map(|page| (*page, Change::Went)).collect();

    all.extend(second.iter().filter_map(|(page, after)| {
        let change = match first.get(page) {
            None => Some(Change::Came),
            Some(before) => between(*before, *after),
        };
        Some((*page, change?))
    }));
    all.sort_by_key(|(page, _)| *page);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::{in_memory, swapped};

    fn state(entry: Entry, exclusive: Option<bool>) -> State {
        let bits = |exclusive| 1 << 63 | u64::from(exclusive) << 60;

        State {
            entry,
            has_frame: true,
            exclusive: exclusive.map(|exclusive| Exclusive::from_raw(bits(exclusive))),
        }
    }

    fn change(a: (Entry, Option<bool>), b: (Entry, Option<bool>)) -> Option<Change> {
        between(state(a.0, a.1), state(b.0, b.1))
    }

    #[test]
    fn changes_of_location() {
        let memory = |frame| (in_memory(frame), None);
        let swap = |slot| (swapped(0, slot), None);
        assert_eq!(change(memory(1), swap(1)), Some(Change::SwappedOut));
        assert_eq!(change(swap(1), memory(1)), Some(Change::SwappedIn));
        assert_eq!(change(swap(1), swap(2)), Some(Change::SwappedAgain));
        assert_eq!(change(swap(1), swap(1)), None);
        assert_eq!(change(memory(1), memory(2)), Some(Change::Replaced));
        assert_eq!(change(memory(1), memory(1)), None);
    }

    #[test]
    fn exclusive_bits_tell_copies_from_moves() {
        let page = |frame, exclusive| (in_memory(frame), Some(exclusive));
        assert_eq!(change(page(1, false), page(2, true)), Some(Change::Copied));
        assert_eq!(change(page(1, true), page(2, true)), Some(Change::Moved));
        assert_eq!(
            change(page(1, true), page(1, false)),
            Some(Change::BecameShared)
        );
        assert_eq!(
            change(page(1, false), page(1, true)),
            Some(Change::BecameExclusive)
        );
    }

    #[test]
    fn frames_that_are_not_told_are_not_compared() {
        let unknown = |frame| State {
            has_frame: false,
            ..state(in_memory(frame), None)
        };
        assert_eq!(between(unknown(1), unknown(2)), None);
    }

    #[test]
    fn pages_come_and_go_in_order() {
        let there = |pages: &[u64]| -> BTreeMap<_, _> {
            let states = pages
                .iter()
                .map(|page| (*page, state(in_memory(*page), None)));
            states.collect()
        };
        let all = compare(&there(&[1, 3, 4]), &there(&[1, 2, 4]));
        assert_eq!(all, [(2, Change::Came), (3, Change::Went)]);
    }
}
