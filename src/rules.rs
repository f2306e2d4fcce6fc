// SPDX-License-Identifier: GPL-2.0

//! The invariants of the exclusive bit, as a table.
//!
//! Source: `mm/internal.h`, `include/linux/rmap.h` and `include/linux/page-flags.h`, where the
//! kernel sets, clears and relies on the bit. The rules are exact because all states were read
//! under the page table lock.

use kernel::mm::{
    anon_state::{
        AnonFlag,
        AnonState, //
    },
    page_state::{
        PageFlag,
        PageKind, //
    },
};

mod kunit;

/// The certainty that a rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The rule is broken.
    Certain,
    /// The counts say so, and do not tell everything.
    Suspected,
}

impl Verdict {
    /// Returns the verdict's name in `violations`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Suspected => "suspected",
        }
    }
}

/// An invariant.
pub(crate) struct Rule {
    /// The rule's name in `violations`.
    pub(crate) name: &'static str,
    /// Returns a verdict if the page breaks the rule.
    broken: fn(&Page<'_>) -> Option<Verdict>,
}

/// A page of anonymous memory.
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

    /// Returns whether the page is mapped by a PTE of its own, and part of a large folio.
    fn piece(&self) -> bool {
        self.is(AnonFlag::Large) && !self.state.page.flags.contains(PageFlag::Huge)
    }

    /// Returns the number of references held by neither a mapping nor the swap cache.
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

/// Returns [`Verdict::Certain`] if `broken`.
fn certain(broken: bool) -> Option<Verdict> {
    broken.then_some(Verdict::Certain)
}

/// The rules.
pub(crate) const RULES: [Rule; 7] = [
    // A page that can be written without a fault has no other owner. In hugetlb, and in a folio
    // that a PMD maps, the first page's bit counts for all.
    Rule {
        name: "writable-not-exclusive",
        broken: |page| {
            certain(page.present() && page.is(AnonFlag::Writable) && !page.is(AnonFlag::Exclusive))
        },
    },
    // An exclusive page has one mapping, this one. The converse does not hold: the others may be
    // gone. Without CONFIG_PAGE_MAPCOUNT, the count of a large folio does not tell that of its
    // page. KSM pages have a rule of their own.
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
    // A pinned page is exclusive, so that it is never replaced under the pin. A breach is
    // suspected only: GUP-fast pins first, then tests the bit, and unpins if it is clear. Besides,
    // pins of a small folio are counted among its references, and not all of these are pins. Pins
    // of a large folio are counted for the folio: where PTEs map its pages, one page may be pinned
    // and another shared.
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
    // A KSM page is shared.
    Rule {
        name: "ksm-exclusive",
        broken: |page| {
            certain(page.present() && page.is(AnonFlag::Ksm) && page.is(AnonFlag::Exclusive))
        },
    },
    // A swap entry with the exclusive mark is the only one of its swap slot.
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
    // A page in the swap cache is not exclusive while a swap entry refers to it.
    Rule {
        name: "swapcache-exclusive",
        broken: |page| {
            certain(page.state.page.kind == PageKind::Swap && page.is(AnonFlag::SourceExclusive))
        },
    },
    // The bit is cleared before the migration entry is made, and kept as the entry's mark.
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

    // The same bit is PG_mappedtodisk on pages of files, and means nothing on zero pages.
    rules
        .iter()
        .filter(|_| state.is_anon())
        .filter_map(|rule| Some((rule, (rule.broken)(&Page { state })?)))
}
