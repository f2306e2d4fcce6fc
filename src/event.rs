// SPDX-License-Identifier: GPL-2.0

//! What is recorded of a change of the exclusive bit.

use kernel::{
    mm::{
        anon_trace::Change,
        anon_vma::AnonVmaId, //
    },
    prelude::*, //
};

/// How many of the functions are recorded that led to a change.
pub(crate) const CALLERS: usize = 8;

/// The words of an event.
pub(crate) const WORDS: usize = 9 + CALLERS;

/// A change of the exclusive bit, and who made it.
pub(crate) struct Event {
    /// In nanoseconds of `CLOCK_MONOTONIC`.
    pub(crate) time: u64,
    pub(crate) pfn: u64,
    /// Whether the bit was set, or cleared.
    pub(crate) exclusive: bool,
    /// With `index`, this tells where the page is, in address spaces that have it.
    pub(crate) anon_vma: Option<AnonVmaId>,
    pub(crate) index: u64,
    /// The address space of who made the change; 0 for a kernel thread.
    pub(crate) mm: u64,
    /// Its process.
    pub(crate) tgid: u64,
    /// Its name, padded with zeroes.
    pub(crate) comm: [u8; 16],
    /// The place in the kernel's code that made the change.
    pub(crate) ip: usize,
    /// Where the functions that led there were called, innermost first; 0 from some point on.
    pub(crate) callers: [usize; CALLERS],
}

impl Event {
    /// Records a change.
    pub(crate) fn of(change: &Change) -> Self {
        let task = current!();
        let mut callers = [0; CALLERS];

        change.callers(&mut callers);
        Self {
            time: change.time_ns(),
            pfn: change.pfn() as u64,
            exclusive: change.exclusive(),
            anon_vma: change.anon_vma(),
            index: change.index() as u64,
            mm: task.mm().map_or(0, |mm| id_of(mm)),
            tgid: u64::from(task.tgid().unsigned_abs()),
            comm: task.comm(),
            ip: change.ip(),
            callers,
        }
    }

    /// Returns it as words.
    pub(crate) fn words(&self) -> [u64; WORDS] {
        let comm = u128::from_ne_bytes(self.comm);
        let [a, b, c, d, e, f, g, h] = self.callers;

        [
            self.time,
            self.pfn << 1 | u64::from(self.exclusive),
            self.anon_vma.map_or(0, AnonVmaId::to_bits),
            self.index,
            self.mm,
            self.tgid,
            // Half of the bits each.
            comm as u64,
            (comm >> 64) as u64,
            self.ip as u64,
            a as u64,
            b as u64,
            c as u64,
            d as u64,
            e as u64,
            f as u64,
            g as u64,
            h as u64,
        ]
    }

    /// Returns what [`Self::words`] made words of.
    pub(crate) fn from_words(words: &[u64; WORDS]) -> Self {
        let [time, page, anon_vma, index, mm, tgid, low, high, ip, callers @ ..] = *words;

        Self {
            time,
            pfn: page >> 1,
            exclusive: page & 1 != 0,
            anon_vma: (anon_vma != 0).then(|| AnonVmaId::from_bits(anon_vma)),
            index,
            mm,
            tgid,
            comm: (u128::from(high) << 64 | u128::from(low)).to_ne_bytes(),
            ip: ip as usize,
            callers: callers.map(|caller| caller as usize),
        }
    }

    /// Returns the name of who made the change, as bytes without the zeroes.
    pub(crate) fn comm(&self) -> impl Iterator<Item = u8> {
        self.comm.into_iter().take_while(|&byte| byte != 0)
    }
}

/// The identity of an address space: for comparison only.
pub(crate) fn id_of(mm: &kernel::mm::Mm) -> u64 {
    core::ptr::from_ref(mm).addr() as u64
}

#[kunit_tests(xpagemap_event)]
mod tests {
    use super::*;

    #[test]
    fn an_event_comes_back_from_its_words() {
        let mut words = [0; WORDS];

        for (word, value) in words.iter_mut().zip(3..) {
            *word = value;
        }
        assert_eq!(Event::from_words(&words).words(), words);
    }

    #[test]
    fn a_name_comes_back_without_its_zeroes() {
        let mut event = Event::from_words(&[0; WORDS]);

        event.comm = *b"kswapd0\0\0\0\0\0\0\0\0\0";
        let event = Event::from_words(&event.words());
        assert!(event.comm().eq(*b"kswapd0"));
    }
}
