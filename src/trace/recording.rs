// SPDX-License-Identifier: GPL-2.0

//! A recording: the part of the ring between a target's start and stop.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

use super::{
    event::{
        Event,
        CALLERS, //
    },
    mode::Mode,
    ring::Seen,
    tracer::{
        Events,
        Tracer, //
    },
};

/// A part of the ring, by the numbers of its events.
#[derive(Clone)]
pub(super) struct Part {
    events: Arc<Events>,
    /// The number of the first event.
    start: u64,
    /// The number after that of the last event; none until the recording is stopped.
    end: Option<u64>,
    mode: Mode,
}

impl Part {
    /// Returns the mode.
    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns the number of the first event.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Returns the number after that of the last event, or, while the recording is active, of the
    /// last event so far.
    pub(super) fn end(&self) -> u64 {
        self.end.unwrap_or_else(|| self.events.next())
    }

    /// Returns the number of the oldest event that the ring still holds.
    pub(super) fn oldest(&self) -> u64 {
        self.events.oldest()
    }

    /// Returns the event of this number, which is less than [`Self::end`].
    pub(super) fn get(&self, number: u64) -> Seen<Event> {
        self.events.get(number)
    }

    /// Returns the callers of an event, see [`Events::callers`].
    pub(super) fn callers(&self, event: &Event) -> [usize; CALLERS] {
        self.events.callers(event)
    }

    fn is_active(&self) -> bool {
        self.end.is_none()
    }
}

/// The last recording of a target.
#[pin_data(PinnedDrop)]
pub(super) struct Recording {
    tracer: Arc<Tracer>,
    #[pin]
    part: Mutex<Option<Part>>,
}

impl Recording {
    /// Makes a recording that was never started.
    pub(super) fn new(tracer: Arc<Tracer>) -> impl PinInit<Self> {
        pin_init!(Self {
            tracer,
            part <- new_mutex!(None),
        })
    }

    /// Returns the events since the last start; none if it was never started.
    pub(super) fn part(&self) -> Option<Part> {
        self.part.lock().clone()
    }

    /// Returns the mode if it was started and not stopped.
    pub(super) fn mode(&self) -> Option<Mode> {
        let part = self.part.lock();

        part.as_ref()
            .filter(|part| part.is_active())
            .map(|part| part.mode)
    }

    /// Starts anew. If it is active, it goes on, in this mode.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(super) fn start(&self, mode: Mode) -> Result {
        let mut part = self.part.lock();

        if let Some(part @ Part { end: None, .. }) = &mut *part {
            if part.mode != mode {
                self.tracer.start(false, mode)?;
                self.tracer.stop(part.mode);
                part.mode = mode;
            }
            return Ok(());
        }
        let events = self.tracer.start(part.is_none(), mode)?;
        let start = events.next();
        *part = Some(Part {
            events,
            start,
            end: None,
            mode,
        });
        Ok(())
    }

    /// Stops, if it is active.
    pub(super) fn stop(&self) {
        let mut part = self.part.lock();

        if let Some(part @ Part { end: None, .. }) = &mut *part {
            self.tracer.stop(part.mode);
            part.end = Some(part.events.next());
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
