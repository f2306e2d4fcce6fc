// SPDX-License-Identifier: GPL-2.0

//! `PID/events`: the recorded changes of a target's exclusive pages.

use kernel::{
    mm::Mm,
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

use crate::files::{
    Lines,
    Text, //
};

use super::{
    event::{
        self,
        Event,
        CALLERS, //
    },
    functions::Functions,
    recording::{
        Part,
        Recording, //
    },
    ring::Seen, //
};

/// The number of events of the ring that a step reads.
const EVENTS_AT_A_TIME: usize = 256;

/// Retries for a reserved, not yet written event, and the time between them.
const RETRIES: u32 = 100;
const RETRY_AFTER: Delta = Delta::from_millis(1);

/// The position in a recording.
pub(super) struct Cursor {
    /// The recording, the number of the next event, and the number after the last one.
    part: Option<(Part, u64, u64)>,
    functions: Functions,
    /// Retries for the next event so far.
    waited: u32,
    header_done: bool,
}

/// `PID/events`.
pub(super) struct EventLog {
    mm: ARef<Mm>,
    recording: Arc<Recording>,
}

/// The place of a page in the target.
enum Place {
    Address(u64),
    /// The page is mapped nowhere.
    Nowhere,
}

impl EventLog {
    /// Makes the log of the address space `mm`.
    pub(super) fn new(mm: ARef<Mm>, recording: Arc<Recording>) -> Self {
        Self { mm, recording }
    }

    /// Returns the place of an event's page, if the event is one of this target's.
    fn place(
        &self,
        event: &Event,
        callers: &[usize; CALLERS],
        functions: &mut Functions,
    ) -> Option<Place> {
        let target = event::id_of(&self.mm);

        if event.owner == target {
            return Some(Place::Address(event.address));
        }
        match event.owner {
            // The target, or an interrupt in it, changed a page that nobody maps any more.
            0 => (event.mm == target).then_some(Place::Nowhere),
            // A child has its copy of a page at the address at which the target has the page.
            _ => (event.mm == target && functions.forks(callers))
                .then_some(Place::Address(event.address)),
        }
    }

    /// Appends the line of an event, if it is one of this target's.
    fn write(
        &self,
        number: u64,
        event: &Event,
        part: &Part,
        functions: &mut Functions,
        text: &mut Text,
    ) -> Result {
        let callers = part.callers(event);
        let Some(place) = self.place(event, &callers, functions) else {
            return Ok(());
        };
        let cause = functions.cause(event, callers);
        let (time, pfn, cause) = (event.time, event.pfn, cause.name());
        let op = if event.exclusive { "set" } else { "clear" };

        text.append(fmt!("{number} {time} {op} {pfn} "))?;
        match place {
            Place::Address(address) => text.append(fmt!("{address:x}"))?,
            Place::Nowhere => text.append(fmt!("-"))?,
        }
        text.append(fmt!(" {cause} "))?;
        functions.write(event.ip, text)?;
        let tgid = event.tgid;
        text.append(fmt!(" {tgid} "))?;
        for byte in event.comm() {
            let shown = if byte.is_ascii_control() {
                '?'
            } else {
                char::from(byte)
            };
            text.append(fmt!("{shown}"))?;
        }
        if part.mode().user_ip {
            // Of others, kswapd or a debugger, it tells nothing about the target.
            match event.user_ip {
                ip if ip != 0 && event.mm == event::id_of(&self.mm) => {
                    text.append(fmt!(" ip={ip:x}"))?
                }
                _ => text.append(fmt!(" ip=-"))?,
            }
        }
        text.append(fmt!("\n"))
    }
}

impl Lines for EventLog {
    type Cursor = Cursor;

    fn begin(&self) -> Result<Cursor> {
        // Fix the end now: otherwise a reader could chase new events for ever.
        let part = self.recording.part().map(|part| {
            let (start, end) = (part.start(), part.end());

            (part, start, end)
        });

        Ok(Cursor {
            part,
            functions: Functions::new()?,
            waited: 0,
            header_done: false,
        })
    }

    fn step(&self, cursor: &mut Cursor, text: &mut Text) -> Result<bool> {
        let mode = cursor.part.as_ref().map(|(part, ..)| part.mode());
        let gone = self.mm.mmget_not_zero().is_none();
        if gone && !mode.is_some_and(|mode| mode.keep) {
            text.append_gone()?;
            return Ok(false);
        }
        if !cursor.header_done {
            let user = if mode.is_some_and(|mode| mode.user_ip) {
                " ip"
            } else {
                ""
            };

            cursor.header_done = true;
            text.append(fmt!("# seq ns op pfn address cause site pid comm{user}\n"))?;
        }
        let Some((part, next, end)) = &mut cursor.part else {
            return Ok(false);
        };
        let end = *end;
        let mut dropped = 0;

        let oldest = part.oldest();
        if *next < oldest {
            dropped = end.min(oldest) - *next;
            *next += dropped;
        }
        for _ in 0..EVENTS_AT_A_TIME {
            if *next >= end {
                break;
            }
            match part.get(*next) {
                Seen::Whole(event) => {
                    if dropped != 0 {
                        text.append(fmt!("# {dropped} events dropped\n"))?;
                        dropped = 0;
                    }
                    self.write(*next, &event, part, &mut cursor.functions, text)?;
                }
                // Reserved: its writer will write it, or was interrupted for long.
                Seen::Pending if cursor.waited < RETRIES => {
                    cursor.waited += 1;
                    fsleep(RETRY_AFTER);
                    break;
                }
                Seen::Pending | Seen::Dropped => dropped += 1,
            }
            *next += 1;
            cursor.waited = 0;
        }
        if dropped != 0 {
            text.append(fmt!("# {dropped} events dropped\n"))?;
        }
        let more = *next < end;
        if gone && !more {
            text.append_gone()?;
        }
        Ok(more)
    }
}
