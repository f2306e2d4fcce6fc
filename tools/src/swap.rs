// SPDX-License-Identifier: GPL-2.0

//! The used slots of the swap devices and their owners.

pub mod areas;
pub mod cached;
pub mod collect;
pub mod groups;
pub mod map;
pub mod origin;
pub mod read;
pub mod runs;
pub mod sheet;
pub mod smaps;
