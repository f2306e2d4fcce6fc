// SPDX-License-Identifier: GPL-2.0

//! The predictions.

mod fork;
#[cfg(CONFIG_KUNIT = "y")]
mod page;
mod write;
