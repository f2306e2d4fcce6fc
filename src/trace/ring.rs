// SPDX-License-Identifier: GPL-2.0

//! A ring of records that can be written to from any context, without a lock.
//!
//! Who writes a record takes a number first, the record's for ever, and with it a slot. The slot's
//! stamp then tells what is in it: twice the number, and one more, while it is being written; two
//! more when that is done. A writer that comes to a slot where another one still writes, a whole
//! round behind, or has written since, gives its record up. So each record is there whole, or
//! counted as dropped, and nobody waits.

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

/// A place for a record of `N` words.
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

/// What a slot's stamp is while the record of this number is being written.
const fn writing(number: u64) -> u64 {
    2 * number + 1
}

/// What a slot's stamp is once that is done.
const fn written(number: u64) -> u64 {
    2 * number + 2
}

/// What has become of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen<const N: usize> {
    /// Here it is.
    Whole([u64; N]),
    /// It was not written yet.
    Pending,
    /// Another one is where it was, or should have been.
    Dropped,
}

/// A ring of records of `N` words.
pub(crate) struct Ring<const N: usize> {
    slots: KVVec<Slot<N>>,
    /// The number that the next record will have.
    next: Atomic<u64>,
    /// How many were given up.
    refused: Atomic<u64>,
}

impl<const N: usize> Ring<N> {
    /// Makes a ring for as many records as `order` powers of two.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: no memory.
    pub(crate) fn new(order: u32) -> Result<Self> {
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
        // There is a power of two of them, so that what is cut off makes no difference.
        self.slots.get(number as usize & (self.slots.len() - 1))
    }

    /// Returns the number that the next record will have: how many there were.
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Relaxed)
    }

    /// Returns the number of the oldest record that can still be there.
    pub(crate) fn oldest(&self) -> u64 {
        self.next().saturating_sub(self.slots.len() as u64)
    }

    /// Returns how many records are not there any more, or never were.
    pub(crate) fn dropped(&self) -> u64 {
        self.oldest() + self.refused.load(Relaxed)
    }

    /// Adds a record, or the beginning of one; what its other words are is left open.
    #[inline(always)]
    pub(crate) fn push<const M: usize>(&self, record: &[u64; M]) {
        const { assert!(M <= N) };
        let number = self.next.fetch_add(1, Relaxed);
        let Some(slot) = self.slot(number) else {
            return;
        };
        let stamp = slot.stamp.load(Relaxed);
        let taken = stamp % 2 != 0 || stamp > written(number);

        // The words are written after the stamp: this orders everything.
        if taken || slot.stamp.cmpxchg(stamp, writing(number), Full).is_err() {
            self.refused.fetch_add(1, Relaxed);
            return;
        }
        for (value, word) in record.iter().zip(&slot.words) {
            word.store(*value, Relaxed);
        }
        slot.stamp.store(written(number), Release);
    }

    /// Looks at the record of a number, which [`Self::next`] has reached.
    pub(crate) fn get(&self, number: u64) -> Seen<N> {
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
        // Whatever of another record was among them, its stamp was written before.
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

        // Somebody took number 0, and was interrupted before it was done.
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
        // Number 0 is where number 2 is now: who comes with it again is late.
        ring.next.store(0, Relaxed);
        ring.push(&[9]);
        assert_eq!(ring.get(2), Seen::Whole([2]));
        assert_eq!(ring.refused.load(Relaxed), 1);
        Ok(())
    }
}
