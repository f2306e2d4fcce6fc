// SPDX-License-Identifier: GPL-2.0

//! The table of causes: bits set and cleared, pages, and processes for each.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;

use anyhow::Result;

use super::event::{Actor, Event, Page, listed};

/// The events of one cause.
#[derive(Default)]
struct Row<'a> {
    set: usize,
    cleared: usize,
    pages: HashSet<Page>,
    /// Changes by process.
    by: BTreeMap<Actor<'a>, usize>,
}

impl Row<'_> {
    fn changes(&self) -> usize {
        self.set + self.cleared
    }

    /// The processes with the most changes, with their numbers of changes if there are several.
    fn actors(&self) -> String {
        let mut by: Vec<_> = self.by.iter().collect();
        by.sort_by(|a, b| b.1.cmp(a.1));
        let alone = by.len() == 1;
        let names = by.iter().map(|(actor, count)| {
            if alone {
                actor.to_string()
            } else {
                format!("{actor} {count}")
            }
        });

        listed(names.collect())
    }
}

/// Prints a line for each cause, sorted by number of changes, largest first.
pub fn print(out: &mut dyn Write, events: &[Event], page_size: u64) -> Result<()> {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();

    for event in events {
        let row = rows.entry(event.cause).or_default();
        if event.set {
            row.set += 1;
        } else {
            row.cleared += 1;
        }
        row.pages.insert(event.page(page_size));
        *row.by.entry(event.actor).or_default() += 1;
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.changes()));

    let (set, cleared, pages) = ("set", "cleared", "pages");
    writeln!(out, "{:<13} {set:>8} {cleared:>8} {pages:>8}  by", "cause")?;
    for (cause, row) in rows {
        let (set, cleared, pages) = (row.set, row.cleared, row.pages.len());
        let actors = row.actors();
        writeln!(
            out,
            "{cause:<13} {set:>8} {cleared:>8} {pages:>8}  {actors}"
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::event::tests::event;

    fn table(events: &[Event]) -> Vec<String> {
        let mut out = Vec::new();
        print(&mut out, events, 4096).expect("a vector takes every line");
        let text = String::from_utf8(out).expect("text");
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.lines().map(words).collect()
    }

    #[test]
    fn a_line_for_each_cause() {
        let events = [
            event(1, "new", true, 212),
            event(1, "hugetlb", true, 212),
            event(1, "hugetlb", false, 212),
            event(2, "hugetlb", true, 215),
        ];
        let expected = [
            "cause set cleared pages by",
            "hugetlb 2 1 2 worker (212) 2, worker (215) 1",
            "new 1 0 1 worker (212)",
        ];
        assert_eq!(table(&events), expected);
    }

    #[test]
    fn the_busiest_are_named_and_the_rest_counted() {
        let mut events: Vec<_> = (1..=6).map(|pid| event(1, "ksm", true, pid)).collect();
        events.push(event(1, "ksm", false, 6));
        assert_eq!(
            table(&events)[1],
            "ksm 6 1 1 worker (6) 2, worker (1) 1, worker (2) 1, 3 others"
        );
    }

    #[test]
    fn pages_at_unknown_addresses_are_told_by_their_frames() {
        let mut events = [event(1, "free", false, 2), event(2, "free", false, 2)];
        for event in &mut events {
            event.address = None;
        }
        assert_eq!(table(&events)[1], "free 0 2 2 worker (2)");
        events[1].frame = events[0].frame;
        assert_eq!(table(&events)[1], "free 0 2 1 worker (2)");
    }
}
