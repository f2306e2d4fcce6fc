// SPDX-License-Identifier: GPL-2.0

//! The used slots of the swap devices and their owners.

pub mod collect;
pub mod runs;
pub mod sheet;
