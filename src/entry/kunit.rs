// SPDX-License-Identifier: GPL-2.0

//! Each kind of page as an entry of `pagemap` and of `exclusive`.

use kernel::prelude::*;

#[kunit_tests(xpagemap_entry)]
mod tests {
    use kernel::mm::{
        anon_state::{
            AnonFlag,
            AnonFlags,
            AnonState, //
        },
        page_state::{
            PageFlag,
            PageKind,
            PageState, //
        },
    };

    use crate::entry::{
        exclusive,
        pagemap, //
    };

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
            (PageFlag::MmapExclusive, 56),
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

    fn anon(kind: PageKind, flags: &[AnonFlag]) -> AnonState {
        AnonState {
            flags: flags
                .iter()
                .fold(AnonFlags::default(), |all, &flag| all | flag),
            references: 3,
            mappings: 1,
            ..AnonState::of(state(kind, 0x1234))
        }
    }

    #[test]
    fn anonymous_page_shows_all() {
        let page = anon(
            PageKind::Present,
            &[
                AnonFlag::Exclusive,
                AnonFlag::MaybePinned,
                AnonFlag::PinsCounted,
                AnonFlag::Writable,
                AnonFlag::Large,
                AnonFlag::SwapCache,
            ],
        );
        assert_eq!(exclusive(&page), 0x9d40_0000_0003_0001);

        let ksm = anon(PageKind::Present, &[AnonFlag::Ksm]);
        assert_eq!(exclusive(&ksm), 0x8200_0000_0003_0001);
    }

    #[test]
    fn counts_are_capped() {
        let many = AnonState {
            references: 70000,
            mappings: u32::MAX,
            ..anon(PageKind::Present, &[])
        };
        assert_eq!(exclusive(&many), 0x8000_0000_ffff_ffff);
    }

    #[test]
    fn page_of_a_file_shows_little() {
        let mut page = anon(
            PageKind::Present,
            &[
                AnonFlag::Exclusive,
                AnonFlag::MaybePinned,
                AnonFlag::Writable,
                AnonFlag::Large,
                AnonFlag::SwapCache,
            ],
        );
        page.page.flags |= PageFlag::File | PageFlag::Huge;
        assert_eq!(exclusive(&page), 0xa580_0000_0000_0000);
        page.page.kind = PageKind::Migration;
        assert_eq!(exclusive(&page), 0x2580_0000_0000_0000);
    }

    #[test]
    fn zero_page_shows_less() {
        let mut page = anon(PageKind::Present, &[AnonFlag::Zero, AnonFlag::Exclusive]);
        page.page.flags |= PageFlag::Huge;
        assert_eq!(exclusive(&page), 0x8090_0000_0000_0000);
    }

    #[test]
    fn entries_without_a_page() {
        let swap = anon(PageKind::Swap, &[AnonFlag::Exclusive, AnonFlag::SwapCache]);
        assert_eq!(exclusive(&swap), 0x5040_0000_0000_0000);
        let migration = anon(PageKind::Migration, &[AnonFlag::Exclusive]);
        assert_eq!(exclusive(&migration), 0x1020_0000_0003_0001);
        for kind in [PageKind::Hole, PageKind::Empty, PageKind::Marker] {
            assert_eq!(exclusive(&anon(kind, &[])), 0);
        }
    }
}
