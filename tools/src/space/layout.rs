// SPDX-License-Identifier: GPL-2.0

//! Rows of cells: those of a mapping follow each other, and each mapping begins a row.

use std::ops::Range;

/// A row of cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Index of the mapping.
    pub mapping: usize,
    /// Its virtual pages, by number.
    pub pages: Range<u64>,
    /// True for the first row of the mapping.
    pub first: bool,
}

impl Row {
    /// The pages of its cells, of `per_cell` pages each; the last one can have fewer.
    pub fn cells(&self, per_cell: u64) -> impl Iterator<Item = Range<u64>> + use<> {
        let Range { start, end } = self.pages;
        let per_cell = per_cell.max(1);

        (0..(end - start).div_ceil(per_cell)).map(move |cell| {
            let first = start + cell * per_cell;
            first..end.min(first.saturating_add(per_cell))
        })
    }
}

/// All rows of an address space, at one scale.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Pages of a cell, a power of two.
    pub per_cell: u64,
    /// Cells of a row.
    pub width: u64,
    mappings: Vec<Range<u64>>,
    /// Number of rows before each mapping, and of all rows.
    before: Vec<u64>,
}

impl Layout {
    /// Lays out `mappings`, which are ranges of page numbers, in ascending order.
    pub fn new(mappings: Vec<Range<u64>>, per_cell: u64, width: usize) -> Self {
        let (per_cell, width) = (per_cell.max(1), width.max(1) as u64);
        let mut rows = 0;
        let mut before = vec![0];

        for pages in &mappings {
            rows += rows_of(pages, per_cell, width);
            before.push(rows);
        }
        Self {
            per_cell,
            width,
            mappings,
            before,
        }
    }

    /// Lays them out at the finest scale that takes at most `rows` rows, or one row for each
    /// mapping if these are more.
    pub fn fitting(mappings: Vec<Range<u64>>, rows: u64, width: usize) -> Self {
        let rows = rows.max(mappings.len() as u64);
        let cells = width.max(1) as u64;
        let fits = |per_cell: &u64| {
            let all = mappings
                .iter()
                .map(|pages| rows_of(pages, *per_cell, cells));
            all.sum::<u64>() <= rows
        };
        let scales = (0..u64::BITS).map(|shift| 1 << shift);
        let per_cell = scales.clone().find(fits).unwrap_or(1 << 63);

        Self::new(mappings, per_cell, width)
    }

    /// Number of rows.
    pub fn len(&self) -> u64 {
        self.before.last().copied().unwrap_or(0)
    }

    /// Returns true if there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The mappings, as page numbers.
    pub fn mappings(&self) -> &[Range<u64>] {
        &self.mappings
    }

    /// The row that shows a page, or the next one that is mapped.
    pub fn row_of(&self, page: u64) -> u64 {
        let index = self.mappings.partition_point(|pages| pages.end <= page);
        let before = self.before.get(index).copied().unwrap_or(0);

        match self.mappings.get(index) {
            Some(pages) => {
                before
                    + page.saturating_sub(pages.start) / (self.per_cell.saturating_mul(self.width))
            }
            None => before.saturating_sub(1),
        }
    }

    /// At most `count` rows from row `first` on.
    pub fn rows(&self, first: u64, count: usize) -> Vec<Row> {
        let last = self.len().min(first.saturating_add(count as u64));
        let per_row = self.per_cell.saturating_mul(self.width);

        (first..last)
            .filter_map(|row| {
                let mapping = self
                    .before
                    .partition_point(|rows| *rows <= row)
                    .checked_sub(1)?;
                let pages = self.mappings.get(mapping)?;
                let number = row - self.before.get(mapping)?;
                let start = pages.start + number * per_row;
                Some(Row {
                    mapping,
                    pages: start..pages.end.min(start.saturating_add(per_row)),
                    first: number == 0,
                })
            })
            .collect()
    }
}

fn rows_of(pages: &Range<u64>, per_cell: u64, width: u64) -> u64 {
    (pages.end - pages.start).div_ceil(per_cell).div_ceil(width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn each_mapping_begins_a_row() {
        let layout = Layout::new(vec![10..13, 20..21, 40..60], 2, 4);
        assert_eq!(layout.len(), 1 + 1 + 3);
        let rows = layout.rows(1, 3);
        let found: Vec<_> = rows
            .iter()
            .map(|row| (row.mapping, row.pages.clone(), row.first))
            .collect();
        assert_eq!(
            found,
            [(1, 20..21, true), (2, 40..48, true), (2, 48..56, false)]
        );
        let cells: Vec<_> = layout.rows(0, 1)[0].cells(2).collect();
        assert_eq!(cells, [10..12, 12..13]);
        let places = [0, 12, 15, 47, 48, 99].map(|page| layout.row_of(page));
        assert_eq!(places, [0, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_hundred_gibibytes_fit_a_screen() {
        let pages = 100 << 18;
        let layout = Layout::fitting(vec![0..1, 100..100 + pages], 16, 48);
        assert!((9..=16).contains(&layout.len()), "{}", layout.len());
        assert!(Layout::fitting(Vec::new(), 16, 48).is_empty());
    }

    quickcheck! {
        fn rows_are_the_mappings(sizes: Vec<u8>, shift: u8, width: u8) -> bool {
            let mut next = 0;
            let mappings: Vec<_> = sizes.iter().map(|size| {
                next += 3;
                let start = next;
                next += u64::from(*size) + 1;
                start..next
            }).collect();
            let layout = Layout::new(mappings.clone(), 1 << (shift % 9), usize::from(width));
            let rows = layout.rows(0, usize::MAX);
            let cells = rows.iter().flat_map(|row| row.cells(layout.per_cell));

            rows.len() as u64 == layout.len()
                && cells.flatten().eq(mappings.into_iter().flatten())
                && rows.iter().zip(0..).all(|(row, i)| layout.row_of(row.pages.start) == i)
        }
    }
}
