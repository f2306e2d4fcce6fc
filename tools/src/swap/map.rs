// SPDX-License-Identifier: GPL-2.0

//! A swap device slot by slot: cells of a picture, and fragmentation.

use serde::Serialize;

use super::sheet::{Entry, Owner};

/// A kind of used slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anonymous memory of one process.
    Anonymous,
    /// Anonymous memory that processes share by fork.
    Shared,
    /// A file of shared memory.
    File,
    /// A page in memory that keeps its slot.
    Cached,
}

impl Kind {
    /// All, with letters and names.
    pub const ALL: [(Self, char, &str); 4] = [
        (Self::Anonymous, 'a', "anonymous memory of one process"),
        (Self::Shared, 's', "anonymous memory shared by fork"),
        (Self::File, 'f', "files of shared memory"),
        (Self::Cached, 'c', "pages in memory that keep their slot"),
    ];
}

/// A used slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// The slot.
    pub offset: u64,
    /// Its first owner, as a place in the list of entries.
    pub owner: usize,
    /// The page there: addresses count in pages. [`None`] if it is not known.
    pub page: Option<u64>,
    /// Its kind.
    pub kind: Kind,
}

/// The used slots of swap type `area`, in order, each once.
pub fn used(entries: &[Entry], area: u64) -> Vec<Used> {
    let mut all = Vec::new();

    for (owner, entry) in entries.iter().enumerate() {
        let (kind, bytes) = match entry.owner {
            Owner::Process { .. } => (Kind::Anonymous, procfs::page_size()),
            Owner::File { .. } if entry.has_indexes => (Kind::File, 1),
            Owner::File { .. } => (Kind::File, procfs::page_size()),
        };
        for run in entry.runs.iter().filter(|run| run.area == area) {
            let slots = run.slots().zip(run.start / bytes..);
            all.extend(slots.map(|((_, offset), page)| Used {
                offset,
                owner,
                page: Some(page),
                kind,
            }));
        }
        let kept = entry.kept.iter().filter(|slot| slot.0 == area);
        all.extend(kept.map(|(_, offset)| Used {
            offset: *offset,
            owner,
            page: None,
            kind: Kind::Cached,
        }));
    }
    // References come before pages that merely keep the slot.
    all.sort_by_key(|slot| (slot.offset, slot.kind == Kind::Cached, slot.owner));
    all.dedup_by(|later, first| {
        let same = later.offset == first.offset;
        if same && (later.kind, first.kind) == (Kind::Anonymous, Kind::Anonymous) {
            first.kind = Kind::Shared;
        }
        same
    });
    all
}

/// Fragmentation of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Fragments {
    /// Runs: consecutive slots with consecutive pages of one owner.
    pub runs: u64,
    /// Their mean length in slots.
    pub mean: f64,
    /// Slots of a readahead window.
    pub window: u64,
    /// Windows with used slots.
    pub windows: u64,
    /// Of these, windows whose used slots all have consecutive pages of one owner.
    pub whole: u64,
}

/// True if `b` is at its place in a run of `a`.
fn is_run(a: &Used, b: &Used) -> bool {
    let place = |slot: &Used| Some(slot.page?.wrapping_sub(slot.offset));

    a.owner == b.owner && place(a).is_some() && place(a) == place(b)
}

/// Counts runs and windows of `window` slots.
pub fn fragments(used: &[Used], window: u64) -> Fragments {
    let window = window.max(1);
    let next = |a: &Used, b: &Used| a.offset + 1 == b.offset && is_run(a, b);
    let runs = used.chunk_by(next).count() as u64;
    let windows = used.chunk_by(|a, b| a.offset / window == b.offset / window);
    let whole = windows.clone().filter(|slots| {
        let first = slots.first();
        first.is_some_and(|first| slots.iter().all(|slot| is_run(first, slot)))
    });

    Fragments {
        runs,
        mean: match runs {
            0 => 0.0,
            _ => used.len() as f64 / runs as f64,
        },
        window,
        windows: windows.clone().count() as u64,
        whole: whole.count() as u64,
    }
}

/// Used slots of a cell, by kind; `slot` is its first one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Its first slot.
    pub slot: u64,
    /// Used slots.
    pub used: u64,
    /// Anonymous memory of one process.
    pub anonymous: u64,
    /// Anonymous memory that processes share by fork.
    pub shared: u64,
    /// Files of shared memory.
    pub files: u64,
    /// Pages in memory that keep their slot.
    pub cached: u64,
}

/// The cells with used slots, of `size` slots each.
pub fn cells(used: &[Used], size: u64) -> Vec<Cell> {
    let cells = used.chunk_by(|a, b| a.offset / size == b.offset / size);

    cells
        .map(|slots| {
            let mut cell = Cell {
                slot: slots.first().map_or(0, |slot| slot.offset / size * size),
                used: slots.len() as u64,
                ..Default::default()
            };
            for slot in slots {
                *match slot.kind {
                    Kind::Anonymous => &mut cell.anonymous,
                    Kind::Shared => &mut cell.shared,
                    Kind::File => &mut cell.files,
                    Kind::Cached => &mut cell.cached,
                } += 1;
            }
            cell
        })
        .collect()
}

/// Slots of a cell so that all of `slots` fit `cells` cells: a power of 2.
pub fn cell_size(slots: u64, cells: u64) -> u64 {
    slots.div_ceil(cells.max(1)).max(1).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swap::sheet::tests::{file, process};

    #[test]
    fn slots_are_there_once() {
        let mut entries = [
            process(1, &[(10, 4)]),
            process(2, &[(12, 4)]),
            file(&[], 20, 2),
        ];
        entries[0].kept = vec![(0, 12), (0, 30), (1, 31)];
        let used = used(&entries, 0);
        let text: String = used
            .iter()
            .filter_map(|slot| Kind::ALL.iter().find(|kind| kind.0 == slot.kind))
            .map(|kind| kind.1)
            .collect();
        assert_eq!(text, "aassaaffc");
        let offsets: Vec<_> = used.iter().map(|slot| slot.offset).collect();
        assert_eq!(offsets, [10, 11, 12, 13, 14, 15, 20, 21, 30]);
        let cells = cells(&used, 8);
        assert_eq!(cells.len(), 3);
        assert_eq!((cells[0].slot, cells[0].used, cells[0].shared), (8, 6, 2));
        assert_eq!((cells[1].files, cells[2].cached), (2, 1));
    }

    #[test]
    fn fragments_of_two_owners() {
        let slot = |offset, owner, page| Used {
            offset,
            owner,
            page,
            kind: Kind::Anonymous,
        };
        let used = [
            // The first window has a hole, and is one owner's.
            slot(0, 0, Some(100)),
            slot(1, 0, Some(101)),
            slot(3, 0, Some(103)),
            // Two owners.
            slot(4, 0, Some(104)),
            slot(5, 1, Some(105)),
            // One owner, not consecutive.
            slot(8, 1, Some(1)),
            slot(9, 1, Some(9)),
            // Not known.
            slot(12, 1, None),
        ];
        let found = fragments(&used, 4);
        assert_eq!((found.windows, found.whole), (4, 1));
        assert_eq!(found.runs, 6);
        assert!((found.mean - 8.0 / 6.0).abs() < 1e-9);
        assert_eq!(fragments(&[], 8).runs, 0);
    }

    #[test]
    fn cells_are_as_many_as_fit() {
        assert_eq!(cell_size(262_144, 80 * 20), 256);
        assert_eq!((cell_size(5, 80), cell_size(0, 0)), (1, 1));
    }
}
