// SPDX-License-Identifier: GPL-2.0

//! Races around the exclusive bit, and of the module itself, each as a model that `loom` runs in every
//! interleaving, and with every value that a racing load may return.
//!
//! # What the kernel says, and what loom hears
//!
//! | kernel (LKMM) | model | difference |
//! | --- | --- | --- |
//! | `READ_ONCE`, `WRITE_ONCE`, void RMW | `Relaxed` | a load never returns what a later store of another CPU brings about through the loading CPU itself (load buffering) |
//! | RMW that returns a value, if it succeeds | [`kernel::smp_mb`] before and after | none |
//! | `smp_mb()`, `smp_mb__after_atomic()` | `fence(SeqCst)` | none for the patterns used here |
//! | `smp_wmb()` | `fence(Release)` | also orders earlier loads: stronger |
//! | `smp_rmb()` | `fence(Acquire)` | also orders later stores: stronger |
//! | `smp_load_acquire()` | `load(Acquire)` | none |
//! | rwsem, spinlock, folio lock | `RwLock`, `Mutex` | loom's unlock is also a full barrier: stronger |
//! | address and control dependencies | not there | weaker: loom shows more than the kernel allows |
//!
//! Where loom is weaker than the kernel it shows executions that no kernel can have: a
//! test that relies on one says so. Where it is stronger, a violation could go
//! unseen, so the sound designs need an argument of their own for that:
//!
//! - Load buffering, and the surplus of `smp_wmb()`, are about a load and a later store of
//!   the same thread that change places. Every such pair here that
//!   matters is ordered in the kernel too: by a full barrier in GUP-fast, by the
//!   branch between fork's check and its stores (a control dependency), by a lock in
//!   the others.
//! - The surplus of `smp_rmb()` is about stores after it: GUP-fast has none but those
//!   that give a pin back.
//! - The surplus of locks is about a store before an unlock and a load after it: no
//!   model has such a pair whose order matters, since what is loaded there is
//!   loaded under a lock again.

pub mod anon_vma_move;
pub mod event_ring;
pub mod explore;
pub mod gup_fast_fork;
pub mod kernel;
