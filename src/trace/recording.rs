// SPDX-License-Identifier: GPL-2.0

//! What a target has recorded, and the files that start, stop and show it.

use kernel::{
    capability::Capability,
    debugfs::{
        Operations,
        ScopedDir, //
    },
    fs::{
        file,
        LocalFile, //
    },
    mm::Mm,
    new_mutex,
    prelude::*,
    sync::{
        aref::ARef,
        Arc,
        Mutex, //
    },
    uaccess::{
        UserSliceReader,
        UserSliceWriter, //
    },
};

use crate::{
    access,
    events::EventLog,
    parse,
    text::TextFile,
    tracer::{
        Events,
        Tracer, //
    },
};

/// A part of the ring.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) events: Arc<Events>,
    /// The number of the first event.
    pub(crate) start: u64,
    /// The number behind the last event, once the recording was stopped.
    pub(crate) end: Option<u64>,
}

/// What a target has recorded.
#[pin_data(PinnedDrop)]
pub(crate) struct Recording {
    tracer: Arc<Tracer>,
    #[pin]
    part: Mutex<Option<Part>>,
}

impl Recording {
    pub(crate) fn new(tracer: Arc<Tracer>) -> impl PinInit<Self> {
        pin_init!(Self {
            tracer,
            part <- new_mutex!(None),
        })
    }

    /// Returns what was recorded since the last start, if ever.
    pub(crate) fn part(&self) -> Option<Part> {
        self.part.lock().clone()
    }

    fn going_on(&self) -> bool {
        matches!(&*self.part.lock(), Some(Part { end: None, .. }))
    }

    /// Starts anew, unless it is going on.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: no memory.
    fn start(&self) -> Result {
        let mut part = self.part.lock();

        if matches!(&*part, Some(Part { end: None, .. })) {
            return Ok(());
        }
        let events = self.tracer.start(part.is_none())?;
        let start = events.ring.next();
        *part = Some(Part {
            events,
            start,
            end: None,
        });
        Ok(())
    }

    /// Stops, if it is going on.
    fn stop(&self) {
        let mut part = self.part.lock();

        if let Some(part @ Part { end: None, .. }) = &mut *part {
            self.tracer.stop();
            part.end = Some(part.events.ring.next());
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Recording {
    fn drop(self: Pin<&mut Self>) {
        self.stop();
        if self.part.lock().take().is_some() {
            self.tracer.forget();
        }
    }
}

/// The file `PID/trace`.
struct TraceFile(Arc<Recording>);

#[vtable]
impl Operations for TraceFile {
    const MODE: u16 = 0o600;
    type Open = ();

    fn open(&self, _file: &LocalFile) -> Result {
        access::demand(Capability::SYS_ADMIN)
    }

    fn read(
        &self,
        _open: (),
        writer: &mut UserSliceWriter,
        offset: &mut file::Offset,
    ) -> Result<usize> {
        let text = if self.0.going_on() { c"1\n" } else { c"0\n" };

        writer.write_slice_file(text.to_bytes(), offset)
    }

    fn write(&self, _open: (), reader: &mut UserSliceReader) -> Result {
        access::demand(Capability::SYS_ADMIN)?;
        if parse::switch(reader)? {
            self.0.start()
        } else {
            self.0.stop();
            Ok(())
        }
    }
}

/// The files of a target that show what was recorded.
pub(crate) struct Tracing {
    trace: TraceFile,
    events: TextFile<EventLog>,
}

impl Tracing {
    /// # Errors
    ///
    /// - [`ENOMEM`]: no memory.
    pub(crate) fn new(tracer: &Arc<Tracer>, mm: ARef<Mm>) -> Result<Self> {
        let recording = Arc::pin_init(Recording::new(tracer.clone()), GFP_KERNEL)?;

        Ok(Self {
            trace: TraceFile(recording.clone()),
            events: TextFile(EventLog { mm, recording }),
        })
    }

    pub(crate) fn add_files<'data>(&'data self, dir: &ScopedDir<'data, '_>) {
        dir.operations_file(c"trace", &self.trace);
        dir.operations_file(c"events", &self.events);
    }
}
