// SPDX-License-Identifier: GPL-2.0

//! Each rule of the table: a state that breaks it, and similar states that do not.

use kernel::prelude::*;

#[kunit_tests(xpagemap_rules)]
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

    use crate::rules::{
        broken,
        Verdict, //
    };

    /// Returns a page with one mapping, one reference and one swap reference.
    fn page(kind: PageKind, flags: &[AnonFlag]) -> AnonState {
        let page = PageState {
            kind,
            ..PageState::UNMAPPED
        };

        AnonState {
            flags: flags
                .iter()
                .fold(AnonFlags::default(), |all, &flag| all | flag),
            references: 1,
            mappings: 1,
            swap_references: 1,
            ..AnonState::of(page)
        }
    }

    fn present(flags: &[AnonFlag]) -> AnonState {
        page(PageKind::Present, flags)
    }

    /// Returns whether a page breaks this rule, and no other.
    fn breaks(state: &AnonState, name: &str, verdict: Verdict) -> bool {
        broken(state)
            .map(|(rule, verdict)| (rule.name, verdict))
            .eq([(name, verdict)])
    }

    fn holds(state: &AnonState) -> bool {
        broken(state).next().is_none()
    }

    #[test]
    fn writable_not_exclusive() {
        let rule = "writable-not-exclusive";
        assert!(breaks(
            &present(&[AnonFlag::Writable]),
            rule,
            Verdict::Certain
        ));
        assert!(holds(&present(&[AnonFlag::Writable, AnonFlag::Exclusive])));
        assert!(holds(&present(&[])));
        // The bit means nothing on pages of files and zero pages.
        let mut file = present(&[AnonFlag::Writable]);
        file.page.flags |= PageFlag::File;
        assert!(holds(&file));
        assert!(holds(&present(&[AnonFlag::Writable, AnonFlag::Zero])));
    }

    #[test]
    fn exclusive_mapped_twice() {
        let rule = "exclusive-mapped-twice";
        let twice = |flags: &[AnonFlag]| AnonState {
            mappings: 2,
            ..present(flags)
        };
        assert!(breaks(
            &twice(&[AnonFlag::Exclusive]),
            rule,
            Verdict::Certain
        ));
        assert!(holds(&twice(&[])));
        assert!(holds(&present(&[AnonFlag::Exclusive])));
        let piece = twice(&[AnonFlag::Exclusive, AnonFlag::Large]);
        assert_eq!(holds(&piece), !cfg!(CONFIG_PAGE_MAPCOUNT));
        let mut huge = piece;
        huge.page.flags |= PageFlag::Huge;
        assert!(breaks(&huge, rule, Verdict::Certain));
        // A swap entry's page need not be mapped at all.
        let swapped = AnonState {
            mappings: 0,
            ..page(PageKind::Swap, &[AnonFlag::Exclusive])
        };
        assert!(holds(&swapped));
    }

    #[test]
    fn pinned_not_exclusive() {
        let rule = "pinned-not-exclusive";
        let large = [
            AnonFlag::MaybePinned,
            AnonFlag::PinsCounted,
            AnonFlag::Large,
        ];
        let mut huge = present(&large);
        huge.page.flags |= PageFlag::Huge;
        assert!(breaks(&huge, rule, Verdict::Suspected));
        huge.flags |= AnonFlag::Exclusive;
        assert!(holds(&huge));
        // The pin may be on another page of the folio.
        assert!(holds(&present(&large)));

        let small = |references, mappings, flags: &[AnonFlag]| AnonState {
            references,
            mappings,
            ..present(flags)
        };
        let pinned = [AnonFlag::MaybePinned];
        assert!(breaks(&small(1025, 1, &pinned), rule, Verdict::Suspected));
        // Mappings and the swap cache hold that many references.
        assert!(holds(&small(1100, 1099, &pinned)));
        let cached = [AnonFlag::MaybePinned, AnonFlag::SwapCache];
        assert!(holds(&small(1025, 1, &cached)));
        let exclusive = [AnonFlag::MaybePinned, AnonFlag::Exclusive];
        assert!(holds(&small(1025, 1, &exclusive)));
        assert!(holds(&small(
            1025,
            1,
            &[AnonFlag::MaybePinned, AnonFlag::Ksm]
        )));
    }

    #[test]
    fn ksm_exclusive() {
        let both = AnonState {
            mappings: 7,
            ..present(&[AnonFlag::Ksm, AnonFlag::Exclusive])
        };
        assert!(breaks(&both, "ksm-exclusive", Verdict::Certain));
        assert!(holds(&present(&[AnonFlag::Ksm])));
    }

    #[test]
    fn swap_exclusive_shared() {
        let rule = "swap-exclusive-shared";
        let swapped = |swap_references, flags: &[AnonFlag]| AnonState {
            swap_references,
            ..page(PageKind::Swap, flags)
        };
        assert!(breaks(
            &swapped(2, &[AnonFlag::Exclusive]),
            rule,
            Verdict::Certain
        ));
        assert!(breaks(
            &swapped(0, &[AnonFlag::Exclusive]),
            rule,
            Verdict::Certain
        ));
        assert!(holds(&swapped(1, &[AnonFlag::Exclusive])));
        assert!(holds(&swapped(2, &[])));
    }

    #[test]
    fn swapcache_exclusive() {
        let rule = "swapcache-exclusive";
        let cached = [AnonFlag::SwapCache, AnonFlag::SourceExclusive];
        assert!(breaks(
            &page(PageKind::Swap, &cached),
            rule,
            Verdict::Certain
        ));
        assert!(holds(&page(PageKind::Swap, &[AnonFlag::SwapCache])));
    }

    #[test]
    fn migration_exclusive() {
        let rule = "migration-exclusive";
        let source = [AnonFlag::Exclusive, AnonFlag::SourceExclusive];
        assert!(breaks(
            &page(PageKind::Migration, &source),
            rule,
            Verdict::Certain
        ));
        assert!(holds(&page(PageKind::Migration, &[AnonFlag::Exclusive])));
        // A writable migration entry is not a writable page.
        let writable = [AnonFlag::Exclusive, AnonFlag::Writable];
        assert!(holds(&page(PageKind::Migration, &writable)));
    }

    #[test]
    fn nothing_breaks_nothing() {
        for kind in [PageKind::Hole, PageKind::Empty, PageKind::Marker] {
            assert!(holds(&page(
                kind,
                &[AnonFlag::Writable, AnonFlag::SourceExclusive]
            )));
        }
    }
}
