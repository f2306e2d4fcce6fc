// SPDX-License-Identifier: GPL-2.0

//! The JSON of runs of a process's pages: what `show` prints, and `diff` reads.

use serde::{Deserialize, Serialize};

use crate::entry::Place;
use crate::json::Addresses;
use crate::runs::{Pair, Run};

/// Consecutive pages alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageRun {
    /// Address of the first page, in hex.
    pub address: String,
    /// Number of pages.
    pub pages: u64,
    /// `memory`, `swap` or `none`.
    pub state: String,
    /// Slot of the first page, if it is in swap; those of the others follow it.
    pub slot: Option<Slot>,
    /// Flags, by the names of `show`.
    pub flags: Vec<String>,
    /// The first page's entry, 16 hex digits. Frames of the others are not told.
    pub entry: String,
    /// The first page's entry in `/proc/PID/pagemap`.
    pub proc_entry: String,
    /// The first page's entry in `xpagemap/PID/exclusive`; null if it was not read.
    pub exclusive_entry: Option<String>,
    /// True if the two pagemap files differ.
    pub differs: bool,
}

/// A swap slot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slot {
    /// Swap type: the number of the swap area.
    #[serde(rename = "type")]
    pub area: u64,
    /// Page offset in that area.
    pub offset: u64,
}

/// A mapping and its pages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MappingRuns {
    /// Its addresses.
    #[serde(flatten)]
    pub addresses: Addresses,
    /// Its permissions, as in `/proc/PID/maps`.
    pub permissions: String,
    /// Its name, as there; empty if it has none.
    pub name: String,
    /// Its pages, in order of address.
    pub runs: Vec<PageRun>,
}

impl PageRun {
    /// The JSON of a run.
    pub fn new(run: &Run<Pair>, page_size: u64) -> Self {
        let Pair {
            proc,
            xpagemap,
            exclusive,
        } = run.start;
        let (state, slot) = match xpagemap.place() {
            Place::Memory { .. } => ("memory", None),
            Place::Swap(slot) => ("swap", Some(slot)),
            Place::Nowhere => ("none", None),
        };

        Self {
            address: format!("{:x}", run.first * page_size),
            pages: run.pages,
            state: state.to_string(),
            slot: slot.map(|slot| Slot {
                area: slot.area,
                offset: slot.offset,
            }),
            flags: xpagemap.flags().into_iter().map(String::from).collect(),
            entry: format!("{xpagemap:016x}"),
            proc_entry: format!("{proc:016x}"),
            exclusive_entry: exclusive.map(|entry| format!("{:016x}", entry.raw())),
            differs: proc != xpagemap,
        }
    }
}
