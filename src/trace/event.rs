// SPDX-License-Identifier: GPL-2.0

//! An event: a change of what an address maps, an exclusive page or none, as it is recorded.

use kernel::{
    mm::anon_trace::{
        Change,
        Kind, //
    },
    prelude::*, //
};

/// The number of callers that an event can have.
pub(super) const CALLERS: usize = 8;

/// The number of words of an event without its callers.
pub(super) const SHORT: usize = 10;

/// The number of words of an event in the ring.
pub(super) const WORDS: usize = SHORT + CALLERS;

/// A change, and the task that made it.
pub(super) struct Event {
    /// Time in nanoseconds of `CLOCK_MONOTONIC`.
    pub(super) time: u64,
    pub(super) pfn: u64,
    /// The new value of the bit; if it stays, whether the address maps the page from now on.
    pub(super) exclusive: bool,
    pub(super) kind: Kind,
    /// The address space that maps the page, see [`id_of`], and the page's address there; 0 and 0
    /// of a page that nobody maps.
    pub(super) owner: u64,
    pub(super) address: u64,
    /// The task's address space, see [`id_of`]; 0 for a kernel thread.
    pub(super) mm: u64,
    /// The task's process, in the initial PID namespace.
    pub(super) tgid: u64,
    /// The task's name, padded with zeroes.
    pub(super) comm: [u8; 16],
    /// The instruction pointer of the task in user mode; 0 if it has none, or it is not recorded.
    pub(super) user_ip: usize,
    /// The address in the kernel's code that made the change.
    pub(super) ip: usize,
    pub(super) path: Path,
}

/// The return addresses of the calls that led to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// Not recorded, since `ip` alone implies the cause.
    Implied,
    /// The callers of a chain in [`super::chains::Chains`], by its index.
    Known(usize),
    /// Innermost first, then 0.
    Callers([usize; CALLERS]),
}

/// Flags in the second word, below the page frame number.
const EXCLUSIVE: u64 = 1 << 0;
const HAS_CALLERS: u64 = 1 << 1;
const MAPPING: u64 = 1 << 2;
/// The index of a chain plus 1, or 0.
const CHAIN_SHIFT: u32 = 3;
const CHAIN_MASK: u64 = 0xff;
const PFN_SHIFT: u32 = 11;

impl Event {
    /// Records a change.
    #[inline(always)]
    pub(super) fn of(change: &Change, with_user_ip: bool, path: Path) -> Self {
        let task = current!();
        let (owner, address) = change
            .place()
            .map_or((0, 0), |(mm, address)| (id_of(mm), address as u64));

        Self {
            time: change.time_ns(),
            pfn: change.pfn() as u64,
            exclusive: change.exclusive(),
            kind: change.kind(),
            owner,
            address,
            mm: task.mm().map_or(0, |mm| id_of(mm)),
            tgid: u64::from(task.tgid().unsigned_abs()),
            comm: task.comm(),
            user_ip: if with_user_ip {
                change.user_ip().unwrap_or(0)
            } else {
                0
            },
            ip: change.ip(),
            path,
        }
    }

    /// Encodes the event without [`Path::Callers`].
    #[inline(always)]
    pub(super) fn words(&self) -> [u64; SHORT] {
        let comm = u128::from_ne_bytes(self.comm);
        let exclusive = if self.exclusive { EXCLUSIVE } else { 0 };
        let kind = match self.kind {
            Kind::Flag => 0,
            Kind::Mapping => MAPPING,
        };
        let chain = match self.path {
            Path::Known(index) => (index as u64 + 1) << CHAIN_SHIFT,
            Path::Implied | Path::Callers(_) => 0,
        };

        [
            self.time,
            self.pfn << PFN_SHIFT | chain | kind | exclusive,
            self.owner,
            self.address,
            self.mm,
            self.tgid,
            // The lower and the upper half.
            comm as u64,
            (comm >> 64) as u64,
            self.ip as u64,
            self.user_ip as u64,
        ]
    }

    /// Encodes the event.
    pub(super) fn words_with_callers(&self) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        let (event, rest) = words.split_at_mut(SHORT);

        event.copy_from_slice(&self.words());
        if let Path::Callers(callers) = self.path {
            for (word, caller) in rest.iter_mut().zip(callers) {
                *word = caller as u64;
            }
            if let Some(page) = event.get_mut(1) {
                *page |= HAS_CALLERS;
            }
        }
        words
    }

    /// Decodes an event.
    pub(super) fn from_words(words: &[u64; WORDS]) -> Self {
        let [time, page, owner, address, mm, tgid, low, high, ip, user_ip, callers @ ..] = *words;
        let path = match (page >> CHAIN_SHIFT & CHAIN_MASK) as usize {
            0 if page & HAS_CALLERS != 0 => Path::Callers(callers.map(|caller| caller as usize)),
            0 => Path::Implied,
            number => Path::Known(number - 1),
        };

        Self {
            time,
            pfn: page >> PFN_SHIFT,
            exclusive: page & EXCLUSIVE != 0,
            kind: if page & MAPPING != 0 {
                Kind::Mapping
            } else {
                Kind::Flag
            },
            owner,
            address,
            mm,
            tgid,
            comm: (u128::from(high) << 64 | u128::from(low)).to_ne_bytes(),
            user_ip: user_ip as usize,
            ip: ip as usize,
            path,
        }
    }

    /// Returns the task's name without the zeroes.
    pub(super) fn comm(&self) -> impl Iterator<Item = u8> {
        self.comm.into_iter().take_while(|&byte| byte != 0)
    }
}

/// Returns the identity of an address space, for comparison only.
pub(super) fn id_of(mm: &kernel::mm::Mm) -> u64 {
    core::ptr::from_ref(mm).addr() as u64
}

#[kunit_tests(xpagemap_event)]
mod tests {
    use super::*;

    /// Returns an event whose words all differ.
    fn event() -> Event {
        let mut words = [0; WORDS];

        for (word, value) in words.iter_mut().zip(0x100..) {
            *word = value;
        }
        Event::from_words(&words)
    }

    #[test]
    fn an_event_comes_back_from_its_words() {
        let mut event = event();

        event.path = Path::Callers([7; CALLERS]);
        event.exclusive = true;
        event.kind = Kind::Mapping;
        let words = event.words_with_callers();
        let again = Event::from_words(&words);
        assert_eq!(again.words_with_callers(), words);
        assert_eq!(again.path, Path::Callers([7; CALLERS]));
        assert_eq!((again.pfn, again.exclusive), (event.pfn, true));
        assert_eq!((again.ip, again.user_ip), (event.ip, event.user_ip));
        assert_eq!(again.kind, Kind::Mapping);
    }

    #[test]
    fn callers_that_were_not_recorded_are_none() {
        let mut words = [u64::MAX; WORDS];

        // The callers are those of an earlier event in the same slot.
        let mut event = event();

        for path in [Path::Implied, Path::Known(0), Path::Known(63)] {
            event.path = path;
            for (word, value) in words.iter_mut().zip(event.words()) {
                *word = value;
            }
            let again = Event::from_words(&words);
            assert_eq!((again.path, again.pfn), (path, event.pfn));
        }
    }

    #[test]
    fn a_name_comes_back_without_its_zeroes() {
        let mut event = event();

        event.comm = *b"kswapd0\0\0\0\0\0\0\0\0\0";
        let event = Event::from_words(&event.words_with_callers());
        assert!(event.comm().eq(*b"kswapd0"));
    }
}
