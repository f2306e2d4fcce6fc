// SPDX-License-Identifier: GPL-2.0

//! `slots`: the state of each slot of the swap devices, whoever refers to it.

use kernel::{
    mm::{
        shmem::SwapSlot,
        swap::Backing, //
    },
    prelude::*,
    task::cond_resched, //
};

use crate::{
    entry,
    files::Pages, //
};

/// A swap type's slots have numbers below this power of 2: the kernel counts them in 32 bits.
const SLOTS_SHIFT: u32 = 32;

/// The number of swap types.
const TYPES: usize = 32;

/// `slots`: slot OFFSET of swap type TYPE is "page" TYPE << 32 | OFFSET.
pub(crate) struct Slots;

/// Returns the slot with that number in the file; [`None`] behind the last swap type.
fn slot(number: usize) -> Option<SwapSlot> {
    let swap_type = number >> SLOTS_SHIFT;

    (swap_type < TYPES).then_some(SwapSlot {
        swap_type: swap_type as u8,
        offset: number & ((1 << SLOTS_SHIFT) - 1),
    })
}

impl Pages for Slots {
    type State = Backing;
    const SCRATCH: Backing = Backing::None;

    fn fill(&self, page: usize, states: &mut [Backing], entries: &mut [u64]) -> Result<usize> {
        let Some(first) = slot(page) else {
            return Ok(0);
        };

        // No window has slots of two swap types.
        first.backings(states);
        entry::encode(states, entries, entry::slot);
        cond_resched();
        Ok(states.len())
    }
}

#[kunit_tests(xpagemap_slots)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_type_and_offset() {
        for (number, swap_type, offset) in [
            (0, 0, 0),
            ((2 << 32) + 7, 2, 7),
            ((32 << 32) - 1, 31, u32::MAX as usize),
        ] {
            let slot = slot(number);
            assert_eq!(slot.map(|slot| slot.swap_type), Some(swap_type));
            assert_eq!(slot.map(|slot| slot.offset), Some(offset));
        }
        assert!(slot(32 << 32).is_none());
    }

    #[test]
    fn slots_that_do_not_exist_are_free() {
        let mut states = [Backing::Device; 4];
        let mut entries = [u64::MAX; 4];
        assert_eq!(
            Slots.fill((31 << 32) + 5, &mut states, &mut entries).ok(),
            Some(4)
        );
        assert_eq!(entries, [0; 4]);
        assert_eq!(
            Slots.fill(32 << 32, &mut states, &mut entries).ok(),
            Some(0)
        );
    }
}
