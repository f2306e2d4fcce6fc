// SPDX-License-Identifier: GPL-2.0

//! The invariants of the exclusive bit, as a table.
//!
//! Source: `mm/internal.h`, `include/linux/rmap.h` and `include/linux/page-flags.h`, where the
//! kernel sets, clears and relies on the bit. All states were read under the page table lock, which
//! is what makes the rules exact.

use kernel::{
    mm::{
        anon_state::{
            AnonFlag,
            AnonState, //
        },
        page_state::{
            PageFlag,
            PageKind, //
        },
    },
    prelude::*, //
};

/// The certainty that a rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is.
    Certain,
    /// All that can be counted says so, but not all can be counted.
    Suspected,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Suspected => "suspected",
        }
    }
}

/// Something that must hold.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    broken: fn(&Page<'_>) -> Option<Verdict>,
}

/// A page of anonymous memory, as the rules see it.
struct Page<'a> {
    state: &'a AnonState,
}

impl Page<'_> {
    fn is(&self, flag: AnonFlag) -> bool {
        self.state.flags.contains(flag)
    }

    fn present(&self) -> bool {
        self.state.page.kind == PageKind::Present
    }

    /// Mapped by its own PTE, and part of a large folio.
    fn piece(&self) -> bool {
        self.is(AnonFlag::Large) && !self.state.page.flags.contains(PageFlag::Huge)
    }

    /// References that neither a mapping nor the swap cache explains.
    fn unexplained_references(&self) -> u32 {
        let swap_cache = u32::from(self.is(AnonFlag::SwapCache));

        self.state
            .references
            .saturating_sub(self.state.mappings)
            .saturating_sub(swap_cache)
    }
}

/// The references that each pin of a small folio adds: `GUP_PIN_COUNTING_BIAS`.
const PIN: u32 = 1024;

/// Returns a verdict that is certain, if a rule is broken.
fn certain(broken: bool) -> Option<Verdict> {
    broken.then_some(Verdict::Certain)
}

/// The rules.
pub(crate) const RULES: [Rule; 7] = [
    // A page that the process may write without asking is nobody else's. In hugetlb, and where a
    // PMD maps the folio, the first page's bit stands for all.
    Rule {
        name: "writable-not-exclusive",
        broken: |page| {
            certain(page.present() && page.is(AnonFlag::Writable) && !page.is(AnonFlag::Exclusive))
        },
    },
    // An exclusive page has one mapping, this one. The converse does not hold: the others may be
    // gone. Where the kernel keeps no count for each page, that of a large folio says nothing. KSM
    // pages have a rule of their own.
    Rule {
        name: "exclusive-mapped-twice",
        broken: |page| {
            let counted = cfg!(CONFIG_PAGE_MAPCOUNT) || !page.piece();

            certain(
                page.present()
                    && page.is(AnonFlag::Exclusive)
                    && !page.is(AnonFlag::Ksm)
                    && counted
                    && page.state.mappings != 1,
            )
        },
    },
    // A pinned page is exclusive, so that it is never replaced under the pin. That can only be
    // suspected: GUP-fast pins first, looks at the bit then, and lets go if it must. Besides, a small
    // folio's pins are counted among its references, which others may hold as well. A large folio's
    // are counted for the whole of it: where PTEs map its pages, one of these may be pinned and
    // another shared.
    Rule {
        name: "pinned-not-exclusive",
        broken: |page| {
            if !page.present() || page.is(AnonFlag::Exclusive) || page.is(AnonFlag::Ksm) {
                return None;
            }
            let known = if page.is(AnonFlag::PinsCounted) {
                !page.piece()
            } else {
                page.unexplained_references() >= PIN
            };
            (page.is(AnonFlag::MaybePinned) && known).then_some(Verdict::Suspected)
        },
    },
    // A KSM page is everybody's.
    Rule {
        name: "ksm-exclusive",
        broken: |page| {
            certain(page.present() && page.is(AnonFlag::Ksm) && page.is(AnonFlag::Exclusive))
        },
    },
    // A swap entry that is marked as exclusive is the only one of its slot.
    Rule {
        name: "swap-exclusive-shared",
        broken: |page| {
            certain(
                page.state.page.kind == PageKind::Swap
                    && page.is(AnonFlag::Exclusive)
                    && page.state.swap_references != 1,
            )
        },
    },
    // While a swap entry refers to a page in the swap cache, nobody has that page for itself.
    Rule {
        name: "swapcache-exclusive",
        broken: |page| {
            certain(page.state.page.kind == PageKind::Swap && page.is(AnonFlag::SourceExclusive))
        },
    },
    // The maker of a migration entry takes the bit from the page first, and leaves it to the entry
    // to remember.
    Rule {
        name: "migration-exclusive",
        broken: |page| {
            certain(
                page.state.page.kind == PageKind::Migration && page.is(AnonFlag::SourceExclusive),
            )
        },
    },
];

/// Returns the rules that a page breaks.
pub(crate) fn broken(state: &AnonState) -> impl Iterator<Item = (&'static Rule, Verdict)> + '_ {
    let rules: &'static [Rule] = &RULES;

    // Of pages of files, and zero pages, the same bit means something else, or nothing.
    rules
        .iter()
        .filter(|_| state.is_anon())
        .filter_map(|rule| Some((rule, (rule.broken)(&Page { state })?)))
}

#[kunit_tests(xpagemap_invariants)]
mod tests {
    use super::*;
    use kernel::mm::{
        anon_state::AnonFlags,
        page_state::PageState, //
    };

    /// A page with one mapping and one reference.
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
        // Of pages of files and zero pages, the bit says nothing.
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
        // Another page of the folio may be the one that is pinned.
        assert!(holds(&present(&large)));

        let small = |references, mappings, flags: &[AnonFlag]| AnonState {
            references,
            mappings,
            ..present(flags)
        };
        let pinned = [AnonFlag::MaybePinned];
        assert!(breaks(&small(1025, 1, &pinned), rule, Verdict::Suspected));
        // Mappings and the swap cache explain that many references.
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
        // A writable migration entry is no writable page.
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
