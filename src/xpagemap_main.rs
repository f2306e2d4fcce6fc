// SPDX-License-Identifier: GPL-2.0

//! xpagemap: where the pages of a process are, shared memory in swap included.
//!
//! Data flows one way: a debugfs file ([`control`]) is read through [`reader`] or [`text`], which
//! walks the page tables window by window, lets [`shmem`] fill in what only a file's page cache
//! knows, and has [`entry`] or [`run`] write the result.

use kernel::prelude::*;

mod control;
mod entry;
mod exclusive;
mod filemap;
mod invariants;
mod pagemap;
mod parse;
mod reader;
mod registry;
mod run;
mod scan;
mod shmem;
mod space;
mod summary;
mod swapmap;
mod target;
mod text;
mod violations;

module! {
    type: Xpagemap,
    name: "xpagemap",
    authors: ["The xpagemap developers"],
    description: "Where pages are: pagemap with the swap slots of shared memory",
    license: "GPL",
}

/// What `stats` gives as the module's version.
const VERSION: &str = "0.1.0";

struct Xpagemap {
    _control: control::Control,
}

impl kernel::Module for Xpagemap {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _control: control::Control::new()?,
        })
    }
}
