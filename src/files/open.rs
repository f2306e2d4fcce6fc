// SPDX-License-Identifier: GPL-2.0

//! Opening a file: the permission check, and the memory that an open file keeps.

use kernel::{
    capability::{
        capable,
        Capability, //
    },
    new_mutex,
    prelude::*,
    sync::Mutex, //
};

/// The memory of an open file, allocated by `open(2)` so that a read need not allocate.
pub(super) type Open<T> = Pin<KBox<Mutex<T>>>;

/// Checks that the current task has a capability.
///
/// # Errors
///
/// - [`EPERM`]: it has not.
pub(crate) fn demand(capability: Capability) -> Result {
    if capable(capability) {
        Ok(())
    } else {
        Err(EPERM)
    }
}

/// Opens a file that takes CAP_SYS_ADMIN; `memory` is the open file's.
///
/// # Errors
///
/// - [`EPERM`]: the current task has not got CAP_SYS_ADMIN.
/// - [`ENOMEM`]: out of memory.
pub(super) fn open<T>(memory: impl FnOnce() -> Result<T>) -> Result<Open<T>> {
    demand(Capability::SYS_ADMIN)?;
    KBox::pin_init(new_mutex!(memory()?), GFP_KERNEL)
}

/// Calls `read` with the memory of an open file, or, while another read uses that, with the result
/// of `memory`.
///
/// A copy to the user takes as long as the user's page faults do: a second read of the same open
/// file does not wait for it.
///
/// # Errors
///
/// The errors of `memory` and `read`.
pub(super) fn with_memory<T: Unpin, R>(
    open: Pin<&Mutex<T>>,
    memory: impl FnOnce() -> Result<T>,
    read: impl FnOnce(&mut T) -> Result<R>,
) -> Result<R> {
    match open.try_lock() {
        Some(mut memory) => read(&mut memory),
        None => read(&mut memory()?),
    }
}
