// SPDX-License-Identifier: GPL-2.0

//! Changes of the exclusive bit: recorded in one ring for all targets, shown for each.
//!
//! The probe of the [`Tracer`] pushes an event for each change into a ring. A [`Recording`] is the
//! part of the ring between a target's start and stop. [`EventLog`] shows the events of a
//! recording that concern the target.

use kernel::{
    debugfs::ScopedDir,
    mm::Mm,
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
};

use crate::files::{
    Text,
    TextFile,
    Value,
    ValueFile, //
};

mod cause;
mod chains;
mod event;
mod functions;
mod log;
mod mode;
mod recording;
mod ring;
mod role;
mod sites;
mod tracer;

pub(crate) use tracer::Tracer;

use log::EventLog;
use mode::Mode;
use recording::Recording;

/// `PID/trace`: the mode while changes are recorded, else `0`.
struct Switch(Arc<Recording>);

impl Value for Switch {
    const MODE: u16 = 0o600;

    fn show(&self, text: &mut Text) -> Result {
        let name = self.0.mode().map_or("0", Mode::name);

        text.append(fmt!("{name}\n"))
    }

    fn store(&self, line: &[u8]) -> Result {
        if line == b"0" {
            self.0.stop();
            return Ok(());
        }
        self.0.start(Mode::of(line).ok_or(EINVAL)?)
    }
}

/// The files of a target that control and show its recording.
pub(crate) struct Tracing {
    trace: ValueFile<Switch>,
    events: TextFile<EventLog>,
}

impl Tracing {
    /// Makes the files of the address space `mm`; records nothing yet.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn new(tracer: &Arc<Tracer>, mm: ARef<Mm>) -> Result<Self> {
        let recording = Arc::pin_init(Recording::new(tracer.clone()), GFP_KERNEL)?;

        Ok(Self {
            trace: ValueFile(Switch(recording.clone())),
            events: TextFile(EventLog::new(mm, recording)),
        })
    }

    /// Adds `trace` and `events` to the target's directory.
    pub(crate) fn add_files<'data>(&'data self, dir: &ScopedDir<'data, '_>) {
        dir.operations_file(c"trace", &self.trace);
        dir.operations_file(c"events", &self.events);
    }
}
