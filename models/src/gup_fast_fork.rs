// SPDX-License-Identifier: GPL-2.0

//! A thread pins a page with GUP-fast while another forks.
//!
//! A page pinned for writing must not become shared. Fork either finds the pin and
//! copies the page for the child, or shares the page and write-protects it; GUP-fast
//! must then find the write-protection and unpin. A page both pinned and shared breaks
//! the pin: the parent's next write maps a copy into the parent, and data written by the
//! device is lost.
//!
//! All designs have the GUP-fast of 7.3; they differ in fork.
//!
//! | step | kernel |
//! | --- | --- |
//! | flag | `mm_set_has_pinned_flag()`, mm/gup.c, from `gup_fast_fallback()` |
//! | begin, retry | `raw_seqcount_try_begin()`, `read_seqcount_retry()` in `gup_fast()` |
//! | read PTE, read it again | `ptep_get_lockless()` in `gup_fast_pte_range()` |
//! | pin | `try_grab_folio_fast()`: `try_get_folio()`, then the count of pins, then `smp_mb__after_atomic()` |
//! | unpin | `gup_put_folio()`, `gup_fast_unpin_user_pages()` |
//! | write section | `copy_page_range()`, mm/memory.c |
//! | reference, check | `copy_present_ptes()`: `folio_get()`, `__folio_try_dup_anon_rmap()` (include/linux/rmap.h) with `folio_needs_cow_for_dma()` (include/linux/mm.h) |
//! | clear the exclusive bit | `ClearPageAnonExclusive()` in `__folio_try_dup_anon_rmap()` |
//! | write-protect | `wrprotect_ptes()` in `__copy_present_ptes()` |
//!
//! Left out: the slow path, which waits for the mmap lock that fork holds for writing,
//! and so cannot race with it; the page table lock, which GUP-fast does not take; the
//! child, which does not run before fork returns.

use std::sync::Arc;

use loom::sync::atomic::Ordering::Relaxed;
use loom::sync::atomic::{AtomicBool, AtomicU32};
use loom::thread;

use crate::explore::Trace;
use crate::kernel::{SeqCount, smp_mb};

const WRITE: u32 = 1;

/// `GUP_PIN_COUNTING_BIAS`: references that a pin of a small folio takes.
const PIN_BIAS: u32 = 1024;

/// Protection of fork against GUP-fast.
#[derive(Clone, Copy, PartialEq)]
pub enum Design {
    /// Fork checks `has_pinned` and the count, then write-protects (70e806e4e645 as
    /// amended by f3c64eda3e50, in v5.9).
    FlagAlone,
    /// Fork write-protects first, and undoes that if it then finds a pin (70e806e4e645
    /// as first merged, without `barrier`).
    ProtectFirst { barrier: bool },
    /// Fork checks and write-protects in a write section of `mm->write_protect_seq`,
    /// which GUP-fast checks (57efa1fe5957, v5.11, and 7.3). `full_barrier`: a full
    /// barrier between the section's begin and the check; without it, the counter's own
    /// `smp_wmb()` alone.
    WriteProtectSeq { full_barrier: bool },
}

#[derive(Clone, Copy, PartialEq)]
pub enum Cpu {
    /// Every atomic read-modify-write is a full barrier.
    X86,
    /// Order as LKMM guarantees on all CPUs: no implied barriers.
    WeaklyOrdered,
}

#[derive(Clone, Copy)]
pub struct Scenario {
    pub design: Design,
    pub cpu: Cpu,
    /// Pins are counted apart from references (`folio_has_pincount()`).
    pub large: bool,
    /// `MMF_HAS_PINNED` is set already, as for all pins of a process but the first: it
    /// is never cleared.
    pub pinned_before: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Child {
    HasACopy,
    SharesThePage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// GUP-fast backed off; the slow path runs after fork.
    BackedOff(Child),
    /// The pin holds, and the parent alone has the page.
    PinnedAndOwn,
    /// Violation: the pin holds, and the child shares the page.
    PinnedAndShared,
    /// Violation: the pin holds and the child has a copy, but the parent's PTE is
    /// read-only or its exclusive bit clear.
    PinnedButMarkedShared,
}

struct Parent {
    scenario: Scenario,
    trace: Trace,
    pte: AtomicU32,
    refcount: AtomicU32,
    pincount: AtomicU32,
    exclusive: AtomicBool,
    has_pinned: AtomicBool,
    write_protect_seq: SeqCount,
}

/// Runs one execution.
pub fn run(scenario: Scenario, trace: Trace) -> Outcome {
    let parent = Arc::new(Parent {
        scenario,
        trace,
        pte: AtomicU32::new(WRITE),
        refcount: AtomicU32::new(1),
        pincount: AtomicU32::new(0),
        exclusive: AtomicBool::new(true),
        has_pinned: AtomicBool::new(scenario.pinned_before),
        write_protect_seq: SeqCount::new(),
    });
    let forker = {
        let parent = Arc::clone(&parent);
        thread::spawn(move || parent.fork())
    };
    let pinned = parent.pin_fast();
    let child = forker.join().expect("fork does not panic");
    let own = parent.pte.load(Relaxed) & WRITE != 0 && parent.exclusive.load(Relaxed);
    match (pinned, child) {
        (false, _) => Outcome::BackedOff(child),
        (true, Child::SharesThePage) => Outcome::PinnedAndShared,
        (true, Child::HasACopy) if own => Outcome::PinnedAndOwn,
        (true, Child::HasACopy) => Outcome::PinnedButMarkedShared,
    }
}

impl Parent {
    /// Atomic read-modify-write that returns no value.
    fn rmw<T>(&self, change: impl FnOnce() -> T) {
        let x86 = self.scenario.cpu == Cpu::X86;
        if x86 {
            smp_mb();
        }
        change();
        if x86 {
            smp_mb();
        }
    }

    fn add(&self, counter: &AtomicU32, value: u32) {
        self.rmw(|| counter.fetch_add(value, Relaxed));
    }

    fn sub(&self, counter: &AtomicU32, value: u32) {
        self.rmw(|| counter.fetch_sub(value, Relaxed));
    }
}

/// GUP-fast, `FOLL_PIN | FOLL_WRITE`.
impl Parent {
    /// `gup_fast_fallback()` without its slow path. Returns true if the page is pinned.
    fn pin_fast(&self) -> bool {
        if !self.scenario.pinned_before {
            self.rmw(|| self.has_pinned.store(true, Relaxed));
        }
        if !matches!(self.scenario.design, Design::WriteProtectSeq { .. }) {
            return self.gup_pte();
        }
        let Some(start) = self.write_protect_seq.try_begin() else {
            self.trace.step("gup: a write section is open");
            return false;
        };
        if !self.gup_pte() {
            return false;
        }
        if self.write_protect_seq.retry(start) {
            self.trace.step("gup: there was a write section: unpins");
            self.unpin();
            return false;
        }
        self.trace.step("gup: no write section seen");
        true
    }

    /// `gup_fast_pte_range()`.
    fn gup_pte(&self) -> bool {
        let pte = self.pte.load(Relaxed);
        if pte & WRITE == 0 {
            self.trace.step("gup: PTE not writable");
            return false;
        }
        self.trace.step("gup: PTE writable");
        self.pin();
        if self.pte.load(Relaxed) != pte {
            self.trace.step("gup: PTE changed: unpins");
            self.unpin();
            return false;
        }
        self.trace.step("gup: PTE as before");
        true
    }

    /// `try_grab_folio_fast()`.
    fn pin(&self) {
        smp_mb();
        self.refcount.fetch_add(1, Relaxed);
        smp_mb();
        if self.scenario.large {
            self.add(&self.pincount, 1);
        } else {
            self.add(&self.refcount, PIN_BIAS - 1);
        }
        smp_mb();
        self.trace.step("gup: pinned");
    }

    fn unpin(&self) {
        if self.scenario.large {
            self.sub(&self.pincount, 1);
            self.sub(&self.refcount, 1);
        } else {
            self.sub(&self.refcount, PIN_BIAS);
        }
    }
}

/// Fork, for one page.
impl Parent {
    fn fork(&self) -> Child {
        match self.scenario.design {
            Design::FlagAlone => {
                if !self.try_dup() {
                    return Child::HasACopy;
                }
                self.protect();
            }
            Design::ProtectFirst { barrier } => {
                self.protect();
                if barrier {
                    smp_mb();
                }
                if !self.try_dup() {
                    self.rmw(|| self.pte.fetch_or(WRITE, Relaxed));
                    self.trace.step("fork: PTE writable again");
                    return Child::HasACopy;
                }
            }
            Design::WriteProtectSeq { full_barrier } => {
                self.write_protect_seq.write_begin();
                if full_barrier {
                    smp_mb();
                }
                let shared = self.try_dup();
                if shared {
                    self.protect();
                }
                self.write_protect_seq.write_end();
                if !shared {
                    return Child::HasACopy;
                }
            }
        }
        Child::SharesThePage
    }

    fn protect(&self) {
        self.rmw(|| self.pte.fetch_and(!WRITE, Relaxed));
        self.trace.step("fork: PTE write-protected");
    }

    /// `folio_get()` and `folio_try_dup_anon_rmap_pte()`. Returns false if the page may
    /// be pinned, and must be copied.
    fn try_dup(&self) -> bool {
        self.add(&self.refcount, 1);
        if self.has_pinned.load(Relaxed) && self.maybe_pinned() {
            self.sub(&self.refcount, 1);
            self.trace.step("fork: pinned: copies the page");
            return false;
        }
        self.rmw(|| self.exclusive.store(false, Relaxed));
        self.trace.step("fork: no pin seen: shares the page");
        true
    }

    /// `folio_maybe_dma_pinned()`.
    fn maybe_pinned(&self) -> bool {
        if self.scenario.large {
            self.pincount.load(Relaxed) > 0
        } else {
            self.refcount.load(Relaxed) >= PIN_BIAS
        }
    }
}
