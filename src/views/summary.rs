// SPDX-License-Identifier: GPL-2.0

//! `PID/summary`: the number of pages of each kind, by VMA and in total.

use core::ops::Range;

use kernel::{
    mm::{
        anon_state::{
            AnonFlag,
            AnonState, //
        },
        page_state::{
            PageFlag,
            PageKind,
            PageState, //
        },
        Mm, //
    },
    page::PAGE_SHIFT,
    prelude::*,
    sync::aref::ARef, //
};

use crate::{
    files::{
        Lines,
        Text, //
    },
    rules,
    walk::{
        self,
        Entries,
        Sparse,
        Step,
        Wanted,
        WINDOW_PAGES, //
    },
};

/// The columns behind the address, in pages each.
const COLUMNS: [&str; 11] = [
    "pages",
    "present",
    "swap-private",
    "swap-shared",
    "exclusive",
    "shared",
    "maybe-pinned",
    "ksm",
    "large",
    "zero",
    "violations",
];

/// The width of the first column: two addresses of 12 digits.
const ADDRESSES: usize = 25;

/// A number of pages for each column.
#[derive(Clone, Copy, Default)]
struct Counts([usize; COLUMNS.len()]);

impl Counts {
    /// Returns the counts of an unpopulated VMA.
    fn of(vma: &Range<usize>) -> Self {
        let mut counts = [0; COLUMNS.len()];
        let [pages, ..] = &mut counts;

        *pages = vma.len() >> PAGE_SHIFT;
        Self(counts)
    }

    /// Adds a populated page to the columns but the first.
    fn add(&mut self, state: &AnonState) {
        let is = |flag| state.flags.contains(flag);
        let present = state.page.kind == PageKind::Present;
        let swapped = state.page.kind == PageKind::Swap;
        let file = state.page.flags.contains(PageFlag::File);
        let anon = state.is_anon();
        let holds = [
            false,
            present,
            swapped && !file,
            swapped && file,
            anon && is(AnonFlag::Exclusive),
            anon && !is(AnonFlag::Exclusive),
            anon && is(AnonFlag::MaybePinned),
            anon && is(AnonFlag::Ksm),
            is(AnonFlag::Large),
            is(AnonFlag::Zero),
            rules::broken(state).next().is_some(),
        ];

        for (count, holds) in self.0.iter_mut().zip(holds) {
            *count += usize::from(holds);
        }
    }

    fn add_all(&mut self, other: &Self) {
        for (count, other) in self.0.iter_mut().zip(other.0) {
            *count += other;
        }
    }

    /// Appends the columns and ends the line.
    fn write(&self, text: &mut Text) -> Result {
        for (count, column) in self.0.iter().zip(COLUMNS) {
            let width = column.len();
            text.append(fmt!(" {count:>width$}"))?;
        }
        text.append(fmt!("\n"))
    }
}

/// Appends the header.
fn write_header(text: &mut Text) -> Result {
    text.append(fmt!("{:<ADDRESSES$}", "# vma"))?;
    for column in COLUMNS {
        text.append(fmt!(" {column}"))?;
    }
    text.append(fmt!("\n"))
}

/// The lines made so far.
struct Table {
    begun: bool,
    /// The VMA that is being counted.
    line: Option<(Range<usize>, Counts)>,
    total: Counts,
}

impl Table {
    /// Appends the header, before anything else.
    fn begin(&mut self, text: &mut Text) -> Result {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        write_header(text)
    }

    /// Counts pages of a VMA; appends the line of the VMA before.
    fn add(&mut self, vma: Range<usize>, states: &[AnonState], text: &mut Text) -> Result {
        if self.line.as_ref().is_some_and(|(last, _)| *last != vma) {
            self.finish_line(text)?;
        }
        let (_, counts) = self.line.get_or_insert_with(|| {
            let counts = Counts::of(&vma);
            (vma, counts)
        });

        for state in states {
            counts.add(state);
        }
        Ok(())
    }

    fn finish_line(&mut self, text: &mut Text) -> Result {
        let Some((vma, counts)) = self.line.take() else {
            return Ok(());
        };
        let Range { start, end } = vma;

        self.total.add_all(&counts);
        text.append(fmt!("{start:012x}-{end:012x}"))?;
        counts.write(text)
    }

    /// Appends the last VMA's line and the total.
    fn finish(&mut self, text: &mut Text) -> Result {
        self.finish_line(text)?;
        text.append(fmt!("{:<ADDRESSES$}", "total"))?;
        self.total.write(text)
    }
}

/// `PID/summary`.
pub(crate) struct Summary(pub(crate) ARef<Mm>);

/// The position in an address space.
pub(crate) struct Cursor {
    walk: Sparse<AnonState>,
    scratch: KVec<PageState>,
    table: Table,
}

impl Lines for Summary {
    type Cursor = Cursor;

    fn begin(&self) -> Result<Cursor> {
        let wanted = Wanted {
            private: Entries::Populated,
            shared: Entries::Populated,
            hugetlb: true,
            shmem_swap: true,
        };

        Ok(Cursor {
            walk: Sparse::new(wanted, AnonState::of(PageState::UNMAPPED))?,
            scratch: KVec::from_elem(PageState::UNMAPPED, WINDOW_PAGES, GFP_KERNEL)?,
            table: Table {
                begun: false,
                line: None,
                total: Counts::default(),
            },
        })
    }

    fn step(&self, cursor: &mut Cursor, text: &mut Text) -> Result<bool> {
        let Cursor {
            walk,
            scratch,
            table,
        } = cursor;
        let decoded = walk.step(&self.0, |mm, start, states| {
            let scratch = scratch.get_mut(..states.len()).ok_or(EINVAL)?;
            walk::anon_states(mm, start, states, scratch)
        })?;

        match decoded {
            Step::Window { vma, states, .. } => {
                table.begin(text)?;
                table.add(vma, states, text)?;
                return Ok(true);
            }
            Step::End => {
                table.begin(text)?;
                table.finish(text)?;
            }
            Step::Gone => text.append_gone()?,
        }
        Ok(false)
    }
}
