// SPDX-License-Identifier: GPL-2.0

//! The states of pages that are told apart in drawings.

/// State of a page. A page is in one at most; in none of them it is nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Anonymous, in memory, PG_anon_exclusive set.
    Exclusive,
    /// Anonymous, in memory, PG_anon_exclusive not set.
    Shared,
    /// Anonymous, in memory; the exclusive bit is not known.
    Private,
    /// Of a file or of shared memory, in memory and mapped here.
    File,
    /// Merged by KSM.
    Ksm,
    /// Mapped by a PMD, or hugetlb.
    Huge,
    /// The zero page.
    Zero,
    /// In swap, and the page table has the slot.
    SwapPrivate,
    /// In swap, of shared memory: the file has the slot.
    SwapShared,
    /// In the page cache of shared memory, and not mapped here.
    Cached,
}

/// All states, in the order of legends.
pub const STATES: [State; 10] = [
    State::Exclusive,
    State::Shared,
    State::Private,
    State::File,
    State::Ksm,
    State::Huge,
    State::Zero,
    State::SwapPrivate,
    State::SwapShared,
    State::Cached,
];

impl State {
    /// Its letter where colours are not seen.
    pub fn sign(self) -> char {
        match self {
            Self::Exclusive => 'E',
            Self::Shared => 'C',
            Self::Private => 'P',
            Self::File => 'F',
            Self::Ksm => 'K',
            Self::Huge => 'H',
            Self::Zero => 'Z',
            Self::SwapPrivate => 'S',
            Self::SwapShared => 'W',
            Self::Cached => 'M',
        }
    }

    /// Its name in legends.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exclusive => "exclusive",
            Self::Shared => "shared by fork",
            Self::Private => "private",
            Self::File => "file or shared",
            Self::Ksm => "KSM",
            Self::Huge => "huge",
            Self::Zero => "zero page",
            Self::SwapPrivate => "swap, private",
            Self::SwapShared => "swap, shared",
            Self::Cached => "cached, not mapped",
        }
    }
}

/// Numbers of pages by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally([u64; STATES.len()]);

impl Tally {
    /// Counts pages.
    pub fn add(&mut self, state: State, pages: u64) {
        if let Some(count) = self.0.get_mut(state as usize) {
            *count += pages;
        }
    }

    /// Adds the counts of other pages.
    pub fn join(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    /// Pages in this state.
    pub fn of(&self, state: State) -> u64 {
        self.0.get(state as usize).copied().unwrap_or_default()
    }

    /// Pages in any state.
    pub fn sum(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Pages in memory and mapped.
    pub fn resident(&self) -> u64 {
        self.sum() - self.swapped() - self.of(State::Cached)
    }

    /// Pages in swap.
    pub fn swapped(&self) -> u64 {
        self.of(State::SwapPrivate) + self.of(State::SwapShared)
    }

    /// The state of most pages, the first of several: [`None`] if none is in any.
    pub fn most(&self) -> Option<State> {
        let most = STATES.into_iter().rev().max_by_key(|state| self.of(*state));

        most.filter(|state| self.of(*state) > 0)
    }

    /// The sign of a cell of `pages` pages: of the [most](Self::most), as a small letter unless all
    /// pages are in that state; `.` if none is in any.
    pub fn sign(&self, pages: u64) -> char {
        match self.most() {
            None => '.',
            Some(state) if self.of(state) == pages => state.sign(),
            Some(state) => state.sign().to_ascii_lowercase(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_differ_and_states_are_in_order() {
        for (i, state) in STATES.into_iter().enumerate() {
            assert_eq!(state as usize, i);
            assert!(STATES[..i].iter().all(|other| other.sign() != state.sign()));
        }
    }

    #[test]
    fn a_cell_shows_most_of_its_pages() {
        let mut tally = Tally::default();
        assert_eq!((tally.most(), tally.sign(4)), (None, '.'));
        tally.add(State::Cached, 2);
        assert_eq!(tally.sign(4), 'm');
        tally.add(State::File, 2);
        assert_eq!(tally.most(), Some(State::File), "the first of equals");
        tally.add(State::Cached, 1);
        assert_eq!(tally.sign(5), 'm');
        let mut whole = Tally::default();
        whole.add(State::SwapShared, 4);
        assert_eq!(whole.sign(4), 'W');
        whole.join(&tally);
        assert_eq!((whole.sum(), whole.resident(), whole.swapped()), (9, 2, 4));
    }
}
