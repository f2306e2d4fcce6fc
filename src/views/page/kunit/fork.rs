// SPDX-License-Identifier: GPL-2.0

//! The effects of a fork: tables of facts and reasons.

use kernel::prelude::*;

#[kunit_tests(xpagemap_page_fork)]
mod tests {
    use kernel::mm::{
        anon_state::AnonFlag,
        folio::FolioFlag,
        page_state::{
            PageFlag,
            PageKind, //
        },
        virt::flags,
    };

    use crate::views::page::{
        fork,
        kunit::page::{
            present,
            swap,
            Page, //
        },
    };

    trait Fork {
        /// Returns the reason.
        fn fork(&self) -> &'static str;
    }

    impl Fork for Page {
        fn fork(&self) -> &'static str {
            fork::predict(&self.facts()).1
        }
    }

    #[test]
    fn entries() {
        let empty = || Page::new(PageKind::Empty);

        assert_eq!(swap().fork(), "swap-entry");
        assert_eq!(empty().fork(), "empty");
        assert_eq!(empty().of_file().fork(), "no-anon-vma");
        assert_eq!(
            Page::new(PageKind::Marker).entry(&[PageFlag::Guard]).fork(),
            "guard"
        );
    }

    #[test]
    fn present_pages() {
        let pinned = || {
            let mut page = present().state(&[AnonFlag::Exclusive]).mapped(
                0,
                1,
                1024,
                &[FolioFlag::MaybePinned],
            );

            page.mm_has_pinned = true;
            page
        };
        let mut elsewhere = pinned();

        elsewhere.mm_has_pinned = false;
        assert_eq!(present().fork(), "anon-page");
        assert_eq!(pinned().fork(), "pinned");
        assert_eq!(pinned().state(&[]).fork(), "anon-page");
        assert_eq!(elsewhere.fork(), "anon-page");
        assert_eq!(pinned().vma(flags::DONTCOPY).fork(), "dontfork");
        assert_eq!(present().vma(flags::WIPEONFORK).fork(), "wipeonfork");
        assert_eq!(present().state(&[AnonFlag::Zero]).fork(), "zero-page");
        assert_eq!(
            present()
                .of_file()
                .vma(flags::PFNMAP)
                .entry(&[PageFlag::Huge])
                .fork(),
            "file-huge"
        );
    }
}
