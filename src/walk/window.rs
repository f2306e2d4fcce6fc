// SPDX-License-Identifier: GPL-2.0

//! A window of an address space, locked for reading.

use kernel::{
    mm::{
        Mm,
        MmapReadGuard, //
    },
    page::PAGE_SHIFT,
    prelude::*, //
};

/// Calls `look` with the address space locked for reading, the address of page number `page`, and as
/// many of `states` as there are pages from there on. Returns how many that were and what `look`
/// returned; [`None`] if the address space is gone, or ends before.
///
/// # Errors
///
/// - [`EINTR`]: the current task is being killed.
/// - Those of `look`.
pub(crate) fn look_at<S, T>(
    mm: &Mm,
    page: usize,
    states: &mut [S],
    look: impl FnOnce(&MmapReadGuard<'_>, usize, &mut [S]) -> Result<T>,
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
        Some(states) if pages != 0 => Ok(Some((pages, look(&guard, addr, states)?))),
        _ => Ok(None),
    }
}
