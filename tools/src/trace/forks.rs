// SPDX-License-Identifier: GPL-2.0

//! The fate of the pages that a fork has shared.

use std::collections::{HashMap, HashSet};
use std::io::Write;

use anyhow::Result;

use super::birth::Birth;
use super::event::Event;

/// The pages of one fork.
#[derive(Debug, PartialEq, Eq)]
pub struct Totals {
    /// Shared by parent and child when the child was born.
    pub shared: usize,
    /// Copied by fork itself, since they may be pinned.
    pub early: usize,
    /// Of those shared: copied for the parent, while the child lived.
    pub by_parent: usize,
    /// Of those shared: copied for the child.
    pub by_child: usize,
    /// Of those shared: copied for neither.
    pub never: usize,
}

/// Returns whether the page at the event's address is from then on a copy.
fn is_copy(event: &Event) -> bool {
    let copies = match event.cause {
        "cow-copy" => true,
        // These also reuse pages; a copy is mapped as a new page.
        "unshare" | "ksm" => event.site.starts_with("folio_add_new_anon_rmap"),
        _ => false,
    };

    event.set && copies
}

/// Returns the pages that were copied for the parent after the birth, and before `end`.
///
/// An event before the birth counts too if it is the page's last one: the page has become exclusive
/// to the parent, and the child shares it, so fork shared it before. The parent's other threads run
/// while the child waits for its first instruction.
fn copied_for_parent(
    shared: &HashSet<u64>,
    birth: u64,
    end: Option<u64>,
    events: &[Event],
    page_size: u64,
) -> HashSet<u64> {
    let mut copied = HashSet::new();
    let mut before = HashMap::new();

    for event in events {
        let Some(page) = event.address.map(|address| address / page_size) else {
            continue;
        };
        if !shared.contains(&page) || end.is_some_and(|end| event.time >= end) {
            continue;
        }
        if event.time < birth {
            before.insert(page, is_copy(event));
        } else if is_copy(event) {
            copied.insert(page);
        }
    }
    copied.extend(
        before
            .iter()
            .filter(|(_, copy)| **copy)
            .map(|(page, _)| page),
    );
    copied
}

/// Splits the pages that a child has of its own at its birth: those that fork copied, and those that
/// the child copied already, since the kernel has written to them for it, the thread's ID for
/// instance.
fn split_own(birth: &Birth, parent: &[Event], page_size: u64) -> (usize, HashSet<u64>) {
    let copies = parent.iter().filter(|event| event.cause == "fork-copy");
    let copies: HashSet<_> = copies
        .filter_map(|event| Some((event.address? / page_size, event.frame)))
        .collect();
    let pages: HashSet<_> = copies.iter().map(|(page, _)| *page).collect();
    let (early, childs): (Vec<_>, Vec<_>) =
        birth.own.iter().partition(|(page, frame)| match frame {
            Some(frame) => copies.contains(&(**page, *frame)),
            None => pages.contains(page),
        });

    (
        early.len(),
        childs.into_iter().map(|(page, _)| *page).collect(),
    )
}

impl Totals {
    /// Counts the pages of a fork. `end` is the time of the child's end.
    pub fn of(
        birth: &Birth,
        end: Option<u64>,
        parent: &[Event],
        child: &[Event],
        page_size: u64,
    ) -> Self {
        let (early, mut childs) = split_own(birth, parent, page_size);
        let shared: HashSet<_> = birth.shared.union(&childs).copied().collect();
        let parents = copied_for_parent(&shared, birth.time, end, parent, page_size);
        let copies = child.iter().filter(|event| is_copy(event));

        childs.extend(
            copies
                .filter_map(|event| Some(event.address? / page_size))
                .filter(|page| shared.contains(page)),
        );
        Self {
            shared: shared.len(),
            early,
            by_parent: parents.len(),
            by_child: childs.len(),
            never: shared.len() - parents.union(&childs).count(),
        }
    }
}

/// A line of the table.
pub struct Fork<'a> {
    /// The PIDs.
    pub parent: i32,
    /// Of the child.
    pub child: i32,
    /// Its totals.
    pub totals: Totals,
    /// The end of the child's address space, in words.
    pub end: &'a str,
    /// True if events of either were dropped: copies may be missing.
    pub incomplete: bool,
}

/// Prints a line for each fork.
pub fn print(out: &mut dyn Write, forks: &[Fork]) -> Result<()> {
    writeln!(
        out,
        "forks: pages shared, copied by fork, copied later for parent and child, and never"
    )?;
    writeln!(
        out,
        "{:>8} {:>8} {:>9} {:>8} {:>9} {:>9} {:>9}  child",
        "parent", "child", "shared", "early", "by parent", "by child", "never"
    )?;
    for fork in forks {
        let Fork { parent, child, .. } = fork;
        let Totals {
            shared,
            early,
            by_parent,
            by_child,
            never,
        } = fork.totals;
        let end = fork.end;
        let note = if fork.incomplete {
            "; incomplete, as events were dropped"
        } else {
            ""
        };

        writeln!(
            out,
            "{parent:>8} {child:>8} {shared:>9} {early:>8} {by_parent:>9} {by_child:>9} {never:>9}  {end}{note}"
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::event::tests::event;

    fn at(time: u64, page: u64, cause: &'static str, set: bool) -> Event<'static> {
        Event {
            time,
            ..event(page, cause, set, 1)
        }
    }

    fn birth() -> Birth {
        Birth {
            time: 100,
            shared: (1..=8).collect(),
            own: HashMap::new(),
        }
    }

    fn totals(parent: &[Event], child: &[Event]) -> (usize, usize, usize) {
        let totals = Totals::of(&birth(), Some(200), parent, child, 4096);
        assert_eq!((totals.shared, totals.early), (8, 0));
        (totals.by_parent, totals.by_child, totals.never)
    }

    #[test]
    fn copies_count_once_a_page() {
        let parent = [
            at(110, 1, "cow-copy", true),
            at(111, 1, "fork-share", false),
            at(112, 1, "cow-copy", true),
            at(113, 2, "cow-reuse", true),
            at(114, 99, "cow-copy", true),
        ];
        let child = [at(120, 1, "cow-copy", true), at(121, 3, "cow-copy", true)];
        assert_eq!(totals(&parent, &child), (1, 2, 6));
    }

    #[test]
    fn the_parents_copies_count_while_the_child_lives() {
        let parent = [
            // Shared afterwards: a copy of an earlier fork's page.
            at(10, 1, "cow-copy", true),
            at(11, 1, "fork-share", false),
            // By another thread, between the fork and the look at the child.
            at(99, 2, "cow-copy", true),
            at(98, 3, "new", true),
            at(200, 4, "cow-copy", true),
        ];
        assert_eq!(totals(&parent, &[]), (1, 0, 7));
    }

    #[test]
    fn a_pin_copies_or_reuses() {
        let new = Event {
            site: "folio_add_new_anon_rmap+0x1",
            ..at(110, 1, "unshare", true)
        };
        assert_eq!(totals(&[new, at(110, 2, "unshare", true)], &[]), (1, 0, 7));
    }

    #[test]
    fn forks_copies_are_told_from_the_childs() {
        let birth = Birth {
            own: [(20, Some(7)), (21, Some(8)), (22, Some(9)), (23, None)].into(),
            ..birth()
        };
        let copy = |page, frame| Event {
            frame,
            ..at(99, page, "fork-copy", true)
        };
        // Page 21 was copied by an earlier fork.
        let parent = [
            copy(20, 7),
            copy(21, 1),
            copy(23, 5),
            at(110, 22, "cow-copy", true),
        ];
        let totals = Totals::of(&birth, None, &parent, &[], 4096);
        let expected = Totals {
            shared: 10,
            early: 2,
            by_parent: 1,
            by_child: 2,
            never: 8,
        };
        assert_eq!(totals, expected);
    }

    #[test]
    fn a_line_for_each_fork() {
        let fork = Fork {
            parent: 212,
            child: 215,
            totals: Totals::of(&birth(), None, &[], &[], 4096),
            end: "exited",
            incomplete: true,
        };
        let mut out = Vec::new();
        print(&mut out, &[fork]).expect("a vector takes every line");
        let text = String::from_utf8(out).expect("text");
        let last = text.lines().last().expect("a line");
        let words: Vec<_> = last.split_whitespace().take(8).collect();
        assert_eq!(words, ["212", "215", "8", "0", "0", "0", "8", "exited;"]);
    }
}
