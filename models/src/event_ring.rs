// SPDX-License-Identifier: GPL-2.0

//! The module's ring of events, `Ring`: two writers in the same slot, one round apart,
//! and a reader of the first or the second record.
//!
//! | step | `Ring` |
//! | --- | --- |
//! | take a number | `push()`: `next.fetch_add()` |
//! | claim the slot | `push()`: the stamp is even and not of a later number, and `cmpxchg()` makes it odd |
//! | write, publish | `push()`: the words, then the stamp with `Release` |
//! | check, copy, check again | `get()`: the stamp with `Acquire`, the words, `smp_mb(Read)`, the stamp |
//!
//! Both words of record N are 2 * N + 1; the slot's are zero at first. The ring has one
//! slot, which every number maps to.

use std::sync::Arc;

use loom::sync::atomic::AtomicU64;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use loom::thread;

use crate::explore::Trace;
use crate::kernel::{smp_mb, smp_rmb};

#[derive(Clone, Copy)]
pub struct Design {
    /// A writer gives up if the slot is being written, or holds a later record.
    pub claim: bool,
    /// The stamp that publishes a record is stored with `Release`.
    pub publish: bool,
    /// The reader checks the stamp again after it has copied the words.
    pub second_look: bool,
}

/// Result of reading the wanted record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Whole,
    Pending,
    Dropped,
    /// Violation: not all words are of that record.
    Torn,
}

struct Ring {
    design: Design,
    trace: Trace,
    next: AtomicU64,
    stamp: AtomicU64,
    words: [AtomicU64; 2],
}

const fn writing(number: u64) -> u64 {
    2 * number + 1
}

const fn written(number: u64) -> u64 {
    2 * number + 2
}

/// Runs one execution, with a reader of record number `wanted`.
pub fn run(design: Design, wanted: u64, trace: Trace) -> Outcome {
    let ring = Arc::new(Ring {
        design,
        trace,
        next: AtomicU64::new(0),
        stamp: AtomicU64::new(0),
        words: [AtomicU64::new(0), AtomicU64::new(0)],
    });
    let writer = {
        let ring = Arc::clone(&ring);
        thread::spawn(move || ring.push())
    };
    let reader = {
        let ring = Arc::clone(&ring);
        thread::spawn(move || ring.get(wanted))
    };
    ring.push();
    let outcome = reader.join().expect("the reader does not panic");
    writer.join().expect("a writer does not panic");
    outcome
}

impl Ring {
    fn push(&self) {
        let number = self.next.fetch_add(1, Relaxed);
        let stamp = self.stamp.load(Relaxed);

        if self.design.claim {
            if !stamp.is_multiple_of(2) || stamp > written(number) {
                self.trace
                    .step(format!("{number}: given up, stamp {stamp}"));
                return;
            }
            smp_mb();
            let claimed = self
                .stamp
                .compare_exchange(stamp, writing(number), Relaxed, Relaxed);
            if claimed.is_err() {
                self.trace.step(format!("{number}: given up, raced"));
                return;
            }
        } else {
            self.stamp.store(writing(number), Relaxed);
        }
        smp_mb();
        for word in &self.words {
            word.store(writing(number), Relaxed);
        }
        let ordering = if self.design.publish {
            Release
        } else {
            Relaxed
        };
        self.stamp.store(written(number), ordering);
        self.trace.step(format!("{number}: written"));
    }

    fn get(&self, number: u64) -> Outcome {
        let stamp = self.stamp.load(Acquire);

        if stamp != written(number) {
            return if stamp < written(number) {
                Outcome::Pending
            } else {
                Outcome::Dropped
            };
        }
        let [first, second] = [0, 1].map(|i: usize| self.words[i].load(Relaxed));
        if self.design.second_look {
            smp_rmb();
            if self.stamp.load(Relaxed) != stamp {
                return Outcome::Dropped;
            }
        }
        self.trace.step(format!("read {first} {second}"));
        if [first, second] == [writing(number); 2] {
            Outcome::Whole
        } else {
            Outcome::Torn
        }
    }
}
