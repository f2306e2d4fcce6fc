// SPDX-License-Identifier: GPL-2.0

//! The effects of a write: tables of facts and reasons.

use kernel::prelude::*;

#[kunit_tests(xpagemap_page_write)]
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
        facts::Facts,
        kunit::page::{
            folio,
            present,
            swap,
            Page, //
        },
        write, //
    };

    trait Write {
        /// Returns the reason.
        fn write(&self) -> &'static str;
    }

    impl Write for Page {
        fn write(&self) -> &'static str {
            write::predict(&self.facts()).1
        }
    }

    #[test]
    fn permission_comes_first() {
        let mut page = present().state(&[AnonFlag::Exclusive]);

        page.vma.flags = flags::READ;
        assert_eq!(page.write(), "read-only");
        assert_eq!(
            write::predict(&Facts {
                vma: None,
                ..page.facts()
            }),
            (write::Effect::Denied, "unmapped")
        );
    }

    #[test]
    fn small_pages() {
        let cache = FolioFlag::SwapCache;

        assert_eq!(present().state(&[AnonFlag::Writable]).write(), "writable");
        assert_eq!(present().state(&[AnonFlag::Exclusive]).write(), "exclusive");
        assert_eq!(present().state(&[AnonFlag::Zero]).write(), "zero-page");
        assert_eq!(present().write(), "last-reference");
        assert_eq!(present().mapped(0, 2, 0, &[]).write(), "shared");
        assert_eq!(present().mapped(0, 1, 1, &[]).write(), "references");
        assert_eq!(
            present().mapped(0, 1, 0, &[FolioFlag::Locked]).write(),
            "locked"
        );
        assert_eq!(present().mapped(0, 1, 0, &[FolioFlag::Ksm]).write(), "ksm");
        assert_eq!(
            present().mapped(0, 1, 0, &[cache]).write(),
            "last-reference"
        );
        assert_eq!(present().mapped(0, 1, 1, &[cache]).write(), "references");
        assert_eq!(
            present()
                .mapped(0, 1, 0, &[cache])
                .swap_references(1)
                .write(),
            "swap-references"
        );
        assert_eq!(
            present()
                .mapped(0, 1, 0, &[cache, FolioFlag::Writeback])
                .write(),
            "swap-references"
        );
    }

    #[test]
    fn large_folios() {
        let huge = |page: Page| page.entry(&[PageFlag::Huge]);

        assert_eq!(
            huge(present().mapped(9, 1, 0, &[])).write(),
            "last-reference"
        );
        assert_eq!(huge(present().mapped(9, 1, 1, &[])).write(), "references");
        assert_eq!(huge(present().mapped(9, 2, 0, &[])).write(), "shared");
        assert_eq!(present().mapped(4, 16, 0, &[]).write(), "last-process");
        assert_eq!(present().mapped(4, 16, 1, &[]).write(), "references");
        assert_eq!(present().mapped(4, 1, 0, &[]).write(), "last-page");
        assert_eq!(
            present()
                .mapped(4, 32, 0, &[FolioFlag::MappedShared])
                .write(),
            "shared"
        );
        assert_eq!(
            present().mapped(4, 16, 0, &[FolioFlag::SwapCache]).write(),
            "last-process"
        );
        assert_eq!(
            huge(present().mapped(9, 1, 5, &[FolioFlag::Hugetlb])).write(),
            "last-mapping"
        );
        assert_eq!(
            huge(present().mapped(9, 2, 0, &[FolioFlag::Hugetlb])).write(),
            "shared"
        );
    }

    #[test]
    fn pages_in_swap() {
        let exclusive = || swap().state(&[AnonFlag::Exclusive]);
        let unstable = [FolioFlag::Writeback, FolioFlag::StableWrites];

        assert_eq!(exclusive().write(), "swap-in-exclusive");
        assert_eq!(exclusive().cached(0, &[]).write(), "swap-in-exclusive");
        assert_eq!(exclusive().cached(0, &unstable).write(), "swap-in-copy");
        assert_eq!(swap().write(), "swap-in-last");
        assert_eq!(swap().swap_references(2).write(), "swap-in-copy");
        assert_eq!(swap().cached(0, &[]).write(), "swap-in-last");
        assert_eq!(swap().cached(1, &[]).write(), "swap-in-copy");
        assert_eq!(
            exclusive().cached(0, &[FolioFlag::Ksm]).write(),
            "swap-in-copy"
        );
    }

    #[test]
    fn absent_pages() {
        let empty = || Page::new(PageKind::Empty);
        let mut end = empty().of_file();
        let mut cached = empty().of_file().vma(flags::SHARED | flags::UFFD_MINOR);

        end.vma.beyond_end = true;
        cached.vma.shmem_cached = true;
        assert_eq!(empty().write(), "new-page");
        assert_eq!(
            empty().vma(flags::UFFD_MISSING).write(),
            "userfaultfd-missing"
        );
        assert_eq!(empty().of_file().write(), "private-copy");
        assert_eq!(empty().of_file().vma(flags::SHARED).write(), "shared-page");
        assert_eq!(end.write(), "beyond-end");
        assert_eq!(cached.write(), "userfaultfd-minor");
        assert_eq!(
            swap().entry(&[PageFlag::File]).of_file().write(),
            "private-copy"
        );
        assert_eq!(
            swap()
                .entry(&[PageFlag::File])
                .of_file()
                .vma(flags::SHARED | flags::UFFD_MISSING | flags::UFFD_MINOR)
                .write(),
            "userfaultfd-minor"
        );
    }

    #[test]
    fn files_and_userfaultfd() {
        let file = || {
            let mut page = present().of_file();

            page.folio = Some(folio(&[]));
            page
        };
        let protected = || present().entry(&[PageFlag::Uffd]).vma(flags::UFFD_WP);
        let mut asynchronous = protected();

        asynchronous.vma.wp_async = true;
        assert_eq!(file().write(), "file-page");
        assert_eq!(file().vma(flags::MAYSHARE).write(), "shared-mapping");
        assert_eq!(protected().write(), "userfaultfd-wp");
        assert_eq!(asynchronous.write(), "last-reference");
        assert_eq!(
            present()
                .entry(&[PageFlag::Uffd])
                .vma(flags::UFFD_RWP)
                .write(),
            "userfaultfd-rwp"
        );
    }

    #[test]
    fn other_entries() {
        let marker = |flags: &[PageFlag]| Page::new(PageKind::Marker).entry(flags);
        let effect = |page: &Page| write::predict(&page.facts()).0;

        assert_eq!(marker(&[PageFlag::Guard]).write(), "guard");
        assert_eq!(marker(&[]).write(), "poison");
        assert_eq!(
            effect(&Page::new(PageKind::HwPoison)),
            write::Effect::Denied
        );
        assert_eq!(
            effect(&Page::new(PageKind::Migration)),
            write::Effect::Fault
        );
    }
}
