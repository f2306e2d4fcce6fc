// SPDX-License-Identifier: GPL-2.0

//! A cache of code addresses that change the exclusive bit: for each, whether the address alone
//! implies the cause. If not, the callers are needed, which take two fifths of an event's time.

use kernel::{
    kallsyms::SymbolBuffer,
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        SpinLock, //
    },
};

use super::role::Role;

/// The number of entries: a power of two, many more than there are such addresses.
const ENTRIES: usize = 256;

/// The number of consecutive entries in which an address can be.
const TRIES: usize = 8;

/// Encodes an entry: the address without its highest bit, which all have, and whether the address
/// implies the cause. 0 is an empty entry.
const fn known(ip: usize, tells: bool) -> usize {
    ip << 1 | tells as usize
}

/// The cache.
#[pin_data]
pub(super) struct Sites {
    entries: [Atomic<usize>; ENTRIES],
    #[pin]
    buffer: SpinLock<SymbolBuffer>,
}

impl Sites {
    /// Makes an empty cache.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            entries: [const { Atomic::new(0) }; ENTRIES],
            buffer <- new_spinlock!(SymbolBuffer::new(GFP_KERNEL)?),
        })
    }

    /// Returns whether `ip` alone is known to imply the cause of a change there.
    ///
    /// Can be called in any context.
    #[inline]
    pub(super) fn tells(&self, ip: usize) -> bool {
        for i in 0..TRIES {
            let Some(entry) = self.entries.get((ip + i) % ENTRIES) else {
                break;
            };
            let value = entry.load(Relaxed);

            if value == known(ip, true) {
                return true;
            }
            if value == known(ip, false) {
                return false;
            }
            if value == 0 {
                return self.learn(ip, entry);
            }
        }
        false
    }

    /// Looks the function of `ip` up, and fills `entry` if it is still empty.
    #[cold]
    fn learn(&self, ip: usize, entry: &Atomic<usize>) -> bool {
        // trylock: this may have interrupted the holder.
        let Some(mut buffer) = self.buffer.try_lock() else {
            return false;
        };
        let tells = buffer
            .look_up(ip.saturating_sub(1))
            .is_some_and(|symbol| Role::of(symbol.name.to_bytes()).implies_cause());

        // If another address took the entry meanwhile, this one is looked up again next time.
        let _ = entry.cmpxchg(0, known(ip, tells), Relaxed);
        tells
    }
}

#[kunit_tests(xpagemap_sites)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_remembered() -> Result {
        let sites = KBox::pin_init(Sites::new(), GFP_KERNEL)?;
        let place = kernel::bindings::schedule as *const () as usize + 1;

        assert!(!sites.tells(place));
        let remembered = sites.entries.iter().map(|entry| entry.load(Relaxed));
        assert_eq!(
            remembered
                .filter(|&value| value == known(place, false))
                .count(),
            1
        );
        assert!(!sites.tells(place));
        Ok(())
    }

    #[test]
    fn places_that_lead_to_the_same_entry_are_told_apart() -> Result {
        let sites = KBox::pin_init(Sites::new(), GFP_KERNEL)?;

        for i in 0..TRIES {
            let ip = (i + 1) * ENTRIES;
            let entry = sites.entries.get(i).ok_or(EINVAL)?;
            entry.store(known(ip, i % 2 == 0), Relaxed);
        }
        for i in 0..TRIES {
            assert_eq!(sites.tells((i + 1) * ENTRIES), i % 2 == 0);
        }
        // All entries for another address are taken.
        assert!(!sites.tells((TRIES + 1) * ENTRIES));
        Ok(())
    }
}
