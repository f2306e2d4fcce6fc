// SPDX-License-Identifier: GPL-2.0

//! What is known of the places in the kernel that change the exclusive bit: whether the place alone
//! tells why, or who called must be found out too, which takes two fifths of the time that
//! recording an event does.

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

use crate::cause::Role;

/// Where an address leads to: a power of two of them, many more than there are such places.
const ENTRIES: usize = 256;

/// How many entries an address can be in, one behind the other.
const TRIES: usize = 8;

/// What is known of a place: its address without the highest bit, which all have, and whether it
/// tells all. Zero where nothing is.
const fn known(ip: usize, tells: bool) -> usize {
    ip << 1 | tells as usize
}

/// What is known of places.
#[pin_data]
pub(crate) struct Sites {
    entries: [Atomic<usize>; ENTRIES],
    #[pin]
    buffer: SpinLock<SymbolBuffer>,
}

impl Sites {
    /// # Errors
    ///
    /// - [`ENOMEM`]: no memory.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            entries: [const { Atomic::new(0) }; ENTRIES],
            buffer <- new_spinlock!(SymbolBuffer::new(GFP_KERNEL)?),
        })
    }

    /// Tells whether the place alone is known to tell why the bit changes there.
    ///
    /// Can be called in any context.
    #[inline]
    pub(crate) fn tells(&self, ip: usize) -> bool {
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

    /// Finds out whether it is so, and notes it where nothing is yet.
    #[cold]
    fn learn(&self, ip: usize, entry: &Atomic<usize>) -> bool {
        // Whoever finds it locked, perhaps having interrupted the one who locked it, does without.
        let Some(mut buffer) = self.buffer.try_lock() else {
            return false;
        };
        let tells = buffer
            .look_up(ip.saturating_sub(1))
            .is_some_and(|symbol| Role::of(symbol.name.to_bytes()).tells_all());

        // Another place can have taken it meanwhile; then this one is found out again.
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
        // There is no room for another one.
        assert!(!sites.tells((TRIES + 1) * ENTRIES));
        Ok(())
    }
}
