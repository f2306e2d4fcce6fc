// SPDX-License-Identifier: GPL-2.0

//! An address space in cells: each page has one [`State`], a cell stands for some consecutive pages
//! of a mapping, and rows of cells are what `watch` and `plot` draw.
//!
//! Memory grows with the mappings and the cells, never with the pages or their runs.

pub mod fold;
pub mod layout;
pub mod source;
pub mod state;

pub use fold::Fold;
pub use layout::{Layout, Row};
pub use source::{ProcessPages, Source, is_of_gone_memory};
pub use state::{STATES, State, Tally};
