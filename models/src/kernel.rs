// SPDX-License-Identifier: GPL-2.0

//! The kernel's barriers and its sequence counter, in loom's terms.

use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use loom::sync::atomic::{AtomicU32, fence};

/// `smp_mb()`; an atomic operation that returns a value implies one before and after.
pub fn smp_mb() {
    fence(SeqCst);
}

/// `smp_wmb()`.
pub fn smp_wmb() {
    fence(Release);
}

/// `smp_rmb()`.
pub fn smp_rmb() {
    fence(Acquire);
}

/// `seqcount_t` (include/linux/seqlock.h), with one writer at a time.
pub struct SeqCount(AtomicU32);

impl SeqCount {
    #[expect(
        clippy::new_without_default,
        reason = "loom's types exist in a model only"
    )]
    pub fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// `raw_write_seqcount_begin()`.
    pub fn write_begin(&self) {
        self.0.store(self.0.load(Relaxed) + 1, Relaxed);
        smp_wmb();
    }

    /// `raw_write_seqcount_end()`.
    pub fn write_end(&self) {
        smp_wmb();
        self.0.store(self.0.load(Relaxed) + 1, Relaxed);
    }

    /// `raw_seqcount_try_begin()`: [`None`] while a writer is active.
    pub fn try_begin(&self) -> Option<u32> {
        let start = self.0.load(Acquire);
        (start & 1 == 0).then_some(start)
    }

    /// `read_seqcount_retry()`: true if a write section began since `start` was read.
    pub fn retry(&self, start: u32) -> bool {
        smp_rmb();
        self.0.load(Relaxed) != start
    }
}
