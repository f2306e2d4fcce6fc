// SPDX-License-Identifier: GPL-2.0

//! The used slots of the swap devices and their owners.

pub mod areas;
pub mod collect;
pub mod find;
pub mod groups;
pub mod map;
pub mod origin;
pub mod read;
pub mod rest;
pub mod runs;
pub mod sheet;
pub mod slots;
pub mod smaps;
