// SPDX-License-Identifier: GPL-2.0

//! The addresses of pages in one address space, by `anon_vma` and index: rmap for one address
//! space, and for pages that may be gone.

use kernel::{
    mm::{
        anon_vma::AnonVmaId,
        MmapReadGuard, //
    },
    page::PAGE_SHIFT,
    prelude::*, //
};

/// A range of addresses at which pages of an `anon_vma` can be.
#[derive(Clone, Copy)]
struct Range {
    anon_vma: AnonVmaId,
    /// The index of the first page.
    index: u64,
    /// The number of pages.
    pages: u64,
    /// The address of the first page.
    start: usize,
    /// True if new pages get this `anon_vma`; false if it belongs to a process this one was forked
    /// from.
    own: bool,
}

impl Range {
    /// Returns the address of the page with this index, if it is in the range.
    fn address(&self, index: u64) -> Option<usize> {
        let page = index
            .checked_sub(self.index)
            .filter(|&page| page < self.pages)?;

        Some(self.start + (usize::try_from(page).ok()? << PAGE_SHIFT))
    }
}

/// An address at which a page can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) address: usize,
    /// True if new pages there get the page's `anon_vma`.
    pub(super) own: bool,
}

/// All such ranges of an address space, sorted by `anon_vma` and index.
pub(super) struct RmapIndex(KVVec<Range>);

impl RmapIndex {
    /// Collects the ranges of an address space.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(super) fn of(mm: &MmapReadGuard<'_>) -> Result<Self> {
        let mut ranges = KVVec::new();
        let mut ids = KVVec::new();
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

            // A fault of another thread can lengthen the chain between two calls: ask again.
            let mut found = vma.anon_vmas(&mut ids);
            while found > ids.len() {
                ids.resize(found, AnonVmaId::from_bits(0), GFP_KERNEL)?;
                found = vma.anon_vmas(&mut ids);
            }
            for &anon_vma in ids.iter().take(found) {
                let range = Range {
                    anon_vma,
                    index,
                    pages,
                    start,
                    own: own == Some(anon_vma),
                };
                ranges.push(range, GFP_KERNEL)?;
            }
        }
        ranges.sort_unstable_by_key(|range| (range.anon_vma, range.index));
        Ok(Self(ranges))
    }

    /// Returns the address at which a page of this `anon_vma` and index can be.
    pub(super) fn find(&self, anon_vma: AnonVmaId, index: u64) -> Option<Place> {
        let behind = self
            .0
            .partition_point(|range| (range.anon_vma, range.index) <= (anon_vma, index));

        // VMAs that were moved can overlap here: search more than the last range.
        self.0
            .get(..behind)?
            .iter()
            .rev()
            .take_while(|range| range.anon_vma == anon_vma)
            .take(8)
            .find_map(|range| {
                Some(Place {
                    address: range.address(index)?,
                    own: range.own,
                })
            })
    }

    /// Returns the only address at which a page with this index can be, whatever its `anon_vma`.
    pub(super) fn find_index(&self, index: u64) -> Option<usize> {
        let mut found = self
            .0
            .iter()
            .filter(|range| range.own)
            .filter_map(|range| range.address(index));
        let address = found.next()?;

        found.all(|other| other == address).then_some(address)
    }
}

#[kunit_tests(xpagemap_rmap_index)]
mod tests {
    use super::*;

    fn rmap_index() -> Result<RmapIndex> {
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
        Ok(RmapIndex(ranges))
    }

    #[test]
    fn a_page_is_where_its_index_is() -> Result {
        let rmap_index = rmap_index()?;
        let find = |anon_vma, index| rmap_index.find(AnonVmaId::from_bits(anon_vma), index);
        let at = |address, own| Some(Place { address, own });

        assert_eq!(find(1, 10), at(0x10000, true));
        assert_eq!(find(1, 14), at(0x14000, true));
        assert_eq!(find(1, 22), at(0x92000, true));
        assert_eq!(find(2, 11), at(0x11000, false));
        Ok(())
    }

    #[test]
    fn a_page_is_nowhere_between_and_behind() -> Result {
        let rmap_index = rmap_index()?;
        let find = |anon_vma, index| rmap_index.find(AnonVmaId::from_bits(anon_vma), index);

        assert_eq!(find(1, 9), None);
        assert_eq!(find(1, 15), None);
        assert_eq!(find(1, 25), None);
        assert_eq!(find(3, 10), None);
        assert_eq!(find(4, 10), None);
        Ok(())
    }

    #[test]
    fn an_index_alone_does_where_only_one_area_has_it() -> Result {
        let mut rmap_index = rmap_index()?;

        assert_eq!(rmap_index.find_index(100), Some(0x70000));
        assert_eq!(rmap_index.find_index(12), Some(0x12000));
        assert_eq!(rmap_index.find_index(99), None);
        let range = Range {
            anon_vma: AnonVmaId::from_bits(5),
            index: 100,
            pages: 1,
            start: 0x20000,
            own: true,
        };
        rmap_index.0.push(range, GFP_KERNEL)?;
        assert_eq!(rmap_index.find_index(100), None);
        Ok(())
    }
}
