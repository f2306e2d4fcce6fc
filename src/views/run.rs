// SPDX-License-Identifier: GPL-2.0

//! The lines of `swapmap`: `START-END TYPE OFFSET PAGES KIND`.

use kernel::{
    mm::{
        page_state::{
            PageFlag,
            PageKind,
            PageState, //
        },
        shmem::{
            SwapRun,
            SwapSlot, //
        },
    },
    prelude::*, //
};

use crate::text::Text;

/// What a page that is in swap belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shmem,
    Anon,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Shmem => "shmem",
            Self::Anon => "anon",
        }
    }
}

/// Consecutive pages in consecutive slots.
pub(crate) struct Run {
    /// The number of the first page.
    page: usize,
    pages: usize,
    slot: SwapSlot,
    kind: Kind,
}

impl Run {
    /// Makes a run of one page that is in swap.
    pub(crate) fn from_state(page: usize, state: &PageState) -> Option<Self> {
        (state.kind == PageKind::Swap).then(|| Self {
            page,
            pages: 1,
            slot: SwapSlot {
                swap_type: state.swap_type,
                offset: state.frame,
            },
            kind: if state.flags.contains(PageFlag::File) {
                Kind::Shmem
            } else {
                Kind::Anon
            },
        })
    }

    /// Makes a run of what a file has in swap from page number `first` on.
    pub(crate) fn from_file(run: &SwapRun, first: usize) -> Self {
        let skipped = first.saturating_sub(run.index);

        Self {
            page: run.index + skipped,
            pages: run.pages - skipped,
            slot: SwapSlot {
                offset: run.slot.offset + skipped,
                ..run.slot
            },
            kind: Kind::Shmem,
        }
    }

    /// Appends another run, if it goes on where this one ends, in memory and in swap.
    fn append(&mut self, next: &Self) -> bool {
        let goes_on = next.page == self.page + self.pages
            && next.slot.swap_type == self.slot.swap_type
            && next.slot.offset == self.slot.offset + self.pages
            && next.kind == self.kind;

        if goes_on {
            self.pages += next.pages;
        }
        goes_on
    }

    /// Writes the run as a line.
    fn write(&self, unit: usize, text: &mut Text) -> Result {
        let start = self.page * unit;
        let end = (self.page + self.pages) * unit;
        let SwapSlot { swap_type, offset } = self.slot;
        let pages = self.pages;
        let kind = self.kind.name();

        text.append(fmt!(
            "{start:x}-{end:x} {swap_type} {offset} {pages} {kind}\n"
        ))
    }
}

/// Runs that come one after the other, and become as long as they can.
pub(crate) struct Runs {
    last: Option<Run>,
    unit: usize,
}

impl Runs {
    /// `unit` is by how much addresses grow from one page to the next.
    pub(crate) fn new(unit: usize) -> Self {
        Self { last: None, unit }
    }

    /// Adds a run; writes the one before, if it does not continue that.
    pub(crate) fn add(&mut self, run: Run, text: &mut Text) -> Result {
        if !self.last.as_mut().is_some_and(|last| last.append(&run)) {
            self.finish(text)?;
            self.last = Some(run);
        }
        Ok(())
    }

    /// Writes the last run.
    pub(crate) fn finish(&mut self, text: &mut Text) -> Result {
        self.last
            .take()
            .map_or(Ok(()), |run| run.write(self.unit, text))
    }
}

#[kunit_tests(xpagemap_run)]
mod tests {
    use super::*;

    fn page(page: usize, offset: usize, kind: Kind) -> Run {
        let slot = SwapSlot {
            swap_type: 1,
            offset,
        };

        Run {
            page,
            pages: 1,
            slot,
            kind,
        }
    }

    /// Returns the lines that some runs become.
    fn lines(unit: usize, runs: impl IntoIterator<Item = Run>) -> Text {
        let mut text = Text::new();
        let mut all = Runs::new(unit);

        for run in runs {
            assert!(all.add(run, &mut text).is_ok());
        }
        assert!(all.finish(&mut text).is_ok());
        text
    }

    #[test]
    fn what_goes_on_is_one_line() {
        let runs = [
            page(0x10, 7, Kind::Shmem),
            page(0x11, 8, Kind::Shmem),
            page(0x12, 9, Kind::Shmem),
        ];
        assert_eq!(lines(0x1000, runs).as_bytes(), b"10000-13000 1 7 3 shmem\n");
    }

    #[test]
    fn what_does_not_is_another() {
        let runs = [
            page(1, 7, Kind::Shmem),
            page(2, 8, Kind::Anon),
            page(4, 9, Kind::Anon),
            page(5, 11, Kind::Anon),
        ];
        assert_eq!(
            lines(1, runs).as_bytes(),
            b"1-2 1 7 1 shmem\n2-3 1 8 1 anon\n4-5 1 9 1 anon\n5-6 1 11 1 anon\n"
        );
    }

    #[test]
    fn run_of_a_file_is_cut_where_the_range_begins() {
        let run = SwapRun {
            index: 512,
            pages: 512,
            slot: SwapSlot {
                swap_type: 1,
                offset: 1000,
            },
        };
        let cut = [Run::from_file(&run, 700)];
        assert_eq!(lines(1, cut).as_bytes(), b"2bc-400 1 1188 324 shmem\n");
    }

    #[test]
    fn nothing_is_no_line() {
        assert_eq!(lines(1, []).as_bytes(), b"");
    }
}
