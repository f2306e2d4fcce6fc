// SPDX-License-Identifier: GPL-2.0

//! The lines of `swapmap`, `START-END TYPE OFFSET PAGES KIND WHERE`: a run each.

use kernel::{
    mm::{
        shmem::SwapSlot,
        swap::Backing, //
    },
    prelude::*, //
};

use crate::{
    files::{
        Line,
        Text, //
    },
    walk::Located, //
};

/// KIND: the owner of a page in swap.
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

/// Returns WHERE: the location of the bytes of a page in swap.
pub(super) fn place(backing: Backing) -> &'static str {
    match backing {
        Backing::Device => "disk",
        Backing::Zero => "zero",
        Backing::Zswap => "zswap",
        Backing::Cache => "cache",
        Backing::None => "none",
    }
}

/// Consecutive pages in consecutive swap slots.
struct Run {
    /// The number of the first page.
    page: usize,
    pages: usize,
    slot: SwapSlot,
    kind: Kind,
    backing: Backing,
}

impl Run {
    /// Joins `next` to this run if it continues it, in pages and in swap slots alike. Returns
    /// whether it did.
    fn join(&mut self, next: &Self) -> bool {
        let continues = next.page == self.page + self.pages
            && next.slot.swap_type == self.slot.swap_type
            && next.slot.offset == self.slot.offset + self.pages
            && next.kind == self.kind
            && next.backing == self.backing;

        if continues {
            self.pages += next.pages;
        }
        continues
    }

    /// Appends the line. `unit` is the difference between the addresses of two adjacent pages.
    fn write(&self, unit: usize, text: &mut Text) -> Result {
        let mut line = Line::new();

        line.put(b"\n")?;
        for word in [place(self.backing), self.kind.name()] {
            line.put(word.as_bytes())?;
            line.put(b" ")?;
        }
        for number in [self.pages, self.slot.offset, self.slot.swap_type.into()] {
            line.put_number::<10>(number)?;
            line.put(b" ")?;
        }
        line.put_number::<16>((self.page + self.pages) * unit)?;
        line.put(b"-")?;
        line.put_number::<16>(self.page * unit)?;
        text.append_bytes(line.as_bytes())
    }
}

/// Joins runs, and appends the line of each that is complete.
pub(super) struct Runs {
    last: Option<Run>,
    unit: usize,
}

impl Runs {
    /// Returns no runs. `unit` is as in [`Run::write`].
    pub(super) fn new(unit: usize) -> Self {
        Self { last: None, unit }
    }

    /// Adds a run. Appends the line of the one before if the new one does not continue it.
    fn add(&mut self, run: Run, text: &mut Text) -> Result {
        if !self.last.as_mut().is_some_and(|last| last.join(&run)) {
            self.finish(text)?;
            self.last = Some(run);
        }
        Ok(())
    }

    /// Adds pages in consecutive slots: a run for each location of their bytes.
    pub(super) fn add_located(&mut self, located: &Located<'_>, text: &mut Text) -> Result {
        let mut page = located.first;
        let mut slot = located.slot;
        let kind = if located.shmem {
            Kind::Shmem
        } else {
            Kind::Anon
        };

        for part in located.backings.chunk_by(|a, b| a == b) {
            let Some(&backing) = part.first() else {
                continue;
            };
            self.add(
                Run {
                    page,
                    pages: part.len(),
                    slot,
                    kind,
                    backing,
                },
                text,
            )?;
            page += part.len();
            slot.offset += part.len();
        }
        Ok(())
    }

    /// Appends the line of the last run.
    pub(super) fn finish(&mut self, text: &mut Text) -> Result {
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
            backing: Backing::Device,
        }
    }

    /// Returns the lines of some runs.
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
        assert_eq!(
            lines(0x1000, runs).as_bytes(),
            b"10000-13000 1 7 3 shmem disk\n"
        );
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
            b"1-2 1 7 1 shmem disk\n2-3 1 8 1 anon disk\n\
              4-5 1 9 1 anon disk\n5-6 1 11 1 anon disk\n"
        );
    }

    #[test]
    fn bytes_elsewhere_are_another_run() {
        let runs = [
            Backing::Device,
            Backing::Device,
            Backing::Zero,
            Backing::Zswap,
            Backing::Cache,
            Backing::None,
        ];
        let runs = runs.into_iter().enumerate().map(|(i, backing)| Run {
            backing,
            ..page(i, 10 + i, Kind::Shmem)
        });
        assert_eq!(
            lines(1, runs).as_bytes(),
            b"0-2 1 10 2 shmem disk\n2-3 1 12 1 shmem zero\n3-4 1 13 1 shmem zswap\n\
              4-5 1 14 1 shmem cache\n5-6 1 15 1 shmem none\n"
        );
    }

    #[test]
    fn nothing_is_no_line() {
        assert_eq!(lines(1, []).as_bytes(), b"");
    }
}
