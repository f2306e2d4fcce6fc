// SPDX-License-Identifier: GPL-2.0

//! `files/ID/summary`: the number of the file's pages of each kind.

use core::ops::RangeInclusive;

use kernel::{
    mm::{
        shmem::{
            CacheCounts,
            ShmemFile, //
        },
        swap::Backing, //
    },
    prelude::*,
    sync::Arc, //
};

use crate::{
    files::{
        Lines,
        Text, //
    },
    walk::FileSlots,
};

/// The pages in swap, by the location of their bytes.
#[derive(Clone, Copy, Default)]
struct SwapCounts {
    all: usize,
    disk: usize,
    zero: usize,
    zswap: usize,
    cache: usize,
    none: usize,
}

impl SwapCounts {
    fn add(&mut self, backing: Backing) {
        self.all += 1;
        *match backing {
            Backing::Device => &mut self.disk,
            Backing::Zero => &mut self.zero,
            Backing::Zswap => &mut self.zswap,
            Backing::Cache => &mut self.cache,
            Backing::None => &mut self.none,
        } += 1;
    }
}

/// `files/ID/summary`. The page cache is visited twice: pages in memory, then those in swap.
pub(crate) struct FileSummary(pub(crate) Arc<ShmemFile>);

/// The position in a file.
pub(crate) struct Cursor {
    /// Pages in memory that are still to be counted.
    range: RangeInclusive<usize>,
    cached: CacheCounts,
    walk: FileSlots,
    swapped: SwapCounts,
}

impl FileSummary {
    fn write(&self, cursor: &Cursor, text: &mut Text) -> Result {
        let pages = self.0.pages();
        let CacheCounts { cached, dirty } = cursor.cached;
        let SwapCounts {
            all,
            disk,
            zero,
            zswap,
            cache,
            none,
        } = cursor.swapped;

        text.append(fmt!("pages {pages}\ncached {cached}\ndirty {dirty}\n"))?;
        text.append(fmt!("swapped {all}\ndisk {disk}\nzero {zero}\n"))?;
        text.append(fmt!("zswap {zswap}\ncache {cache}\nnone {none}\n"))
    }
}

impl Lines for FileSummary {
    type Cursor = Cursor;

    fn begin(&self) -> Result<Cursor> {
        Ok(Cursor {
            range: 0..=usize::MAX,
            cached: CacheCounts::default(),
            walk: FileSlots::new()?,
            swapped: SwapCounts::default(),
        })
    }

    fn step(&self, cursor: &mut Cursor, text: &mut Text) -> Result<bool> {
        if !cursor.range.is_empty() {
            let counts = self.0.mapping().count_cached(&mut cursor.range);

            cursor.cached.cached += counts.cached;
            cursor.cached.dirty += counts.dirty;
            return Ok(true);
        }
        let Cursor { walk, swapped, .. } = cursor;
        let more = walk.step(&self.0, |located| {
            for &backing in located.backings {
                swapped.add(backing);
            }
            Ok(())
        })?;

        if !more {
            self.write(cursor, text)?;
        }
        Ok(more)
    }
}
