// SPDX-License-Identifier: GPL-2.0

//! Recording of what happens to the exclusive bit, while some target wants it.
//!
//! There is one probe and one ring for all targets: who changes the bit of a page cannot know whose
//! page it is. A target keeps which part of the ring is its recording, and what of that part is its
//! own is found out when it is read.
//!
//! Lock order: that of a recording's part, then [`Tracer::state`].

use kernel::{
    mm::anon_trace::{
        Change,
        Probe,
        Registration, //
    },
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

pub(crate) use crate::recording::Tracing;

use crate::{
    event::{
        Event,
        CALLERS,
        WORDS, //
    },
    ring::Ring,
    sites::Sites, //
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
    pub(crate) fn start(&self, first: bool) -> Result<Arc<Events>> {
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
    pub(crate) fn stop(&self) {
        let mut state = self.state.lock();

        state.going_on -= 1;
        if state.going_on == 0 {
            state.probe = None;
        }
    }

    /// There is one recording less.
    pub(crate) fn forget(&self) {
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
