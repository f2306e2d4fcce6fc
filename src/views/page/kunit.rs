// SPDX-License-Identifier: GPL-2.0

//! The predictions: tables of facts and effects.

use kernel::prelude::*;

#[kunit_tests(xpagemap_page)]
mod tests {
    use kernel::mm::{
        anon_state::{
            AnonFlag,
            AnonFlags,
            AnonState, //
        },
        folio::{
            FolioFacts,
            FolioFlag,
            FolioFlags, //
        },
        page_state::{
            PageFlag,
            PageFlags,
            PageKind,
            PageState, //
        },
        virt::{
            flags,
            vm_flags_t, //
        },
    };

    use crate::views::page::{
        facts::{
            Facts,
            Vma, //
        },
        fork,
        write, //
    };

    /// Facts that a table changes.
    #[derive(Clone)]
    struct Page {
        vma: Vma,
        state: AnonState,
        folio: Option<FolioFacts>,
        cached: Option<FolioFacts>,
        swap_references: u32,
        mm_has_pinned: bool,
    }

    fn folio(flags: &[FolioFlag]) -> FolioFacts {
        FolioFacts {
            frame: 1,
            first_frame: 1,
            order: 0,
            index: 0,
            references: 1,
            mappings: 1,
            pins: None,
            slot: None,
            flags: flags
                .iter()
                .fold(FolioFlags::empty(), |all, &flag| all | flag),
        }
    }

    impl Page {
        /// Returns a page of a private anonymous VMA; a present one has one mapping and one
        /// reference, and may be written to after a fault.
        fn new(kind: PageKind) -> Self {
            let page = PageState {
                kind,
                ..PageState::UNMAPPED
            };

            Self {
                vma: Vma {
                    addresses: 0..1,
                    flags: flags::READ | flags::WRITE,
                    anonymous: true,
                    anon_vma: true,
                    file: None,
                    index: 0,
                    beyond_end: false,
                    shmem_cached: false,
                    wp_async: false,
                    rwp_async: false,
                },
                state: AnonState {
                    swap_references: 1,
                    ..AnonState::of(page)
                },
                folio: (kind == PageKind::Present).then(|| folio(&[FolioFlag::Anon])),
                cached: None,
                swap_references: 0,
                mm_has_pinned: false,
            }
        }

        fn state(mut self, flags: &[AnonFlag]) -> Self {
            self.state.flags = flags
                .iter()
                .fold(AnonFlags::default(), |all, &flag| all | flag);
            self
        }

        fn entry(mut self, flags: &[PageFlag]) -> Self {
            self.state.page.flags = flags
                .iter()
                .fold(PageFlags::default(), |all, &flag| all | flag);
            self
        }

        fn vma(mut self, more: vm_flags_t) -> Self {
            self.vma.flags |= more;
            self
        }

        fn of_file(mut self) -> Self {
            self.vma.anonymous = false;
            self.vma.file = Some((0, 1, 2));
            self.vma.anon_vma = false;
            self
        }

        /// Sets the mapped folio, with `extra` references besides those of mappings and swap cache.
        fn mapped(mut self, order: u32, mappings: u32, extra: u32, flags: &[FolioFlag]) -> Self {
            let flags = flags
                .iter()
                .fold(FolioFlags::empty() | FolioFlag::Anon, |all, &flag| {
                    all | flag
                });
            let cache = if flags.contains(FolioFlag::SwapCache) {
                1 << order
            } else {
                0
            };

            self.folio = Some(FolioFacts {
                order,
                mappings,
                references: mappings + extra + cache,
                flags,
                ..folio(&[])
            });
            self
        }

        fn swap_references(mut self, references: u32) -> Self {
            self.swap_references = references;
            self.state.swap_references = references;
            self
        }

        fn cached(mut self, mappings: u32, flags: &[FolioFlag]) -> Self {
            self.cached = Some(FolioFacts {
                mappings,
                references: mappings + 1,
                ..folio(flags)
            });
            self.cached.as_mut().into_iter().for_each(|folio| {
                folio.flags |= FolioFlag::SwapCache;
            });
            self
        }

        fn facts(&self) -> Facts<'_> {
            Facts {
                vma: Some(&self.vma),
                state: &self.state,
                folio: self.folio.as_ref(),
                cached: self.cached.as_ref(),
                swap_references: self.swap_references,
                mm_has_pinned: self.mm_has_pinned,
            }
        }

        fn write(&self) -> &'static str {
            write::predict(&self.facts()).1
        }

        fn fork(&self) -> &'static str {
            fork::predict(&self.facts()).1
        }
    }

    fn present() -> Page {
        Page::new(PageKind::Present)
    }

    fn swap() -> Page {
        Page::new(PageKind::Swap)
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
        assert_eq!(swap().fork(), "swap-entry");
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
        assert_eq!(empty().fork(), "empty");
        assert_eq!(empty().of_file().fork(), "no-anon-vma");
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
        assert_eq!(marker(&[PageFlag::Guard]).fork(), "guard");
        assert_eq!(
            effect(&Page::new(PageKind::HwPoison)),
            write::Effect::Denied
        );
        assert_eq!(
            effect(&Page::new(PageKind::Migration)),
            write::Effect::Fault
        );
    }

    #[test]
    fn forks() {
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
