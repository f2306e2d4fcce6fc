// SPDX-License-Identifier: GPL-2.0

//! Replaces `trace.rs` on a kernel without CONFIG_DEBUG_ANON_EXCLUSIVE: no files, no events.

use kernel::{
    debugfs::ScopedDir,
    mm::Mm,
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
};

/// The numbers of events that `stats` shows.
pub(crate) struct Counts {
    pub(crate) seen: u64,
    pub(crate) dropped: u64,
    pub(crate) max: u64,
}

/// The recorder of changes.
pub(crate) struct Tracer;

impl Tracer {
    /// Makes a recorder that records nothing.
    pub(crate) fn new() -> impl PinInit<Self> {
        Self
    }

    /// Returns the numbers of events: none.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            seen: 0,
            dropped: 0,
            max: 0,
        }
    }
}

/// The files of a target that control and show its recording.
pub(crate) struct Tracing;

impl Tracing {
    /// Makes no files.
    pub(crate) fn new(_tracer: &Arc<Tracer>, _mm: ARef<Mm>) -> Result<Self> {
        Ok(Self)
    }

    /// Adds no files.
    pub(crate) fn add_files<'data>(&'data self, _dir: &ScopedDir<'data, '_>) {}
}
