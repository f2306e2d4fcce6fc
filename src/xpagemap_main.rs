// SPDX-License-Identifier: GPL-2.0

//! xpagemap: where the pages of a process are, shared memory in swap included.
//!
//! Data flows one way: a debugfs file ([`control`]) is read through [`reader`] or [`text`], which
//! walks the page tables window by window, lets [`shmem`] fill in what only a file's page cache
//! knows, and has [`entry`] or [`run`] write the result. What happens to the exclusive bit goes the
//! other way: [`tracer`] puts an [`event`] for each change into a [`ring`], from which [`events`]
//! shows those of a target.

use kernel::prelude::*;

mod access;
#[cfg(CONFIG_DEBUG_ANON_EXCLUSIVE)]
mod addresses;
#[cfg(CONFIG_DEBUG_ANON_EXCLUSIVE)]
mod cause;
mod control;
mod entry;
#[cfg(CONFIG_DEBUG_ANON_EXCLUSIVE)]
mod event;
#[cfg(CONFIG_DEBUG_ANON_EXCLUSIVE)]
mod events;
mod exclusive;
mod filemap;
mod invariants;
mod pagemap;
mod parse;
mod reader;
#[cfg(CONFIG_DEBUG_ANON_EXCLUSIVE)]
mod recording;
mod registry;
#[cfg(CONFIG_DEBUG_ANON_EXCLUSIVE)]
mod ring;
mod run;
mod scan;
mod shmem;
#[cfg(CONFIG_DEBUG_ANON_EXCLUSIVE)]
mod sites;
mod space;
mod summary;
mod swapmap;
mod target;
mod text;
#[cfg(CONFIG_DEBUG_ANON_EXCLUSIVE)]
mod tracer;
#[cfg(not(CONFIG_DEBUG_ANON_EXCLUSIVE))]
#[path = "tracer_off.rs"]
mod tracer;
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
