// SPDX-License-Identifier: GPL-2.0

//! The functions of code addresses: their names and their roles.

use kernel::{
    kallsyms::SymbolBuffer,
    mm::anon_trace::Kind,
    prelude::*, //
};

use crate::files::Text;

use super::{
    cause::Cause,
    event::{
        Event,
        CALLERS, //
    },
    role::{
        cause_of,
        Role, //
    },
};

/// The number of code addresses whose functions are remembered.
const CACHED: usize = 512;

/// The functions of code addresses, with a cache.
pub(super) struct Functions {
    buffer: SymbolBuffer,
    roles: KVec<(usize, Role)>,
}

impl Functions {
    /// Makes an empty cache.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            buffer: SymbolBuffer::new(GFP_KERNEL)?,
            roles: KVec::from_elem((0, Role::default()), CACHED, GFP_KERNEL)?,
        })
    }

    /// Returns the role of the function that the call before `addr` is in.
    fn role(&mut self, addr: usize) -> Role {
        let Self { buffer, roles } = self;
        // The call can be the last instruction of its function, so `addr` may be in the next one.
        let call = addr.saturating_sub(1);
        let mut look_up = || {
            buffer
                .look_up(call)
                .map_or_else(Role::default, |symbol| Role::of(symbol.name.to_bytes()))
        };

        match roles.get_mut(addr % CACHED) {
            Some((known, role)) if *known == addr => *role,
            Some(place) => {
                *place = (addr, look_up());
                place.1
            }
            None => look_up(),
        }
    }

    /// Returns the cause of an event, whose change was reached through `callers`.
    pub(super) fn cause(&mut self, event: &Event, callers: [usize; CALLERS]) -> Cause {
        let callers = callers.into_iter().take_while(|&caller| caller != 0);
        let functions = Iterator::chain(core::iter::once(event.ip), callers);

        match event.kind {
            Kind::Flag => cause_of(functions.map(|addr| self.role(addr))),
            Kind::Mapping if self.role(event.ip).moves() => Cause::Move,
            Kind::Mapping => Cause::Unmap,
        }
    }

    /// Returns whether fork maps the page for a child, if the change was reached through `callers`.
    pub(super) fn forks(&mut self, callers: &[usize; CALLERS]) -> bool {
        callers.iter().any(|&addr| self.role(addr).forks())
    }

    /// Appends the function and offset of an address, as `FUNCTION+OFFSET`.
    pub(super) fn write(&mut self, addr: usize, text: &mut Text) -> Result {
        match self.buffer.look_up(addr.saturating_sub(1)) {
            Some(symbol) => {
                let (name, offset) = (symbol.name, symbol.offset + 1);
                text.append(fmt!("{name}+{offset:#x}"))
            }
            None => text.append(fmt!("{addr:#x}")),
        }
    }
}
