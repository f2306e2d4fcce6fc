// SPDX-License-Identifier: GPL-2.0

//! The order in which `show` prints.

use anyhow::Result;

use super::counts::Counts;
use crate::maps::Mapping;
use crate::runs::{Pair, Run};

/// Receives the runs.
pub trait Output {
    /// The pages of a mapping follow.
    fn mapping(&mut self, map: &Mapping) -> Result<()>;
    /// A run of the mapping.
    fn run(&mut self, run: &Run<Pair>) -> Result<()>;
    /// All runs have been received.
    fn finish(&mut self, counts: &Counts) -> Result<()>;
}
