// SPDX-License-Identifier: GPL-2.0

//! Counts the pages of an address space into cells, a bounded step at a time.

use std::collections::VecDeque;
use std::ops::Range;

use anyhow::Result;

use super::layout::Row;
use super::source::Source;
use super::state::{State, Tally};
use crate::range::overlap;

/// One pass over an address space. The pages of the rows that are shown are read first, so that
/// these are complete long before a large address space is.
pub struct Fold {
    pieces: VecDeque<(usize, Range<u64>)>,
    rows: Vec<Row>,
    per_cell: u64,
    cells: Vec<Vec<Tally>>,
    mappings: Vec<Tally>,
    all: u64,
    left: u64,
}

impl Fold {
    /// Begins a pass over `mappings`, page numbers in ascending order. `rows` are shown, in cells
    /// of `per_cell` pages.
    pub fn new(mappings: &[Range<u64>], rows: Vec<Row>, per_cell: u64) -> Self {
        let mut first = VecDeque::new();
        let mut rest = Vec::new();

        for (index, pages) in mappings.iter().enumerate() {
            let from = rows.partition_point(|row| row.mapping < index);
            let to = rows.partition_point(|row| row.mapping <= index);
            let shown = match (
                rows.get(from),
                to.checked_sub(1).and_then(|to| rows.get(to)),
            ) {
                (Some(a), Some(b)) if from < to => a.pages.start..b.pages.end,
                _ => pages.end..pages.end,
            };
            rest.push((index, pages.start..shown.start));
            rest.push((index, shown.end..pages.end));
            first.push_back((index, shown));
        }
        first.extend(rest);
        first.retain(|(_, pages)| !pages.is_empty());
        let all = mappings.iter().map(|pages| pages.end - pages.start).sum();
        let cells = rows
            .iter()
            .map(|row| vec![Tally::default(); row.cells(per_cell).count()])
            .collect();

        Self {
            pieces: first,
            rows,
            per_cell: per_cell.max(1),
            cells,
            mappings: vec![Tally::default(); mappings.len()],
            all,
            left: all,
        }
    }

    /// Reads some more pages. Returns true if there are no more.
    ///
    /// # Errors
    ///
    /// The source could not be read.
    pub fn step(&mut self, source: &mut dyn Source) -> Result<bool> {
        let Some((mapping, pages)) = self.pieces.pop_front() else {
            return Ok(true);
        };
        let (rows, cells, per_cell) = (&self.rows, &mut self.cells, self.per_cell);
        let mut tally = Tally::default();
        let end = source.step(pages.clone(), &mut |run, state| {
            let run = overlap(&run, &pages);
            tally.add(state, run.end - run.start);
            count(rows, cells, per_cell, run, state);
        })?;
        // No progress would mean no end.
        let end = if end > pages.start {
            end.min(pages.end)
        } else {
            pages.end
        };

        if let Some(all) = self.mappings.get_mut(mapping) {
            all.join(&tally);
        }
        self.left -= end - pages.start;
        if end < pages.end {
            self.pieces.push_front((mapping, end..pages.end));
        }
        Ok(self.pieces.is_empty())
    }

    /// Counts a run of pages of the first mapping, without a source: in any order.
    pub fn add(&mut self, run: Range<u64>, state: State) {
        if let Some(all) = self.mappings.first_mut() {
            all.add(state, run.end - run.start);
        }
        count(&self.rows, &mut self.cells, self.per_cell, run, state);
    }

    /// Reads all pages that are left.
    ///
    /// # Errors
    ///
    /// The source could not be read, or a signal arrived.
    pub fn finish(&mut self, source: &mut dyn Source) -> Result<()> {
        while !self.step(source)? {
            crate::interrupt::check()?;
        }
        Ok(())
    }

    /// The rows that are shown.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The counts of a row's cells.
    pub fn cells(&self, row: usize) -> &[Tally] {
        self.cells.get(row).map_or(&[], |cells| cells)
    }

    /// Pages of a cell.
    pub fn per_cell(&self) -> u64 {
        self.per_cell
    }

    /// The counts of each mapping.
    pub fn mappings(&self) -> &[Tally] {
        &self.mappings
    }

    /// The counts of all mappings.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();

        self.mappings.iter().for_each(|tally| total.join(tally));
        total
    }

    /// The part that has been read, in percent.
    pub fn percent(&self) -> u64 {
        let done = u128::from(self.all - self.left) * 100;

        u64::try_from(done.checked_div(u128::from(self.all)).unwrap_or(100)).unwrap_or(100)
    }
}

/// Counts a run in the cells that show it.
fn count(rows: &[Row], cells: &mut [Vec<Tally>], per_cell: u64, run: Range<u64>, state: State) {
    let from = rows.partition_point(|row| row.pages.end <= run.start);

    for (row, cells) in rows.iter().zip(cells).skip(from) {
        let pages = overlap(&run, &row.pages);
        if pages.is_empty() {
            return;
        }
        let mut start = pages.start;
        while start < pages.end {
            let cell = (start - row.pages.start) / per_cell;
            let end = row
                .pages
                .start
                .saturating_add((cell + 1).saturating_mul(per_cell));
            let end = end.min(pages.end);
            let index = usize::try_from(cell).unwrap_or(usize::MAX);
            if let Some(tally) = cells.get_mut(index) {
                tally.add(state, end - start);
            }
            start = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Layout;
    use super::super::state::STATES;
    use super::*;
    use quickcheck::quickcheck;
    use std::time::{Duration, Instant};

    /// Pages whose states a function tells, in steps of some runs.
    struct Artificial<F>(F, usize);

    impl<F: Fn(u64) -> Option<(u64, State)>> Source for Artificial<F> {
        fn step(
            &mut self,
            pages: Range<u64>,
            each: &mut dyn FnMut(Range<u64>, State),
        ) -> Result<u64> {
            let mut page = pages.start;
            for _ in 0..self.1 {
                if page >= pages.end {
                    break;
                }
                let run = (self.0)(page);
                let end = run.map_or(page + 1, |(end, _)| end);
                if let Some((_, state)) = run {
                    each(page..end, state);
                }
                page = end;
            }
            Ok(page)
        }
    }

    quickcheck! {
        fn every_page_is_in_its_cell(states: Vec<u8>, shift: u8, width: u8, from: u8, count: u8, steps: u8) -> bool {
            let of = |page: u64| {
                let kind = states.get(usize::try_from(page).ok()?)?;
                STATES.get(usize::from(kind % 12)).copied()
            };
            let pages = states.len() as u64;
            let mappings = vec![0..pages / 3, pages / 3..pages];
            let layout = Layout::new(mappings.clone(), 1 << (shift % 5), usize::from(width % 7));
            let rows = layout.rows(u64::from(from) % (layout.len() + 1), usize::from(count % 9));
            let mut fold = Fold::new(&mappings, rows.clone(), layout.per_cell);
            let mut source = Artificial(
                |page| of(page).map(|state| (page + 1, state)),
                usize::from(steps % 9) + 1,
            );
            fold.finish(&mut source).expect("no errors");

            let tally = |pages: Range<u64>| {
                let mut tally = Tally::default();
                pages.filter_map(of).for_each(|state| tally.add(state, 1));
                tally
            };
            fold.percent() == 100
                && fold.total() == tally(0..pages)
                && mappings.iter().zip(fold.mappings()).all(|(pages, found)| tally(pages.clone()) == *found)
                && rows.iter().enumerate().all(|(i, row)| {
                    row.cells(layout.per_cell).map(tally).eq(fold.cells(i).iter().copied())
                })
        }
    }

    /// Peak memory of this process, in KiB.
    fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let word = line.and_then(|line| line.split_whitespace().next());
        word.expect("VmHWM").parse().expect("a number")
    }

    /// 100 GiB in ten million runs: little memory, and the first rows at once.
    #[test]
    fn ten_million_runs_take_little_memory() {
        let pages = 100 << 18;
        let runs = 10_000_000;
        // Runs of 1 to 4 pages; neighbours differ.
        let of = |page: u64| {
            let run = page * runs / pages;
            let end = ((run + 1) * pages).div_ceil(runs);
            STATES
                .get((run % 9) as usize)
                .map(|state| (end.min(pages), *state))
        };
        let mappings = vec![0..1000, 1000..pages];
        let layout = Layout::new(mappings.clone(), 1 << 6, 50);
        let begun = Instant::now();
        let mut fold = Fold::new(&mappings, layout.rows(0, 20), layout.per_cell);
        let mut source = Artificial(of, 512);
        let mut steps = 0;
        while fold.cells(19).last().is_none_or(|cell| cell.sum() < 1 << 6) {
            assert!(!fold.step(&mut source).expect("no errors"));
            steps += 1;
        }
        let first = begun.elapsed();
        assert!(steps < 200, "{steps} steps for 64000 pages");
        fold.finish(&mut source).expect("no errors");

        assert_eq!(fold.total().sum(), pages);
        assert!(fold.total().of(State::Exclusive) > pages / 12);
        assert!(peak() < 200 << 10, "{} KiB", peak());
        assert!(first < Duration::from_secs(1), "{first:?}");
    }
}
