// SPDX-License-Identifier: GPL-2.0

//! Recording of what happens to the exclusive bit, while some target wants it.
//!
//! There is one probe and one ring for all targets: who changes the bit of a page cannot know whose
//! page it is. A target keeps which part of the ring is its recording, and what of that part is its
//! own is found out when it is read.
//!
//! Lock order: [`Recording::part`], then [`Tracer::state`].

use kernel::{
    capability::{
        capable,
        Capability, //
    },
    debugfs::{
        Operations,
        ScopedDir, //
    },
    fs::{
        file,
        LocalFile, //
    },
    mm::{
        anon_trace::{
            Change,
            Probe,
            Registration, //
        },
        Mm, //
    },
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
    event::{
        Event,
        CALLERS,
        WORDS, //
    },
    events::EventLog,
    parse,
    ring::Ring,
    sites::Sites,
    text::TextFile, //
};

/// How many events the ring holds, as a power of two: 131072.
const ORDER: u32 = 17;

/// The events, and what it takes to record them.
#[pin_data]
pub(crate) struct Events {
    pub(crate) ring: Ring<WORDS>,
    #[pin]
    sites: Sites,
}

impl Events {
    fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            ring: Ring::new(ORDER)?,
            sites <- Sites::new(),
        })
    }
}

impl Probe for Events {
    fn changes(&self, change: &Change) {
        let mut callers = [0; CALLERS];

        // Pages are cleared of the flag when they are freed, whether or not they have it.
        if change.exclusive() == change.was_exclusive() {
            return;
        }
        if self.sites.tells(change.ip()) {
            self.ring.push(&Event::of(change, callers).words());
        } else {
            change.callers(&mut callers);
            self.ring
                .push(&Event::of(change, callers).words_with_callers());
        }
    }
}

/// What all recordings share.
#[derive(Default)]
struct State {
    /// The ring, as long as there are recordings.
    events: Option<Arc<Events>>,
    recordings: usize,
    /// The probe, as long as some of them are going on.
    probe: Option<Registration<Events>>,
    going_on: usize,
    /// What was counted in rings before this one.
    seen: u64,
    dropped: u64,
}

/// The one that records.
#[pin_data]
pub(crate) struct Tracer {
    #[pin]
    state: Mutex<State>,
}

impl Tracer {
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- new_mutex!(State::default()),
        })
    }

    /// Returns how many events there were, and how many of them are there no more.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let state = self.state.lock();
        let events = state.events.as_ref();

        (
            state.seen + events.map_or(0, |events| events.ring.next()),
            state.dropped + events.map_or(0, |events| events.ring.dropped()),
        )
    }

    /// Begins to record, or goes on, and returns the ring.
    fn start(&self, first: bool) -> Result<Arc<Events>> {
        let mut state = self.state.lock();
        let events = match &state.events {
            Some(events) => events.clone(),
            None => Arc::pin_init(Events::new(), GFP_KERNEL)?,
        };

        if state.going_on == 0 {
            state.probe = Some(Registration::new(events.clone())?);
        }
        state.going_on += 1;
        state.recordings += usize::from(first);
        state.events = Some(events.clone());
        Ok(events)
    }

    /// One recording less is going on. The last one to end waits until nobody adds events any more.
    fn stop(&self) {
        let mut state = self.state.lock();

        state.going_on -= 1;
        if state.going_on == 0 {
            state.probe = None;
        }
    }

    /// There is one recording less.
    fn forget(&self) {
        let mut state = self.state.lock();

        state.recordings -= 1;
        if state.recordings == 0 {
            if let Some(events) = state.events.take() {
                state.seen += events.ring.next();
                state.dropped += events.ring.dropped();
            }
        }
    }
}

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
        if !capable(Capability::SYS_ADMIN) {
            return Err(EPERM);
        }
        Ok(())
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
        if !capable(Capability::SYS_ADMIN) {
            return Err(EPERM);
        }
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
