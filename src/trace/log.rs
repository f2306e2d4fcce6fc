// SPDX-License-Identifier: GPL-2.0

//! The view `PID/events`: what happened to the exclusive bit of a target's pages, when, where, and
//! by whom.

use kernel::{
    kallsyms::SymbolBuffer,
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

use crate::{
    addresses::Addresses,
    cause::{
        self,
        Cause,
        Role, //
    },
    event::{
        self,
        Event, //
    },
    recording::{
        Part,
        Recording, //
    },
    ring::Seen,
    text::{
        Lines,
        Text,
        GONE, //
    },
};

/// How many events of the ring are looked at in a step.
const EVENTS_AT_A_TIME: usize = 256;

/// How often an event is waited for that somebody is about to write, and for how long.
const PATIENCE: (u32, Delta) = (100, Delta::from_millis(1));

/// How many functions are remembered by the places in them.
const REMEMBERED: usize = 512;

/// Finds out what functions are called, and remembers it.
struct Functions {
    buffer: SymbolBuffer,
    roles: KVec<(usize, Role)>,
}

impl Functions {
    fn new() -> Result<Self> {
        Ok(Self {
            buffer: SymbolBuffer::new(GFP_KERNEL)?,
            roles: KVec::from_elem((0, Role::default()), REMEMBERED, GFP_KERNEL)?,
        })
    }

    /// Returns what the function says that a call returns to at `addr`.
    fn role(&mut self, addr: usize) -> Role {
        let Self { buffer, roles } = self;
        // The call is before that; it can be the last thing in its function.
        let call = addr.saturating_sub(1);
        let mut look_up = || {
            buffer
                .look_up(call)
                .map_or_else(Role::default, |symbol| Role::of(symbol.name.to_bytes()))
        };

        match roles.get_mut(addr % REMEMBERED) {
            Some((known, role)) if *known == addr => *role,
            Some(place) => {
                *place = (addr, look_up());
                place.1
            }
            None => look_up(),
        }
    }

    fn cause(&mut self, event: &Event) -> Cause {
        let callers = event.callers.into_iter().take_while(|&caller| caller != 0);
        let functions = Iterator::chain(core::iter::once(event.ip), callers);

        cause::cause_of(functions.map(|addr| self.role(addr)))
    }

    /// Tells whether a page is mapped for a child that is being forked.
    fn forks(&mut self, event: &Event) -> bool {
        event.callers.iter().any(|&addr| self.role(addr).forks())
    }

    /// Writes the function and offset of an address.
    fn write(&mut self, addr: usize, text: &mut Text) -> Result {
        match self.buffer.look_up(addr.saturating_sub(1)) {
            Some(symbol) => {
                let (name, offset) = (symbol.name, symbol.offset + 1);
                text.append(fmt!("{name}+{offset:#x}"))
            }
            None => text.append(fmt!("{addr:#x}")),
        }
    }
}

/// How far the events were shown.
pub(crate) struct Cursor {
    /// What is shown, and the number of the event that is next.
    part: Option<(Part, u64)>,
    functions: Functions,
    /// Where pages are, as it was when the first events were shown.
    addresses: Option<Addresses>,
    /// How often the next event was waited for.
    waited: u32,
    begun: bool,
}

/// `PID/events`.
pub(crate) struct EventLog {
    pub(crate) mm: ARef<Mm>,
    pub(crate) recording: Arc<Recording>,
}

/// Where a page is whose event is one of a target's.
enum Place {
    Address(usize),
    Unknown,
}

impl EventLog {
    /// Tells whether an event is one of this target's: whether it was this target that changed a
    /// bit, or somebody else that of one of its pages.
    fn place(
        &self,
        event: &Event,
        cause: Cause,
        addresses: &Addresses,
        functions: &mut Functions,
    ) -> Option<Place> {
        let by_itself = event.mm == event::id_of(&self.mm);
        let place = event
            .anon_vma
            .and_then(|anon_vma| addresses.find(anon_vma, event.index));

        match place {
            // The page of a process that this one was forked from is not this one's, unless this one
            // says so.
            Some(place) if place.own || by_itself => Some(Place::Address(place.address)),
            None if by_itself && !cause.takes_any_page() => Some(
                // The child has the copy where its parent has the page.
                addresses
                    .find_index(event.index)
                    .filter(|_| functions.forks(event))
                    .map_or(Place::Unknown, Place::Address),
            ),
            _ => None,
        }
    }

    /// Writes the line of an event, if it is one of this target's.
    fn write(
        &self,
        number: u64,
        event: &Event,
        addresses: &Addresses,
        functions: &mut Functions,
        text: &mut Text,
    ) -> Result {
        let cause = functions.cause(event);
        let Some(place) = self.place(event, cause, addresses, functions) else {
            return Ok(());
        };
        let (time, pfn, cause) = (event.time, event.pfn, cause.name());
        let op = if event.exclusive { "set" } else { "clear" };

        text.append(fmt!("{number} {time} {op} {pfn} "))?;
        match place {
            Place::Address(address) => text.append(fmt!("{address:x}"))?,
            Place::Unknown => text.append(fmt!("-"))?,
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
        text.append(fmt!("\n"))
    }
}

impl Lines for EventLog {
    type Cursor = Cursor;

    fn begin(&self) -> Result<Cursor> {
        // What happens while this is read would have no end.
        let part = self.recording.part().map(|part| {
            let end = part.end.unwrap_or_else(|| part.events.ring.next());
            let start = part.start;

            (
                Part {
                    end: Some(end),
                    ..part
                },
                start,
            )
        });

        Ok(Cursor {
            part,
            functions: Functions::new()?,
            addresses: None,
            waited: 0,
            begun: false,
        })
    }

    fn step(&self, cursor: &mut Cursor, text: &mut Text) -> Result<bool> {
        let Some(mm) = self.mm.mmget_not_zero() else {
            text.append(fmt!("{GONE}"))?;
            return Ok(false);
        };
        if !cursor.begun {
            cursor.begun = true;
            text.append(fmt!("# seq ns op pfn address cause site pid comm\n"))?;
        }
        let Some((part, next)) = &mut cursor.part else {
            return Ok(false);
        };
        let end = part.end.unwrap_or(*next);
        let addresses = match &cursor.addresses {
            Some(addresses) => addresses,
            None => cursor
                .addresses
                .insert(Addresses::of(&mm.mmap_read_lock_killable()?)?),
        };
        let mut dropped = 0;

        let oldest = part.events.ring.oldest();
        if *next < oldest {
            dropped = end.min(oldest) - *next;
            *next += dropped;
        }
        for _ in 0..EVENTS_AT_A_TIME {
            if *next >= end {
                break;
            }
            match part.events.ring.get(*next) {
                Seen::Whole(words) => {
                    if dropped != 0 {
                        text.append(fmt!("# {dropped} events dropped\n"))?;
                        dropped = 0;
                    }
                    let event = Event::from_words(&words);
                    self.write(*next, &event, addresses, &mut cursor.functions, text)?;
                }
                // Somebody is about to write it, or gave it up.
                Seen::Pending if cursor.waited < PATIENCE.0 => {
                    cursor.waited += 1;
                    fsleep(PATIENCE.1);
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
        Ok(*next < end)
    }
}
