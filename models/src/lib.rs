// SPDX-License-Identifier: GPL-2.0

//! Models of races around the exclusive bit and in the module. `loom` runs each in every
//! interleaving, with every value that a racing load may return.
//!
//! # Memory models: the kernel's and loom's
//!
//! | kernel (LKMM) | model | difference |
//! | --- | --- | --- |
//! | `READ_ONCE`, `WRITE_ONCE`, void RMW | `Relaxed` | no load buffering (a load that returns a value which depends on the loading CPU's own later store): stronger |
//! | RMW that returns a value, if it succeeds | [`kernel::smp_mb`] before and after | none |
//! | `smp_mb()`, `smp_mb__after_atomic()` | `fence(SeqCst)` | none for the patterns used here |
//! | `smp_wmb()` | `fence(Release)` | also orders earlier loads: stronger |
//! | `smp_rmb()` | `fence(Acquire)` | also orders later stores: stronger |
//! | `smp_load_acquire()` | `load(Acquire)` | none |
//! | rwsem, spinlock, folio lock | `RwLock`, `Mutex` | loom's unlock is also a full barrier: stronger |
//! | address and control dependencies | none | weaker: loom shows executions that the kernel excludes |
//!
//! Loom is weaker than the kernel: it shows executions that the kernel cannot have. A
//! test that relies on one says so. Loom is stronger than the kernel: it may miss a
//! violation. The sound designs therefore need these arguments:
//!
//! - Load buffering and the extra order of `smp_wmb()` concern a load and a later store
//!   of the same thread. Every such pair that matters here is ordered in the kernel too:
//!   by a full barrier in GUP-fast, by the branch between fork's check and its stores (a
//!   control dependency), by a lock in the others.
//! - The extra order of `smp_rmb()` concerns stores after it: the only ones in GUP-fast
//!   are those that unpin.
//! - The extra order of locks concerns a store before an unlock and a load after it. No
//!   model has such a pair whose order matters: the load is made under a lock again.

pub mod anon_vma_move;
pub mod event_ring;
pub mod explore;
pub mod gup_fast_fork;
pub mod kernel;
