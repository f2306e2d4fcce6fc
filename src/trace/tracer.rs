// SPDX-License-Identifier: GPL-2.0

//! The recorder: one probe and one ring for all targets, while a recording is active.
//!
//! The probe records the changes of all processes; the events of a target are selected when they
//! are read.
//!
//! The lock order is in `control/registry.rs`.

use kernel::{
    mm::anon_trace::{
        Change,
        Kind,
        Probe,
        Registration, //
    },
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex, //
    },
};

use super::{
    chains::Chains,
    event::{
        Event,
        Path,
        CALLERS,
        WORDS, //
    },
    mode::Mode,
    ring::{
        Ring,
        Seen, //
    },
    sites::Sites, //
};

/// The number of events that the ring holds, as a power of two.
const ORDER: u32 = 17;

/// The ring of events, and the caches of code addresses and call chains that the probe needs.
#[pin_data]
pub(super) struct Events {
    ring: Ring<WORDS>,
    chains: Chains,
    /// The number of active recordings with [`Mode::user_ip`].
    with_user_ip: Atomic<usize>,
    #[pin]
    sites: Sites,
}

impl Events {
    fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            ring: Ring::new(ORDER)?,
            chains: Chains::new(),
            with_user_ip: Atomic::new(0),
            sites <- Sites::new(),
        })
    }

    /// Returns the number that the next event will have.
    pub(super) fn next(&self) -> u64 {
        self.ring.next()
    }

    /// Returns the number of the oldest event that the ring still holds.
    pub(super) fn oldest(&self) -> u64 {
        self.ring.oldest()
    }

    /// Returns the event of this number, which is less than [`Self::next`].
    pub(super) fn get(&self, number: u64) -> Seen<Event> {
        self.ring.get(number).map(|words| Event::from_words(&words))
    }

    /// Returns the return addresses of the calls that led to the event, innermost first, then 0.
    /// All are 0 where [`Event::ip`] alone implies the cause.
    pub(super) fn callers(&self, event: &Event) -> [usize; CALLERS] {
        match event.path {
            Path::Implied => [0; CALLERS],
            Path::Known(index) => self.chains.callers(index),
            Path::Callers(callers) => callers,
        }
    }

    #[inline(always)]
    fn event(&self, change: &Change, path: Path) -> Event {
        Event::of(change, self.with_user_ip.load(Relaxed) != 0, path)
    }

    /// Records a change whose call chain is not known.
    #[cold]
    fn record_callers(&self, change: &Change) {
        let mut callers = [0; CALLERS];

        change.callers(&mut callers);
        let event = self.event(change, Path::Callers(callers));
        self.ring.push(&event.words_with_callers());
    }
}

impl Probe for Events {
    #[inline(always)]
    fn changes(&self, change: &Change) {
        // Freeing clears the flag of every page, set or not.
        if change.kind() == Kind::Flag && change.exclusive() == change.was_exclusive() {
            return;
        }
        let path = if change.kind() == Kind::Mapping || self.sites.tells(change.ip()) {
            Path::Implied
        } else if let Some(index) = self.chains.find(change) {
            Path::Known(index)
        } else {
            return self.record_callers(change);
        };
        self.ring.push(&self.event(change, path).words());
    }
}

/// The state that all recordings share.
#[derive(Default)]
struct State {
    /// The ring, while there are recordings.
    events: Option<Arc<Events>>,
    recordings: usize,
    /// The probe, while recordings are active.
    probe: Option<Registration<Events>>,
    active: usize,
    /// Events of rings before this one: all, and those that were dropped.
    seen: u64,
    dropped: u64,
}

/// The numbers of events that `stats` shows.
pub(crate) struct Counts {
    /// Events since the module was loaded.
    pub(crate) seen: u64,
    /// Of these, events that were overwritten, or dropped by their writer.
    pub(crate) dropped: u64,
    /// Events that the ring holds.
    pub(crate) max: u64,
}

/// The recorder of changes.
#[pin_data]
pub(crate) struct Tracer {
    #[pin]
    state: Mutex<State>,
}

impl Tracer {
    /// Makes a recorder with no recordings, and without a ring.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- new_mutex!(State::default()),
        })
    }

    /// Returns the numbers of events.
    pub(crate) fn counts(&self) -> Counts {
        let state = self.state.lock();
        let ring = state.events.as_ref().map(|events| &events.ring);

        Counts {
            seen: state.seen + ring.map_or(0, Ring::next),
            dropped: state.dropped + ring.map_or(0, Ring::dropped),
            max: 1 << ORDER,
        }
    }

    /// Starts a recording and returns the ring; registers the probe for the first active one.
    ///
    /// `first` is true for a target that was never recorded.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(super) fn start(&self, first: bool, mode: Mode) -> Result<Arc<Events>> {
        let mut state = self.state.lock();
        let events = match &state.events {
            Some(events) => events.clone(),
            None => Arc::pin_init(Events::new(), GFP_KERNEL)?,
        };

        if state.active == 0 {
            // SAFETY: The registration is in `State` alone, and nothing forgets it. It is dropped
            // by `stop()` of the last active recording, at the latest by the drop of the tracer,
            // so no reference to the tracer may outlive the module's code. Only `Registries` and
            // recordings have one; a recording is owned by a target, its files and their open
            // files. An open file has a reference on the module, so at unload there is none.
            // `Control`, which the module drops, then has the last references to `Registries`,
            // and this has those to the targets. No owner is reachable from what it owns: the
            // registration has `Events`, which refer to none of these.
            state.probe = Some(unsafe { Registration::new(events.clone()) }?);
        }
        state.active += 1;
        events
            .with_user_ip
            .fetch_add(usize::from(mode.user_ip), Relaxed);
        state.recordings += usize::from(first);
        state.events = Some(events.clone());
        Ok(events)
    }

    /// Stops a recording. The last one unregisters the probe, and waits for probes that still run.
    pub(super) fn stop(&self, mode: Mode) {
        let mut state = self.state.lock();

        if let Some(events) = &state.events {
            events
                .with_user_ip
                .fetch_sub(usize::from(mode.user_ip), Relaxed);
        }
        state.active -= 1;
        if state.active == 0 {
            state.probe = None;
        }
    }

    /// Drops the recordings of a target; with the last target, the ring is freed.
    pub(super) fn forget(&self) {
        let mut state = self.state.lock();

        state.recordings -= 1;
        if state.recordings == 0 {
            if let Some(events) = state.events.take() {
                state.seen += events.next();
                state.dropped += events.ring.dropped();
            }
        }
    }
}
