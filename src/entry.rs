// SPDX-License-Identifier: GPL-2.0

//! Every bit of every entry, once.
//!
//! Source: `Documentation/admin-guide/mm/pagemap.rst`.

use kernel::{
    bits::genmask_u64,
    mm::page_state::{
        PageFlag,
        PageKind,
        PageState, //
    },
    prelude::*,
};

/// Bits of a `pagemap` entry.
mod pm {
    use super::{
        genmask_u64,
        PageFlag, //
    };

    /// The page frame number, or swap type and offset.
    pub(super) const FRAME: u64 = genmask_u64(0..=54);
    /// How many bits of these are the swap type.
    pub(super) const SWAP_TYPE_BITS: u32 = 5;
    pub(super) const SWAP: u64 = 1 << 62;
    pub(super) const PRESENT: u64 = 1 << 63;

    /// Which flag of a page is which bit.
    const FLAG_BITS: [(PageFlag, u32); 5] = [
        (PageFlag::SoftDirty, 55),
        (PageFlag::ExclusivelyMapped, 56),
        (PageFlag::Uffd, 57),
        (PageFlag::Guard, 58),
        (PageFlag::File, 61),
    ];
    /// All flags have the same distance from their bits, so that one shift moves them.
    pub(super) const FLAG_SHIFT: u32 = FLAG_BITS[0].1 - (FLAG_BITS[0].0 as u16).trailing_zeros();
    /// The bits of all flags.
    pub(super) const FLAGS: u64 = {
        let mut mask = 0;
        let mut i = 0;
        while i < FLAG_BITS.len() {
            let (flag, bit) = FLAG_BITS[i];
            assert!((flag as u64) << FLAG_SHIFT == 1 << bit);
            mask |= 1 << bit;
            i += 1;
        }
        mask
    };
}

/// Encodes what is known of a page as an entry of `pagemap`.
#[inline]
pub(crate) fn pagemap(state: &PageState) -> u64 {
    let flags = u64::from(u16::from(state.flags)) << pm::FLAG_SHIFT & pm::FLAGS;
    let frame = state.frame as u64;

    match state.kind {
        PageKind::Present => pm::PRESENT | flags | frame & pm::FRAME,
        PageKind::Unmapped | PageKind::Hole | PageKind::Empty => flags,
        PageKind::Swap
        | PageKind::Migration
        | PageKind::Device
        | PageKind::HwPoison
        | PageKind::Marker => {
            let location = frame << pm::SWAP_TYPE_BITS | u64::from(state.swap_type);
            pm::SWAP | flags | location & pm::FRAME
        }
    }
}

#[kunit_tests(xpagemap_entry)]
mod tests {
    use super::*;

    fn state(kind: PageKind, frame: usize) -> PageState {
        PageState {
            frame,
            kind,
            ..PageState::UNMAPPED
        }
    }

    #[test]
    fn nothing_is_zero() {
        for kind in [PageKind::Unmapped, PageKind::Hole, PageKind::Empty] {
            assert_eq!(pagemap(&state(kind, 0)), 0);
        }
    }

    #[test]
    fn present_page_shows_its_frame() {
        assert_eq!(
            pagemap(&state(PageKind::Present, 0x1234)),
            0x8000_0000_0000_1234
        );
    }

    #[test]
    fn frame_does_not_reach_the_flags() {
        let present = pagemap(&state(PageKind::Present, usize::MAX));
        assert_eq!(present, 0x807f_ffff_ffff_ffff);
        let swapped = pagemap(&state(PageKind::Swap, usize::MAX));
        assert_eq!(swapped, 0x407f_ffff_ffff_ffe0);
    }

    #[test]
    fn swapped_page_shows_type_and_offset() {
        let mut state = state(PageKind::Swap, 0x77);
        state.swap_type = 3;
        assert_eq!(pagemap(&state), 0x4000_0000_0000_0ee3);
        state.flags |= PageFlag::File;
        assert_eq!(pagemap(&state), 0x6000_0000_0000_0ee3);
    }

    #[test]
    fn whatever_is_not_there_is_swapped() {
        for kind in [
            PageKind::Migration,
            PageKind::Device,
            PageKind::HwPoison,
            PageKind::Marker,
        ] {
            assert_eq!(pagemap(&state(kind, 1)), 0x4000_0000_0000_0020);
        }
    }

    #[test]
    fn flags() {
        for (flag, bit) in [
            (PageFlag::SoftDirty, 55),
            (PageFlag::ExclusivelyMapped, 56),
            (PageFlag::Uffd, 57),
            (PageFlag::Guard, 58),
            (PageFlag::File, 61),
        ] {
            let mut state = state(PageKind::Empty, 0);
            state.flags |= flag;
            assert_eq!(pagemap(&state), 1 << bit);
        }
        // These two are for our own use, and not part of an entry.
        let mut state = state(PageKind::Empty, 0);
        state.flags |= PageFlag::Huge | PageFlag::Vacant;
        assert_eq!(pagemap(&state), 0);
    }
}
