// SPDX-License-Identifier: GPL-2.0

//! Reads swapped pages from the device. None is swapped in.
//!
//! A page's bytes count only if it had the same slot before and after its slot was read, and was on
//! the device both times: it was there meanwhile.

use std::collections::BTreeMap;

use anyhow::Result;

use super::runs::{Place, SlotRun};
use crate::interrupt;

/// Pages between two looks at the slots. Bounds the buffer.
pub const CHUNK: usize = 4096;

/// Looks at pages that move before they are left out.
const ROUNDS: usize = 3;

/// A page's slot and the place of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// Swap type.
    pub area: u64,
    /// Slot.
    pub offset: u64,
    /// Place of the bytes.
    pub place: Place,
}

/// Swapped pages, by number.
pub type Pages = BTreeMap<u64, Location>;

/// The pages of `range` that are in `runs`. `bytes` is the size of a page if runs start at addresses, 1
/// if they start at numbers.
pub fn pages(runs: &[SlotRun], range: &std::ops::Range<u64>, bytes: u64) -> Pages {
    let each = runs.iter().flat_map(|run| {
        let (first, place) = (run.start / bytes, run.place);
        run.slots().zip(first..).map(move |((area, offset), page)| {
            let location = Location {
                area,
                offset,
                place,
            };
            (page, location)
        })
    });

    each.filter(|(page, _)| range.contains(page)).collect()
}

/// Memory in swap, and the devices.
pub trait Swap {
    /// The pages that are in swap now.
    ///
    /// # Errors
    ///
    /// The process is gone.
    fn pages(&mut self) -> Result<Pages>;

    /// Reads `count` slots from `first` on, into a buffer that begins with them.
    ///
    /// # Errors
    ///
    /// The device cannot be read.
    fn slots(&mut self, first: Location, count: usize) -> Result<&[u8]>;

    /// Takes the bytes of a page; [`None`] if all are zero.
    ///
    /// # Errors
    ///
    /// The output cannot be written.
    fn page(&mut self, page: u64, bytes: Option<&[u8]>) -> Result<()>;
}

/// The reason for a page to be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// In zswap: the device has older bytes.
    Zswap,
    /// In the swap cache: the device may have older bytes.
    Cache,
    /// Lost by an earlier read that failed.
    Lost,
    /// This module does not tell the place.
    Untold,
    /// The device could not be read.
    Failed,
    /// It left swap meanwhile.
    Gone,
    /// It changed its slot or its place each time.
    Moved,
}

impl Reason {
    /// The reason in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Zswap => "in zswap",
            Self::Cache => "in the swap cache, which may be newer than the device",
            Self::Lost => "lost by a read that failed",
            Self::Untold => "this version of the module does not tell where its bytes are",
            Self::Failed => "the device could not be read",
            Self::Gone => "left swap meanwhile",
            Self::Moved => "moved meanwhile",
        }
    }
}

/// Pages that were read, and those that were not.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Pages in swap at the beginning.
    pub swapped: u64,
    /// Of these, read from the device.
    pub read: u64,
    /// Of these, all zero: the kernel knows, and the device does not hold them.
    pub zero: u64,
    /// All others, by number.
    pub left_out: BTreeMap<u64, Reason>,
}

/// Reads all pages of `swap`.
///
/// # Errors
///
/// A signal arrived, the process is gone, or the output cannot be written.
pub fn all(swap: &mut impl Swap) -> Result<Outcome> {
    let mut now = swap.pages()?;
    let numbers: Vec<u64> = now.keys().copied().collect();
    let mut outcome = Outcome {
        swapped: numbers.len() as u64,
        ..Default::default()
    };

    for chunk in numbers.chunks(CHUNK) {
        let mut rest = chunk.to_vec();
        for _ in 0..ROUNDS {
            if rest.is_empty() {
                break;
            }
            interrupt::check()?;
            now = round(swap, &now, &mut rest, &mut outcome)?;
        }
        let moved = rest.into_iter().map(|page| (page, Reason::Moved));
        outcome.left_out.extend(moved);
    }
    Ok(outcome)
}

/// Reads the pages `rest` by their locations in `before`, and leaves those in it that have moved.
/// Returns the locations afterwards.
fn round(
    swap: &mut impl Swap,
    before: &Pages,
    rest: &mut Vec<u64>,
    outcome: &mut Outcome,
) -> Result<Pages> {
    let mut bytes: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let on_disk = rest.iter().filter_map(|page| {
        let location = before.get(page)?;
        (location.place == Place::Disk).then_some((*page, *location))
    });
    let on_disk: Vec<_> = on_disk.collect();

    for run in on_disk.chunk_by(|a, b| follows(a.1, b.1)) {
        // A slot that cannot be read must not take the others with it.
        if !read_run(swap, run, &mut bytes) && run.len() > 1 {
            for one in run.chunks(1) {
                read_run(swap, one, &mut bytes);
            }
        }
    }
    let after = swap.pages()?;
    let mut moved = Vec::new();
    for page in rest.drain(..) {
        let reason = match (before.get(&page), after.get(&page)) {
            (_, None) => Reason::Gone,
            (was, is) if was != is => {
                moved.push(page);
                continue;
            }
            (_, Some(location)) => match (location.place, bytes.get(&page)) {
                (Place::Disk, Some(bytes)) => {
                    swap.page(page, Some(bytes))?;
                    outcome.read += 1;
                    continue;
                }
                (Place::Zero, _) => {
                    swap.page(page, None)?;
                    outcome.zero += 1;
                    continue;
                }
                (Place::Disk, None) => Reason::Failed,
                (Place::Zswap, _) => Reason::Zswap,
                (Place::Cache, _) => Reason::Cache,
                (Place::Lost, _) => Reason::Lost,
                (Place::Untold, _) => Reason::Untold,
            },
        };
        outcome.left_out.insert(page, reason);
    }
    *rest = moved;
    Ok(after)
}

/// Reads consecutive slots. Returns false if that failed.
fn read_run(
    swap: &mut impl Swap,
    run: &[(u64, Location)],
    bytes: &mut BTreeMap<u64, Vec<u8>>,
) -> bool {
    let Some((_, first)) = run.first() else {
        return true;
    };
    let Ok(read) = swap.slots(*first, run.len()) else {
        return false;
    };
    let each = read.chunks_exact(read.len() / run.len()).zip(run);

    bytes.extend(each.map(|(one, (page, _))| (*page, one.to_vec())));
    true
}

fn follows(a: Location, b: Location) -> bool {
    a.area == b.area && a.offset + 1 == b.offset
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    const BYTES: usize = 4;

    /// Pages at successive looks, and what was written. Each byte of a slot is its number.
    #[derive(Default)]
    struct Fake {
        looks: Vec<Vec<(u64, u64, Place)>>,
        buffer: Vec<u8>,
        written: Vec<(u64, Option<u8>)>,
    }

    impl Swap for Fake {
        fn pages(&mut self) -> Result<Pages> {
            let look = match self.looks.len() {
                1 => self.looks[0].clone(),
                _ => self.looks.remove(0),
            };
            let each = look.into_iter().map(|(page, offset, place)| {
                let location = Location {
                    area: 0,
                    offset,
                    place,
                };
                (page, location)
            });
            Ok(each.collect())
        }

        fn slots(&mut self, first: Location, count: usize) -> Result<&[u8]> {
            if (first.offset..first.offset + count as u64).contains(&66) {
                bail!("a bad block");
            }
            let slots = first.offset..first.offset + count as u64;
            let bytes = slots.flat_map(|slot| [slot as u8; BYTES]);
            self.buffer = bytes.collect();
            Ok(&self.buffer)
        }

        fn page(&mut self, page: u64, bytes: Option<&[u8]>) -> Result<()> {
            assert!(bytes.is_none_or(|bytes| bytes.len() == BYTES));
            self.written.push((page, bytes.map(|bytes| bytes[0])));
            Ok(())
        }
    }

    fn read(looks: &[&[(u64, u64, Place)]]) -> (Outcome, Vec<(u64, Option<u8>)>) {
        let mut fake = Fake {
            looks: looks.iter().map(|look| look.to_vec()).collect(),
            ..Default::default()
        };
        let outcome = all(&mut fake).expect("an outcome");
        (outcome, fake.written)
    }

    #[test]
    fn places_decide() {
        let (outcome, written) = read(&[&[
            (1, 10, Place::Disk),
            (2, 11, Place::Disk),
            (3, 12, Place::Zero),
            (4, 13, Place::Cache),
            (5, 14, Place::Zswap),
            (6, 65, Place::Disk),
            (7, 66, Place::Disk),
        ]]);
        assert_eq!(
            written,
            [(1, Some(10)), (2, Some(11)), (3, None), (6, Some(65))]
        );
        assert_eq!((outcome.swapped, outcome.read, outcome.zero), (7, 3, 1));
        let reasons: Vec<_> = outcome.left_out.into_iter().collect();
        let expected = [(4, Reason::Cache), (5, Reason::Zswap), (7, Reason::Failed)];
        assert_eq!(reasons, expected);
    }

    #[test]
    fn pages_that_moved_are_read_again() {
        let (outcome, written) = read(&[
            &[
                (1, 10, Place::Disk),
                (2, 11, Place::Disk),
                (3, 12, Place::Disk),
            ],
            &[(1, 20, Place::Disk), (2, 11, Place::Cache)],
            &[(1, 20, Place::Disk), (2, 11, Place::Disk)],
            &[(1, 20, Place::Disk), (2, 11, Place::Disk)],
        ]);
        assert_eq!(written, [(1, Some(20)), (2, Some(11))]);
        let reasons: Vec<_> = outcome.left_out.into_iter().collect();
        assert_eq!(reasons, [(3, Reason::Gone)]);
    }

    #[test]
    fn pages_that_keep_moving_are_left_out() {
        let look = |slot| vec![(1, slot, Place::Disk)];
        let looks: Vec<_> = (0..9).map(look).collect();
        let looks: Vec<_> = looks.iter().map(Vec::as_slice).collect();
        let (outcome, written) = read(&looks);
        assert!(written.is_empty());
        assert_eq!(outcome.left_out, BTreeMap::from([(1, Reason::Moved)]));
    }

    #[test]
    fn ranges_cut_runs() {
        let run = SlotRun {
            start: 0x3000,
            area: 1,
            offset: 7,
            pages: 5,
            is_shared: false,
            place: Place::Disk,
        };
        let found = pages(&[run], &(4..6), 4096);
        let slots: Vec<_> = found.iter().map(|(page, at)| (*page, at.offset)).collect();
        assert_eq!(slots, [(4, 8), (5, 9)]);
        assert_eq!(pages(&[SlotRun { start: 3, ..run }], &(4..6), 1), found);
    }
}
