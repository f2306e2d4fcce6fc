// SPDX-License-Identifier: GPL-2.0

//! The commands, a file each: arguments, a `main` that prints, and the JSON.

pub mod check;
mod columns;
pub mod diff;
pub mod explain;
pub mod file;
pub mod metrics;
pub mod pages;
pub mod plot;
pub mod show;
pub mod stats;
pub mod summary;
pub mod swap;
mod table;
pub mod watch;
