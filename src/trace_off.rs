// SPDX-License-Identifier: GPL-2.0

//! What stands for [`tracer`](crate::tracer) on a kernel that cannot tell of changes of the
//! exclusive bit: no files, and nothing counted.

use kernel::{
    debugfs::ScopedDir,
    mm::Mm,
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
};

pub(crate) struct Tracer;

impl Tracer {
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self)
    }

    pub(crate) fn counts(&self) -> (u64, u64) {
        (0, 0)
    }
}

pub(crate) struct Tracing;

impl Tracing {
    pub(crate) fn new(_tracer: &Arc<Tracer>, _mm: ARef<Mm>) -> Result<Self> {
        Ok(Self)
    }

    pub(crate) fn add_files<'data>(&'data self, _dir: &ScopedDir<'data, '_>) {}
}
