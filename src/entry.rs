// SPDX-License-Identifier: GPL-2.0

//! Every bit of every entry, once. The bits of `pagemap` are the kernel's own.

use kernel::mm::{
    anon_state::{
        AnonFlag,
        AnonState, //
    },
    page_state::{
        PageFlag,
        PageKind, //
    },
    swap::Backing, //
};

pub(crate) use kernel::mm::pagewalk::pagemap_entry as pagemap;

mod kunit;

/// Bits of an `exclusive` entry.
mod ex {
    use super::AnonFlag;

    pub(super) const PRESENT: u64 = 1 << 63;
    pub(super) const SWAP: u64 = 1 << 62;
    pub(super) const FILE: u64 = 1 << 61;
    pub(super) const HUGE: u64 = 1 << 55;
    pub(super) const MIGRATION: u64 = 1 << 53;
    /// The lowest bit of the number of references; the map count begins at bit 0.
    pub(super) const REFERENCES_SHIFT: u32 = 16;

    const EXCLUSIVE: u32 = 60;
    const MAYBE_PINNED: u32 = 59;
    const WRITABLE: u32 = 58;
    const KSM: u32 = 57;
    const LARGE: u32 = 56;
    const SWAP_CACHE: u32 = 54;
    const ZERO: u32 = 52;

    /// The bit of each flag of a page.
    const FLAGS: [(AnonFlag, u32); 7] = [
        (AnonFlag::Exclusive, EXCLUSIVE),
        (AnonFlag::MaybePinned, MAYBE_PINNED),
        (AnonFlag::Writable, WRITABLE),
        (AnonFlag::Ksm, KSM),
        (AnonFlag::Large, LARGE),
        (AnonFlag::SwapCache, SWAP_CACHE),
        (AnonFlag::Zero, ZERO),
    ];
    /// The bits of each set of the flags: a look-up takes less than seven conditions.
    pub(super) static SETS: [u64; 1 << 8] = {
        let mut sets = [0; 1 << 8];
        let mut set = 0;
        while set < sets.len() {
            let mut i = 0;
            while i < FLAGS.len() {
                let (flag, bit) = FLAGS[i];
                assert!((flag as usize) < sets.len());
                if set & flag as usize != 0 {
                    sets[set] |= 1 << bit;
                }
                i += 1;
            }
            set += 1;
        }
        sets
    };
    /// The bits that are valid for pages of files.
    pub(super) const FILE_FLAGS: u64 = 1 << WRITABLE | 1 << LARGE | HUGE;
    /// The bits that are valid for zero pages.
    pub(super) const ZERO_FLAGS: u64 = 1 << WRITABLE | HUGE | 1 << ZERO;
}

/// Encodes the state of a page as an entry of `exclusive`.
pub(crate) fn exclusive(state: &AnonState) -> u64 {
    let huge = if state.page.flags.contains(PageFlag::Huge) {
        ex::HUGE
    } else {
        0
    };
    // CAST: The set is that of the lowest eight flags.
    let flags = huge | ex::SETS[usize::from(u16::from(state.flags) as u8)];
    let capped = |count: u32| u64::from(count.min(u32::from(u16::MAX)));
    let counts = capped(state.references) << ex::REFERENCES_SHIFT | capped(state.mappings);
    let file = state.page.flags.contains(PageFlag::File);

    match state.page.kind {
        PageKind::Present if file => ex::PRESENT | ex::FILE | flags & ex::FILE_FLAGS,
        PageKind::Present if state.flags.contains(AnonFlag::Zero) => {
            ex::PRESENT | flags & ex::ZERO_FLAGS
        }
        PageKind::Present => ex::PRESENT | flags | counts,
        PageKind::Swap => ex::SWAP | flags,
        PageKind::Migration | PageKind::Device if file => ex::FILE | flags & ex::FILE_FLAGS,
        PageKind::Migration => ex::MIGRATION | flags | counts,
        PageKind::Device => flags | counts,
        PageKind::Unmapped
        | PageKind::Hole
        | PageKind::Empty
        | PageKind::HwPoison
        | PageKind::Marker => 0,
    }
}

/// Encodes each of `states` as the entry at the same index; surplus entries stay as they are.
#[inline]
pub(crate) fn encode<S>(states: &[S], entries: &mut [u64], encode: impl Fn(&S) -> u64) {
    for (entry, state) in entries.iter_mut().zip(states) {
        *entry = encode(state);
    }
}

/// Encodes the state of a swap slot as an entry of `slots`.
pub(crate) fn slot(backing: &Backing) -> u64 {
    match backing {
        Backing::None => 0,
        Backing::Device => 1,
        Backing::Zero => 2,
        Backing::Zswap => 3,
        Backing::Cache => 4,
    }
}
