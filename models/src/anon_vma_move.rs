// SPDX-License-Identifier: GPL-2.0

//! An rmap walk locks a folio's anon_vma while `UFFDIO_MOVE` moves the folio to
//! another one, and its old VMA is then unmapped.
//!
//! The walk loads `folio->mapping`, locks the anon_vma that it names, and relies on
//! "if the folio is still mapped, then this anon_vma is still its anon_vma". A move
//! breaks that: the folio stays mapped, elsewhere, and the old anon_vma may be freed,
//! or allocated again, by then (`SLAB_TYPESAFE_BY_RCU` only keeps its memory of type
//! anon_vma).
//!
//! | step | kernel |
//! | --- | --- |
//! | load the mapping, trylock, sleep | `folio_lock_anon_vma_read()`, mm/rmap.c |
//! | the walk, by the folio's index | `rmap_walk_anon()`, mm/rmap.c, with `map_pte()` under `PVMW_SYNC` |
//! | lock the folio | `move_pages_ptes()`, mm/userfaultfd.c; walkers: `rmap_walk()` |
//! | move | `move_present_ptes()`: clear the PTE, `folio_move_anon_rmap()`, the index, set the PTE |
//! | unmap | `unlink_anon_vmas()`, `put_anon_vma()`, `anon_vma_free()`, mm/rmap.c |
//!
//! From v6.8 on the move held the old anon_vma's lock for writing, and
//! `folio_lock_anon_vma_read()` checked the mapping again once it had the lock, on
//! both paths: trylock, and sleep. 7.3 needs neither: every walker holds the folio
//! lock, as the move does (`VM_WARN_ON_FOLIO(!folio_test_locked(folio), folio)`).
//!
//! Left out: `folio_mapped()`, true throughout, since a move does not change the map
//! count; the RCU section, which only keeps the memory of type anon_vma. One lock
//! stands for those of both page tables, since `double_pt_lock()` takes both.
//! `anon_vma_free()` always takes the lock; the kernel does so if `rwsem_is_locked()`.
//! The ordering of that check is not part of this race.
//!
//! The mapping and the index are loaded `Relaxed`: as in the kernel, a walker without
//! the lock may see one new and the other old.

use std::sync::Arc;

use loom::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};
use loom::sync::{Mutex, RwLock, RwLockReadGuard};
use loom::thread;

use crate::explore::Trace;

const OLD: usize = 0;
const NEW: usize = 1;

#[derive(Clone, Copy)]
pub struct Design {
    /// The walker checks the mapping again after a successful trylock.
    pub recheck_after_trylock: bool,
    /// The walker checks the mapping again after it slept for the lock.
    pub recheck_after_sleep: bool,
    /// The move holds the old anon_vma's lock for writing.
    pub move_locks_anon_vma: bool,
    /// The walker holds the folio lock.
    pub walk_locks_folio: bool,
}

/// Result of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The walk found the PTE that maps the folio.
    Found,
    /// The walk locked the right anon_vma, and used the index of before the move.
    LookedAtTheOldIndex,
    /// `folio_lock_anon_vma_read()` returned NULL: the folio counts as unmapped.
    GaveUp,
    /// Violation: the walk locked an anon_vma that is not the folio's.
    ForeignAnonVma,
    /// Violation: the walk locked an anon_vma that is freed.
    FreedAnonVma,
}

struct AnonVma {
    rwsem: RwLock<()>,
    refcount: AtomicU32,
    freed: AtomicBool,
}

struct Memory {
    design: Design,
    trace: Trace,
    mapping: AtomicUsize,
    index: AtomicUsize,
    folio_lock: Mutex<()>,
    anon_vmas: [AnonVma; 2],
    /// True if the PTE of the old, or new, VMA maps the folio; under the page table
    /// lock. The index of each VMA's only page is the number of the VMA.
    ptes: Mutex<[bool; 2]>,
}

/// Runs one execution.
pub fn run(design: Design, trace: Trace) -> Outcome {
    let anon_vma = || AnonVma {
        rwsem: RwLock::new(()),
        refcount: AtomicU32::new(1),
        freed: AtomicBool::new(false),
    };
    let memory = Arc::new(Memory {
        design,
        trace,
        mapping: AtomicUsize::new(OLD),
        index: AtomicUsize::new(OLD),
        folio_lock: Mutex::new(()),
        anon_vmas: [anon_vma(), anon_vma()],
        ptes: Mutex::new([true, false]),
    });
    let mover = {
        let memory = Arc::clone(&memory);
        thread::spawn(move || {
            memory.move_folio();
            memory.unmap_old();
        })
    };
    let outcome = memory.walk();
    mover.join().expect("the move does not panic");
    outcome
}

/// The mover.
impl Memory {
    /// `UFFDIO_MOVE` of the folio's only page.
    fn move_folio(&self) {
        let _folio = self.folio_lock.lock().expect("not poisoned");
        let _anon_vma = self
            .design
            .move_locks_anon_vma
            .then(|| self.anon_vmas[OLD].rwsem.write().expect("not poisoned"));
        let mut ptes = self.ptes.lock().expect("not poisoned");
        ptes[OLD] = false;
        self.mapping.store(NEW, Relaxed);
        self.trace.step("move: the mapping is the new anon_vma");
        self.index.store(NEW, Relaxed);
        ptes[NEW] = true;
        self.trace.step("move: mapped at the new place");
    }

    /// `munmap()` of the old VMA, the only one of its anon_vma.
    fn unmap_old(&self) {
        let anon_vma = &self.anon_vmas[OLD];
        drop(anon_vma.rwsem.write());
        self.put(anon_vma);
    }

    /// `put_anon_vma()`, and `anon_vma_free()` for the last reference.
    fn put(&self, anon_vma: &AnonVma) {
        if anon_vma.refcount.fetch_sub(1, AcqRel) == 1 {
            drop(anon_vma.rwsem.write());
            anon_vma.freed.store(true, Relaxed);
            self.trace.step("the old anon_vma is freed");
        }
    }
}

/// The walker.
impl Memory {
    fn walk(&self) -> Outcome {
        let _folio = self
            .design
            .walk_locks_folio
            .then(|| self.folio_lock.lock().expect("not poisoned"));
        let Some((which, _lock)) = self.lock_anon_vma_read() else {
            return Outcome::GaveUp;
        };
        let anon_vma = &self.anon_vmas[which];
        if anon_vma.freed.load(Relaxed) {
            return Outcome::FreedAnonVma;
        }
        let index = self.index.load(Relaxed);
        let found = index == which && self.ptes.lock().expect("not poisoned")[which];
        self.trace.step(format!(
            "walk: index {index} of anon_vma {which}: found {found}"
        ));
        // The anon_vma must have been the folio's during the whole walk.
        if self.mapping.load(Relaxed) != which {
            return Outcome::ForeignAnonVma;
        }
        if found {
            Outcome::Found
        } else {
            Outcome::LookedAtTheOldIndex
        }
    }

    /// `folio_lock_anon_vma_read()`.
    fn lock_anon_vma_read(&self) -> Option<(usize, RwLockReadGuard<'_, ()>)> {
        // Ends, since the mapping changes only once.
        loop {
            let which = self.mapping.load(Relaxed);
            let anon_vma = &self.anon_vmas[which];
            self.trace
                .step(format!("walk: the mapping is anon_vma {which}"));
            if let Ok(lock) = anon_vma.rwsem.try_read() {
                self.trace.step(format!("walk: locked {which}"));
                if self.design.recheck_after_trylock && self.moved(which) {
                    continue;
                }
                return Some((which, lock));
            }
            if !self.get(anon_vma) {
                return None;
            }
            self.trace
                .step(format!("walk: waits for the lock of {which}"));
            let lock = anon_vma.rwsem.read().expect("not poisoned");
            if self.design.recheck_after_sleep && self.moved(which) {
                drop(lock);
                self.put(anon_vma);
                continue;
            }
            if anon_vma.refcount.fetch_sub(1, AcqRel) == 1 {
                // The last reference. `put()` would take the lock, which is held here.
                drop(lock);
                anon_vma.freed.store(true, Relaxed);
                return None;
            }
            return Some((which, lock));
        }
    }

    fn moved(&self, which: usize) -> bool {
        self.mapping.load(Relaxed) != which
    }

    /// `atomic_inc_not_zero()`.
    fn get(&self, anon_vma: &AnonVma) -> bool {
        anon_vma
            .refcount
            .fetch_update(AcqRel, Acquire, |count| (count > 0).then_some(count + 1))
            .is_ok()
    }
}
