// SPDX-License-Identifier: GPL-2.0

//! Where in an address space a page is, by its `anon_vma` and its index: what rmap does, for
//! one address space, and for pages that may be gone.

use kernel::{
    mm::{
        anon_vma::AnonVmaId,
        MmapReadGuard, //
    },
    page::PAGE_SHIFT,
    prelude::*, //
};

/// A part of an address space that pages of an `anon_vma` can be in.
#[derive(Clone, Copy)]
struct Range {
    anon_vma: AnonVmaId,
    /// The index of the first page.
    index: u64,
    /// How many pages there are.
    pages: u64,
    /// The address of the first page.
    start: usize,
    /// Whether new pages get this `anon_vma`; else, it is that of a process this one was forked from.
    own: bool,
}

impl Range {
    /// Returns the address of the page with this index, if it is in here.
    fn address(&self, index: u64) -> Option<usize> {
        let page = index
            .checked_sub(self.index)
            .filter(|&page| page < self.pages)?;

        Some(self.start + (usize::try_from(page).ok()? << PAGE_SHIFT))
    }
}

/// An address that a page can be at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whereabouts {
    pub(crate) address: usize,
    /// Whether new pages there get the page's `anon_vma`.
    pub(crate) own: bool,
}

/// All such parts of an address space, by `anon_vma` and index.
pub(crate) struct Addresses(KVVec<Range>);

impl Addresses {
    /// Collects them.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: no memory.
    pub(crate) fn of(mm: &MmapReadGuard<'_>) -> Result<Self> {
        let mut ranges = KVVec::new();
        let mut addr = 0;

        while let Some(vma) = mm.find_vma(addr) {
            let (start, end) = (vma.start(), vma.end());

            addr = end;
            let Some(index) = vma.anon_page_index(start) else {
                continue;
            };
            let index = index as u64;
            let own = vma.anon_vma();
            let pages = ((end - start) >> PAGE_SHIFT) as u64;
            let mut missing = 1;

            // Nothing can be allocated while they are told: what does not fit is counted, and told
            // again.
            while missing != 0 {
                ranges.reserve(missing, GFP_KERNEL)?;
                let before = ranges.len();

                missing = 0;
                vma.for_each_anon_vma(|anon_vma| {
                    let range = Range {
                        anon_vma,
                        index,
                        pages,
                        start,
                        own: own == Some(anon_vma),
                    };
                    missing += usize::from(ranges.push_within_capacity(range).is_err());
                });
                if missing != 0 {
                    missing += ranges.len() - before;
                    ranges.truncate(before);
                }
            }
        }
        ranges.sort_unstable_by_key(|range| (range.anon_vma, range.index));
        Ok(Self(ranges))
    }

    /// Returns where a page of this `anon_vma` and index can be.
    pub(crate) fn find(&self, anon_vma: AnonVmaId, index: u64) -> Option<Whereabouts> {
        let behind = self
            .0
            .partition_point(|range| (range.anon_vma, range.index) <= (anon_vma, index));

        // Areas that were moved can lie over each other here, hence not only the last one.
        self.0
            .get(..behind)?
            .iter()
            .rev()
            .take_while(|range| range.anon_vma == anon_vma)
            .take(8)
            .find_map(|range| {
                Some(Whereabouts {
                    address: range.address(index)?,
                    own: range.own,
                })
            })
    }

    /// Returns the only address where a page with this index can be, whatever its `anon_vma`.
    pub(crate) fn find_index(&self, index: u64) -> Option<usize> {
        let mut found = self
            .0
            .iter()
            .filter(|range| range.own)
            .filter_map(|range| range.address(index));
        let address = found.next()?;

        found.all(|other| other == address).then_some(address)
    }
}

#[kunit_tests(xpagemap_addresses)]
mod tests {
    use super::*;

    fn addresses() -> Result<Addresses> {
        let mut ranges = KVVec::new();

        for (anon_vma, index, pages, start, own) in [
            (1, 10, 5, 0x10000, true),
            (1, 20, 5, 0x90000, true),
            (2, 10, 5, 0x10000, false),
            (3, 100, 1, 0x70000, true),
        ] {
            let range = Range {
                anon_vma: AnonVmaId::from_bits(anon_vma),
                index,
                pages,
                start,
                own,
            };
            ranges.push(range, GFP_KERNEL)?;
        }
        Ok(Addresses(ranges))
    }

    #[test]
    fn a_page_is_where_its_index_is() -> Result {
        let addresses = addresses()?;
        let find = |anon_vma, index| addresses.find(AnonVmaId::from_bits(anon_vma), index);
        let at = |address, own| Some(Whereabouts { address, own });

        assert_eq!(find(1, 10), at(0x10000, true));
        assert_eq!(find(1, 14), at(0x14000, true));
        assert_eq!(find(1, 22), at(0x92000, true));
        assert_eq!(find(2, 11), at(0x11000, false));
        Ok(())
    }

    #[test]
    fn a_page_is_nowhere_between_and_behind() -> Result {
        let addresses = addresses()?;
        let find = |anon_vma, index| addresses.find(AnonVmaId::from_bits(anon_vma), index);

        assert_eq!(find(1, 9), None);
        assert_eq!(find(1, 15), None);
        assert_eq!(find(1, 25), None);
        assert_eq!(find(3, 10), None);
        assert_eq!(find(4, 10), None);
        Ok(())
    }

    #[test]
    fn an_index_alone_does_where_only_one_area_has_it() -> Result {
        let mut addresses = addresses()?;

        assert_eq!(addresses.find_index(100), Some(0x70000));
        assert_eq!(addresses.find_index(12), Some(0x12000));
        assert_eq!(addresses.find_index(99), None);
        let range = Range {
            anon_vma: AnonVmaId::from_bits(5),
            index: 100,
            pages: 1,
            start: 0x20000,
            own: true,
        };
        addresses.0.push(range, GFP_KERNEL)?;
        assert_eq!(addresses.find_index(100), None);
        Ok(())
    }
}
