// SPDX-License-Identifier: GPL-2.0

//! Pages that change between the two times that a locator reads them.

use kernel::prelude::*;

#[kunit_tests(xpagemap_locator)]
mod tests {
    use super::*;

    use core::{
        cell::Cell,
        ops::{
            Range,
            RangeInclusive, //
        },
    };

    use kernel::mm::{
        page_state::{
            PageKind,
            PageState, //
        },
        shmem::{
            SwapRun,
            SwapSlot, //
        },
        swap::Backing, //
    };

    use crate::walk::{
        locator::{
            Locator,
            Pages, //
        },
        Located, //
    };

    /// A page in a slot of a swap device that does not exist: its bytes are [`Backing::None`].
    fn swapped(offset: usize) -> PageState {
        PageState {
            kind: PageKind::Swap,
            swap_type: 31,
            frame: offset,
            ..PageState::UNMAPPED
        }
    }

    /// The locations of four pages: one stays in its slot, one gets another, one comes into swap, and
    /// one leaves it.
    const STAYED_MOVED_CAME_LEFT: [Option<Backing>; 4] = [
        Some(Backing::None),
        Some(Backing::Cache),
        Some(Backing::Cache),
        None,
    ];

    /// Copies the locations that a walk finds.
    fn copy(located: &Located<'_>, into: &mut [Option<Backing>; 4]) -> Result {
        for (number, backing) in (located.first..).zip(located.backings) {
            *into.get_mut(number).ok_or(EINVAL)? = Some(*backing);
        }
        Ok(())
    }

    #[test]
    fn page_that_moved_meanwhile_was_in_the_swap_cache() -> Result {
        let mut found = [None; 4];
        let decodings = Cell::new(0);

        Locator::new()?.pages(
            0,
            4,
            |pages| {
                let again = decodings.replace(decodings.get() + 1);
                let free = |again: usize, page| {
                    if again == 0 {
                        PageState::UNMAPPED
                    } else {
                        page
                    }
                };

                pages.copy_from_slice(&[
                    swapped(7),
                    swapped(8 + again),
                    free(again, swapped(9)),
                    free(1 - again, swapped(10)),
                ]);
                Ok(())
            },
            &mut |located| copy(located, &mut found),
        )?;
        assert_eq!(decodings.get(), 2);
        assert_eq!(found, STAYED_MOVED_CAME_LEFT);
        Ok(())
    }

    const fn run(index: usize, pages: usize, offset: usize) -> SwapRun {
        SwapRun {
            index,
            pages,
            slot: SwapSlot {
                swap_type: 31,
                offset,
            },
        }
    }

    /// The runs of a file: pages 0 and 1 in consecutive slots; page 2 is not in swap.
    const RUNS: [SwapRun; 2] = [run(0, 2, 7), run(3, 1, 9)];

    /// A file that is searched twice.
    struct Fake<'a> {
        /// The runs that the second search finds.
        again: &'a [SwapRun],
        /// True if an entry may hide a page.
        hides: bool,
        searches: Cell<usize>,
        /// The states of the pages; none if they must not be decoded.
        states: Option<[PageState; 4]>,
    }

    impl Pages for Fake<'_> {
        fn swap_runs<'r>(
            &self,
            range: &mut RangeInclusive<usize>,
            runs: &'r mut [SwapRun],
        ) -> &'r [SwapRun] {
            let found = match self.searches.replace(self.searches.get() + 1) {
                0 => &RUNS,
                _ => self.again,
            };

            *range = RangeInclusive::new(1, 0);
            runs[..found.len()].copy_from_slice(found);
            &runs[..found.len()]
        }

        fn may_hide(&self, _pages: &Range<usize>) -> Result<bool> {
            Ok(self.hides)
        }

        fn decode(&self, first: usize, pages: &mut [PageState]) -> Result {
            assert_eq!(first, 0);
            pages.copy_from_slice(&self.states.ok_or(EIO)?);
            Ok(())
        }
    }

    /// Returns the locations that a search of a file finds.
    fn search(
        again: &[SwapRun],
        hides: bool,
        states: Option<[PageState; 4]>,
    ) -> Result<[Option<Backing>; 4]> {
        let file = Fake {
            again,
            hides,
            searches: Cell::new(0),
            states,
        };
        let mut found = [None; 4];
        let rest = Locator::new()?.search(0..4, &file, &mut |run| copy(run, &mut found))?;

        assert!(rest.is_none());
        Ok(found)
    }

    #[test]
    fn unchanged_runs_are_not_decoded() -> Result {
        let none = Some(Backing::None);

        assert_eq!(search(&RUNS, false, None)?, [none, none, None, none]);
        Ok(())
    }

    #[test]
    fn page_that_left_its_run_was_in_the_swap_cache() -> Result {
        let states = [swapped(7), swapped(20), swapped(30), PageState::UNMAPPED];
        let changed = [run(0, 1, 7), run(1, 1, 20), run(2, 1, 30)];

        // Page 2 is between two runs, and came into swap.
        assert_eq!(
            search(&changed, false, Some(states))?,
            STAYED_MOVED_CAME_LEFT
        );
        Ok(())
    }

    #[test]
    fn hidden_page_is_in_no_run() -> Result {
        let none = Some(Backing::None);
        let states = [swapped(7), PageState::UNMAPPED, swapped(30), swapped(9)];

        assert_eq!(
            search(&RUNS, true, Some(states))?,
            [none, None, Some(Backing::Cache), none]
        );
        Ok(())
    }
}
