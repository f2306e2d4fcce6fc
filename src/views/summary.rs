// SPDX-License-Identifier: GPL-2.0

//! The view `PID/summary`: how many pages there are of each kind, by vma and in total.

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
    invariants,
    scan::{
        Scan,
        Wanted,
        WINDOW_PAGES, //
    },
    shmem,
    text::{
        Lines,
        Text,
        GONE, //
    },
};

/// What is counted, in the order of the columns.
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

/// How many pages there are of each kind.
#[derive(Clone, Copy, Default)]
struct Counts([usize; COLUMNS.len()]);

impl Counts {
    /// Adds what there is to say of a page that is populated.
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
            invariants::broken(state).next().is_some(),
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

    /// Writes the rest of a line.
    fn write(&self, text: &mut Text) -> Result {
        for (count, column) in self.0.iter().zip(COLUMNS) {
            let width = column.len();
            text.append(fmt!(" {count:>width$}"))?;
        }
        text.append(fmt!("\n"))
    }
}

/// How wide the first column is: two addresses.
const ADDRESSES: usize = 25;

/// The line of a vma.
struct Line {
    start: usize,
    end: usize,
    counts: Counts,
}

impl Line {
    fn write(&self, text: &mut Text) -> Result {
        let Self { start, end, counts } = self;

        text.append(fmt!("{start:012x}-{end:012x}"))?;
        counts.write(text)
    }
}

/// How far an address space was counted.
pub(crate) struct Cursor {
    scan: Scan,
    states: KVec<AnonState>,
    pages: KVec<PageState>,
    /// The line of the vma that is being counted.
    line: Option<Line>,
    total: Counts,
    begun: bool,
}

impl Cursor {
    /// Writes the line of a vma that is done.
    fn finish_line(&mut self, text: &mut Text) -> Result {
        let Some(line) = self.line.take() else {
            return Ok(());
        };

        self.total.add_all(&line.counts);
        line.write(text)
    }
}

/// `PID/summary`.
pub(crate) struct Summary(pub(crate) ARef<Mm>);

impl Lines for Summary {
    type Cursor = Cursor;

    fn begin(&self) -> Result<Cursor> {
        let unknown = AnonState::of(PageState::UNMAPPED);

        Ok(Cursor {
            scan: Scan::new(Wanted {
                private: true,
                shared: true,
                hugetlb: true,
                shmem_swap: true,
            }),
            states: KVec::from_elem(unknown, WINDOW_PAGES, GFP_KERNEL)?,
            pages: KVec::from_elem(PageState::UNMAPPED, WINDOW_PAGES, GFP_KERNEL)?,
            line: None,
            total: Counts::default(),
            begun: false,
        })
    }

    fn step(&self, cursor: &mut Cursor, text: &mut Text) -> Result<bool> {
        let Some(mm) = self.0.mmget_not_zero() else {
            text.append(fmt!("{GONE}"))?;
            return Ok(false);
        };
        if !cursor.begun {
            cursor.begun = true;
            text.append(fmt!("{:<ADDRESSES$}", "# vma"))?;
            for column in COLUMNS {
                text.append(fmt!(" {column}"))?;
            }
            text.append(fmt!("\n"))?;
        }

        let guard = mm.mmap_read_lock_killable()?;
        let Some(place) = cursor.scan.next(&guard)? else {
            drop(guard);
            cursor.finish_line(text)?;
            text.append(fmt!("{:<ADDRESSES$}", "total"))?;
            cursor.total.write(text)?;
            return Ok(false);
        };
        let (start, end) = (place.vma.start(), place.vma.end());
        let states = cursor.states.get_mut(..place.pages).ok_or(EINVAL)?;

        if !states.is_empty() && guard.anon_states(place.start, states)?.shmem_swap {
            let pages = cursor.pages.get_mut(..place.pages).ok_or(EINVAL)?;

            for (page, state) in pages.iter_mut().zip(&*states) {
                *page = state.page;
            }
            shmem::complete(&guard, place.start, pages);
            for (state, page) in states.iter_mut().zip(&*pages) {
                state.page = *page;
            }
        }
        let pages = place.pages;
        drop(guard);

        if !matches!(cursor.line, Some(Line { start: s, end: e, .. }) if (s, e) == (start, end)) {
            cursor.finish_line(text)?;
        }
        let line = cursor.line.get_or_insert_with(|| {
            let mut counts = Counts::default();
            if let Some(count) = counts.0.first_mut() {
                *count = (end - start) >> PAGE_SHIFT;
            }
            Line { start, end, counts }
        });
        for state in cursor.states.get(..pages).ok_or(EINVAL)? {
            line.counts.add(state);
        }
        Ok(true)
    }
}
