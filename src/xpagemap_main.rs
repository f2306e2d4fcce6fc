// SPDX-License-Identifier: GPL-2.0

//! xpagemap: the location of each page of a process, shared memory in swap included.
//!
//! ```text
//!  read(2)                                                      write(2)
//!     |                                                            |
//!   files     entries of 8 bytes, streamed lines, single values  control  attach, detach, stats
//!     |                                                            |
//!   views     pagemap, exclusive, swapmap, summary, ...  <------ target   one per directory
//!     |
//!   walk      page tables and page cache as plain states
//!     |
//!   entry     states as bits; rules: the invariants of PG_anon_exclusive; identity: names of files
//!
//!   trace     tracepoint -> tracer -> ring of events -> log, the view of a target's events
//! ```
//!
//! A room is `name.rs`; its parts are in `name/`. A room uses only rooms below it: [`control`] uses
//! [`target`], that uses [`views`] and [`trace`], these use [`files`], [`walk`], [`rules`],
//! [`identity`] and [`entry`]. The last three use nothing of the module's.
//!
//! The lock order is in `control/registry.rs`.

use kernel::prelude::*;

mod control;
mod entry;
mod files;
mod identity;
mod rules;
mod target;
#[cfg_attr(not(CONFIG_DEBUG_ANON_EXCLUSIVE), path = "trace_off.rs")]
mod trace;
mod views;
mod walk;

module! {
    type: Xpagemap,
    name: "xpagemap",
    authors: ["The xpagemap developers"],
    description: "Where pages are: pagemap with the swap slots of shared memory",
    license: "GPL",
}

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
