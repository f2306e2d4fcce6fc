// SPDX-License-Identifier: GPL-2.0

//! A window of an address space at a page number that the caller names.

use kernel::{
    mm::{
        Mm,
        MmapReadGuard, //
    },
    page::PAGE_SHIFT,
    prelude::*, //
};

/// Calls `decode` with the mmap lock held for reading, the address of page number `page`, and as
/// many of `states` as there are pages up to the end of the address space.
///
/// Returns that number of pages and the result of `decode`; [`None`] if the address space is gone,
/// or ends at or before `page`.
///
/// # Errors
///
/// - [`EINTR`]: a fatal signal arrived.
/// - Those of `decode`.
pub(crate) fn with_window<S, T>(
    mm: &Mm,
    page: usize,
    states: &mut [S],
    decode: impl FnOnce(&MmapReadGuard<'_>, usize, &mut [S]) -> Result<T>,
) -> Result<Option<(usize, T)>> {
    let Some(mm) = mm.mmget_not_zero() else {
        return Ok(None);
    };
    if page > usize::MAX >> PAGE_SHIFT {
        return Ok(None);
    }
    let guard = mm.mmap_read_lock_killable()?;
    let addr = guard.untagged_addr(page << PAGE_SHIFT);
    let pages = states
        .len()
        .min(mm.task_size().saturating_sub(addr) >> PAGE_SHIFT);

    match states.get_mut(..pages) {
        Some(states) if pages != 0 => Ok(Some((pages, decode(&guard, addr, states)?))),
        _ => Ok(None),
    }
}
