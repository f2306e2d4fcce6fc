// SPDX-License-Identifier: GPL-2.0

//! Reads the files of the xpagemap module and of `/proc`, and prints them.
//!
//! The command line in `main.rs` has one subcommand for each of [`show`], [`trace`], [`stats`] and
//! [`demo`]. They stand on [`target`], which attaches a process, and [`pagemap`], which reads
//! the entries of both pagemap files. [`entry`] has every bit of an entry.

pub mod demo;
pub mod entry;
pub mod interrupt;
pub mod maps;
pub mod pagemap;
pub mod range;
pub mod runs;
pub mod show;
pub mod stats;
mod sys;
pub mod target;
pub mod trace;
