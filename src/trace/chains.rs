// SPDX-License-Identifier: GPL-2.0

//! The call chains of changes made in page faults of user mode: a dozen or so, each found once.
//!
//! To compare a change with a chain takes a third of the time that it takes to find its callers.

use kernel::{
    mm::anon_trace::{
        Chain,
        Change, //
    },
    sync::SetOnce, //
};

use super::event::CALLERS;

/// The number of chains that can be known: a power of two, many more than there are.
const ENTRIES: usize = 64;

/// The number of consecutive entries in which the chains of a code address can be.
const TRIES: usize = 8;

/// The known chains.
pub(super) struct Chains([SetOnce<Chain>; ENTRIES]);

impl Chains {
    /// Makes an empty table.
    pub(super) fn new() -> Self {
        Self([const { SetOnce::new() }; ENTRIES])
    }

    /// Returns the index of the change's chain if it is known.
    ///
    /// Can be called in any context.
    #[inline(always)]
    pub(super) fn find(&self, change: &Change) -> Option<usize> {
        for i in 0..TRIES {
            let index = (change.ip() + i) % ENTRIES;
            let entry = self.0.get(index)?;

            match entry.as_ref() {
                Some(chain) if change.has_chain(chain) => return Some(index),
                Some(_) => {}
                None => {
                    learn(change, entry);
                    return None;
                }
            }
        }
        None
    }

    /// Returns the callers of the chain of this index, innermost first, then 0.
    pub(super) fn callers(&self, index: usize) -> [usize; CALLERS] {
        let mut callers = [0; CALLERS];

        if let Some(chain) = self.0.get(index).and_then(SetOnce::as_ref) {
            for (place, caller) in callers.iter_mut().zip(chain.callers()) {
                *place = caller;
            }
        }
        callers
    }
}

/// Fills `entry` with the change's chain, if the change has one, and the entry is still empty.
#[cold]
fn learn(change: &Change, entry: &SetOnce<Chain>) {
    if let Some(chain) = change.chain() {
        entry.populate(chain);
    }
}
