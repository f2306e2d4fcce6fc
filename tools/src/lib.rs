// SPDX-License-Identifier: GPL-2.0

//! Reads the pages of processes and files from the xpagemap module, from the ioctls of a patched
//! kernel, and from `/proc`, whatever there is.
//!
//! - Entries: [`entry`] and [`exclusive`] have every bit, [`runs`] joins pages that are alike.
//! - Sources: [`pagemap`] reads the files of the module and of `/proc`, [`source`] has PAGEMAP_SCAN,
//!   PAGEMAP_READ and SHMEM_SCAN, [`target`] attaches processes and files to the module, [`page`]
//!   asks it for one page.
//! - From the best source: [`summary`] counts the pages of a process, [`mod@file`] reads those of a file.
//!   Numbers that the source does not know are [`None`], with a [reason](json::Unknown).
//! - [`commands`] are those of the command line in `main.rs`, beside [`trace`] and [`demo`].
//!
//! Numbers are of pages unless a name says bytes. Nothing is a snapshot: each entry was true at some
//! moment while it was read, under a lock of the kernel, and can be stale once it is seen. Functions
//! return errors with their causes; none panics. Where the kernel needs no privilege, none is needed.

pub mod abi;
pub mod commands;
pub mod continues;
pub mod demo;
pub mod entry;
pub mod exclusive;
pub mod file;
pub mod interrupt;
pub mod json;
pub mod manual;
pub mod maps;
pub mod page;
pub mod pagemap;
pub mod range;
pub mod runs;
pub mod select;
pub mod source;
pub mod space;
pub mod summary;
pub mod svg;
pub mod swap;
pub mod swaps;
mod sys;
pub mod target;
pub mod text;
pub mod trace;
