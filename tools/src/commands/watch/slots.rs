// SPDX-License-Identifier: GPL-2.0

//! The slots of a swap device that the process has, in cells.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::space::{Fold, Layout, State};
use crate::swap::runs;
use crate::swaps::Device;
use crate::target::Target;

/// Lines of one step.
const LINES: usize = 1000;

/// A pass over the module's `swapmap`.
pub struct Slots {
    path: PathBuf,
    lines: Lines<BufReader<File>>,
    area: u64,
}

impl Slots {
    /// Begins a pass, for the slots of `device` alone.
    ///
    /// # Errors
    ///
    /// The module's `swapmap` cannot be opened.
    pub fn open(target: &Target, device: &Device) -> Result<Self> {
        let path = target.file("swapmap");
        let file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;

        Ok(Self {
            path,
            lines: BufReader::new(file).lines(),
            area: device.area,
        })
    }

    /// Counts some more slots. Returns true if there are no more.
    ///
    /// # Errors
    ///
    /// The module's `swapmap` cannot be read.
    pub fn step(&mut self, fold: &mut Fold) -> Result<bool> {
        for _ in 0..LINES {
            let Some(line) = self.lines.next() else {
                return Ok(true);
            };
            let line = line.with_context(|| format!("cannot read {}", self.path.display()))?;
            for run in runs::swapmap(&line)? {
                let state = match run.is_shared {
                    true => State::SwapShared,
                    false => State::SwapPrivate,
                };
                if run.area == self.area {
                    fold.add(run.offset..run.offset.saturating_add(run.pages), state);
                }
            }
        }
        Ok(false)
    }
}

/// The layout of a device's slots.
pub fn layout(device: &Device, zoom: Option<u32>, rows: u64, width: usize) -> Layout {
    // The size leaves the first page out, the header.
    let slots = 0..device.size / procfs::page_size() + 1;

    match zoom {
        Some(shift) => Layout::new(vec![slots], 1 << shift, width),
        None => Layout::fitting(vec![slots], rows, width),
    }
}
