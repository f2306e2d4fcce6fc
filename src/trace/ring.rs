// SPDX-License-Identifier: GPL-2.0

//! A ring of records that is written from any context, without a lock.
//!
//! A writer takes a number, which stays the record's, and with it a slot. The slot's stamp is
//! `2 * number + 1` while the record is being written, and `2 * number + 2` afterwards. A writer
//! drops its record if a writer of the round before is still writing to the slot, or one of a later
//! round has written to it. So each record is whole, or counted as dropped, and no writer waits.

use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed,
            Release, //
        },
        barrier::{
            smp_mb,
            Read, //
        },
    }, //
};

/// A slot for a record of `N` words.
struct Slot<const N: usize> {
    stamp: Atomic<u64>,
    words: [Atomic<u64>; N],
}

impl<const N: usize> Slot<N> {
    fn new() -> Self {
        Self {
            stamp: Atomic::new(0),
            words: [const { Atomic::new(0) }; N],
        }
    }
}

/// Returns the stamp of a slot while the record of this number is being written.
const fn writing(number: u64) -> u64 {
    2 * number + 1
}

/// Returns the stamp of a slot that holds the record of this number.
const fn written(number: u64) -> u64 {
    2 * number + 2
}

/// The state of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen<R> {
    /// Written.
    Whole(R),
    /// Its number is taken; not yet written.
    Pending,
    /// Overwritten, or dropped by its writer.
    Dropped,
}

impl<R> Seen<R> {
    /// Converts the record, if it is whole.
    pub(super) fn map<T>(self, convert: impl FnOnce(R) -> T) -> Seen<T> {
        match self {
            Seen::Whole(record) => Seen::Whole(convert(record)),
            Seen::Pending => Seen::Pending,
            Seen::Dropped => Seen::Dropped,
        }
    }
}

/// A ring of records of `N` words.
pub(super) struct Ring<const N: usize> {
    slots: KVVec<Slot<N>>,
    /// The number that the next record will have.
    next: Atomic<u64>,
    /// The number of records that their writers dropped.
    refused: Atomic<u64>,
}

impl<const N: usize> Ring<N> {
    /// Makes a ring for 2^`order` records.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(super) fn new(order: u32) -> Result<Self> {
        let mut slots = KVVec::with_capacity(1 << order, GFP_KERNEL)?;

        for _ in 0..1_usize << order {
            slots
                .push_within_capacity(Slot::new())
                .map_err(|_| ENOMEM)?;
        }
        Ok(Self {
            slots,
            next: Atomic::new(0),
            refused: Atomic::new(0),
        })
    }

    fn slot(&self, number: u64) -> Option<&Slot<N>> {
        // The number of slots is a power of two: the bits that `as` may cut off are masked anyway.
        self.slots.get(number as usize & (self.slots.len() - 1))
    }

    /// Returns the number that the next record will have, which is the number of records so far.
    pub(super) fn next(&self) -> u64 {
        self.next.load(Relaxed)
    }

    /// Returns the number of the oldest record that can still be there.
    pub(super) fn oldest(&self) -> u64 {
        self.next().saturating_sub(self.slots.len() as u64)
    }

    /// Returns the number of records that were overwritten or dropped by their writers.
    pub(super) fn dropped(&self) -> u64 {
        self.oldest() + self.refused.load(Relaxed)
    }

    /// Adds a record of the first `M` words; its other words are unspecified.
    #[inline(always)]
    pub(super) fn push<const M: usize>(&self, record: &[u64; M]) {
        const { assert!(M <= N) };
        let number = self.next.fetch_add(1, Relaxed);
        let Some(slot) = self.slot(number) else {
            return;
        };
        let stamp = slot.stamp.load(Relaxed);
        let taken = stamp % 2 != 0 || stamp > written(number);

        // Full: the words are stored after the stamp.
        if taken || slot.stamp.cmpxchg(stamp, writing(number), Full).is_err() {
            self.refused.fetch_add(1, Relaxed);
            return;
        }
        for (value, word) in record.iter().zip(&slot.words) {
            word.store(*value, Relaxed);
        }
        slot.stamp.store(written(number), Release);
    }

    /// Returns the record of a number less than [`Self::next`].
    pub(super) fn get(&self, number: u64) -> Seen<[u64; N]> {
        let Some(slot) = self.slot(number) else {
            return Seen::Dropped;
        };
        let stamp = slot.stamp.load(Acquire);

        if stamp != written(number) {
            return if stamp < written(number) {
                Seen::Pending
            } else {
                Seen::Dropped
            };
        }
        let mut record = [0; N];
        for (value, word) in record.iter_mut().zip(&slot.words) {
            *value = word.load(Relaxed);
        }
        // A word of another record was stored after that record's stamp: the load below sees it.
        smp_mb(Read);
        if slot.stamp.load(Relaxed) == stamp {
            Seen::Whole(record)
        } else {
            Seen::Dropped
        }
    }
}

#[kunit_tests(xpagemap_ring)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_were() -> Result {
        let ring = Ring::new(2)?;

        assert_eq!(ring.next(), 0);
        ring.push(&[1, 2]);
        ring.push(&[3, 4]);
        assert_eq!(ring.next(), 2);
        assert_eq!(ring.get(0), Seen::Whole([1, 2]));
        assert_eq!(ring.get(1), Seen::Whole([3, 4]));
        assert_eq!(ring.get(2), Seen::Pending);
        assert_eq!(ring.dropped(), 0);
        Ok(())
    }

    #[test]
    fn what_is_overwritten_is_counted_as_dropped() -> Result {
        let ring = Ring::new(2)?;

        for value in 0..7 {
            ring.push(&[value]);
        }
        assert_eq!(ring.oldest(), 3);
        assert_eq!(ring.dropped(), 3);
        assert_eq!(ring.get(2), Seen::Dropped);
        assert_eq!(ring.get(3), Seen::Whole([3]));
        assert_eq!(ring.get(6), Seen::Whole([6]));
        Ok(())
    }

    #[test]
    fn a_writer_that_finds_another_one_writing_gives_up() -> Result {
        let ring = Ring::new(1)?;
        let slot = ring.slot(0).ok_or(EINVAL)?;

        // A writer took number 0, and was interrupted before it was done.
        ring.next.fetch_add(1, Relaxed);
        slot.stamp.store(writing(0), Relaxed);
        assert_eq!(ring.get(0), Seen::Pending);
        ring.push(&[1]);
        ring.push(&[2]);
        assert_eq!(ring.get(1), Seen::Whole([1]));
        assert_eq!(ring.get(2), Seen::Pending);
        assert_eq!(ring.refused.load(Relaxed), 1);

        slot.stamp.store(written(0), Release);
        assert_eq!(ring.get(0), Seen::Whole([0]));
        Ok(())
    }

    #[test]
    fn a_writer_that_comes_a_round_late_gives_up() -> Result {
        let ring = Ring::new(1)?;

        for value in 0..3 {
            ring.push(&[value]);
        }
        // Slot 0 now holds record 2; a writer still holding number 0 drops its record.
        ring.next.store(0, Relaxed);
        ring.push(&[9]);
        assert_eq!(ring.get(2), Seen::Whole([2]));
        assert_eq!(ring.refused.load(Relaxed), 1);
        Ok(())
    }
}
