// SPDX-License-Identifier: GPL-2.0

//! The events of each page in order. Pages of a mapping with the same history are one line; by
//! address, consecutive ones are one run.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;

use super::event::{Actor, Event, listed};
use super::phrase::{Step, phrase};
use crate::maps::Names;

/// The largest width of the column of mappings; longer names shift the history.
const WIDEST: usize = 40;

#[derive(Debug, Default, PartialEq, Eq)]
struct History<'a> {
    steps: Vec<Step<'a>>,
    /// The processes that made the changes, by their first one.
    by: Vec<Actor<'a>>,
}

/// Consecutive pages with the same history.
#[derive(Debug, PartialEq, Eq)]
struct Run<'a> {
    first: u64,
    pages: u64,
    history: History<'a>,
}

/// The pages of a mapping with the same history.
struct Fold<'a> {
    mapping: &'a str,
    pages: u64,
    history: History<'a>,
}

impl<'a> History<'a> {
    fn add(&mut self, event: &Event<'a>) {
        self.steps.push((event.set, event.cause));
        self.add_actor(event.actor);
    }

    fn add_actor(&mut self, actor: Actor<'a>) {
        if !self.by.contains(&actor) {
            self.by.push(actor);
        }
    }

    fn add_actors_of(&mut self, other: Self) {
        for actor in other.by {
            self.add_actor(actor);
        }
    }

    fn actors(&self) -> String {
        listed(self.by.iter().map(Actor::to_string).collect())
    }
}

/// Groups events by page number. Those at unknown addresses are left out.
fn histories<'a>(events: &[Event<'a>], page_size: u64) -> BTreeMap<u64, History<'a>> {
    let mut pages: BTreeMap<u64, History> = BTreeMap::new();

    for event in events {
        if let Some(address) = event.address {
            pages.entry(address / page_size).or_default().add(event);
        }
    }
    pages
}

/// Groups pages by mapping and history, those of most pages first.
fn folds<'a>(events: &[Event<'a>], page_size: u64, names: &'a Names) -> Vec<Fold<'a>> {
    let mut folds: BTreeMap<(&str, Vec<Step>), Fold> = BTreeMap::new();

    for (page, history) in histories(events, page_size) {
        let mapping = names.name_at(page * page_size);
        let fold = folds
            .entry((mapping, history.steps.clone()))
            .or_insert_with(|| Fold {
                mapping,
                pages: 0,
                history: History {
                    steps: history.steps.clone(),
                    by: Vec::new(),
                },
            });

        fold.pages += 1;
        fold.history.add_actors_of(history);
    }
    let mut folds: Vec<_> = folds.into_values().collect();
    folds.sort_by_key(|fold| Reverse(fold.pages));
    folds
}

/// Groups consecutive pages by history.
fn runs<'a>(events: &[Event<'a>], page_size: u64) -> Vec<Run<'a>> {
    let mut runs: Vec<Run> = Vec::new();

    for (page, history) in histories(events, page_size) {
        match runs.last_mut() {
            Some(run) if run.first + run.pages == page && run.history.steps == history.steps => {
                run.pages += 1;
                run.history.add_actors_of(history);
            }
            _ => runs.push(Run {
                first: page,
                pages: 1,
                history,
            }),
        }
    }
    runs
}

/// Prints a line for each mapping and history.
pub fn print(out: &mut dyn Write, events: &[Event], page_size: u64, names: &Names) -> Result<()> {
    let folds = folds(events, page_size, names);
    let widths = folds.iter().map(|fold| fold.mapping.chars().count());
    let width = widths.max().unwrap_or(0).clamp("mapping".len(), WIDEST);

    writeln!(out, "   pages  {:<width$}  history", "mapping")?;
    for fold in folds {
        let Fold { mapping, pages, .. } = fold;
        let (steps, by) = (phrase(&fold.history.steps), fold.history.actors());

        writeln!(out, "{pages:>8}  {mapping:<width$}  {steps}   by {by}")?;
    }
    unknown(out, events)
}

/// Prints a line for each run of pages, by address.
pub fn print_addresses(out: &mut dyn Write, events: &[Event], page_size: u64) -> Result<()> {
    writeln!(out, "{:<25} {:>8}  history", "addresses", "pages")?;
    for run in runs(events, page_size) {
        let Run { first, pages, .. } = run;
        let (start, end) = (first * page_size, (first + pages) * page_size);
        let addresses = format!("{start:x}-{end:x}");
        let (steps, by) = (phrase(&run.history.steps), run.history.actors());

        writeln!(out, "{addresses:<25} {pages:>8}  {steps}   by {by}")?;
    }
    unknown(out, events)
}

fn unknown(out: &mut dyn Write, events: &[Event]) -> Result<()> {
    let unknown = events.iter().filter(|event| event.address.is_none());
    let unknown = unknown.count();

    if unknown > 0 {
        writeln!(
            out,
            "changes of pages whose addresses are unknown: {unknown} (--each lists them)"
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::tests::names;
    use crate::trace::event::tests::event;

    fn ranges(events: &[Event]) -> Vec<(u64, u64)> {
        let runs = runs(events, 4096);
        runs.iter().map(|run| (run.first, run.pages)).collect()
    }

    #[test]
    fn neighbours_with_the_same_history_are_one_run() {
        // The order of events of different pages does not matter.
        let events = [
            event(8, "new", true, 1),
            event(7, "new", true, 1),
            event(7, "fork-share", false, 1),
            event(8, "fork-share", false, 1),
            event(9, "new", true, 1),
            event(11, "new", true, 1),
        ];
        assert_eq!(ranges(&events), [(7, 2), (9, 1), (11, 1)]);
    }

    #[test]
    fn the_same_cause_that_set_and_cleared_differs() {
        let events = [event(1, "hugetlb", true, 1), event(2, "hugetlb", false, 1)];
        assert_eq!(ranges(&events), [(1, 1), (2, 1)]);
    }

    #[test]
    fn a_run_names_everybody_once() {
        let events = [
            event(1, "new", true, 212),
            event(1, "free", false, 215),
            event(2, "new", true, 212),
            event(2, "free", false, 216),
        ];
        let mut out = Vec::new();
        print_addresses(&mut out, &events, 4096).expect("a vector takes every line");
        let text = String::from_utf8(out).expect("text");
        let line = text.lines().nth(1).expect("one run");
        assert!(line.starts_with("1000-3000 "), "{line}");
        let end = "2  new > free   by worker (212), worker (215), worker (216)";
        assert!(line.ends_with(end), "{line}");
    }

    #[test]
    fn pages_of_a_mapping_are_one_line_the_largest_first() {
        let events = [
            event(1, "new", true, 212),
            event(3, "new", true, 215),
            event(8, "new", true, 212),
            event(9, "free", false, 212),
            event(5, "free", false, 212),
            event(6, "free", false, 212),
            event(7, "free", false, 212),
        ];
        let names = names(&[(1..4, "[heap]"), (5..6, "/a"), (6..7, "/b"), (7..9, "/a")]);
        let mut out = Vec::new();
        print(&mut out, &events, 4096, &names).expect("a vector takes every line");
        let text = String::from_utf8(out).expect("text");
        let expected = "   pages  mapping         history
       2  /a              free   by worker (212)
       2  [heap]          new   by worker (212), worker (215)
       1  /a              new   by worker (212)
       1  /b              free   by worker (212)
       1  not mapped now  free   by worker (212)
";
        assert_eq!(text, expected);
    }

    #[test]
    fn events_at_unknown_addresses_are_told() {
        let mut lost = event(1, "new", true, 1);
        lost.address = None;
        let mut out = Vec::new();
        print(&mut out, &[lost], 4096, &Names::default()).expect("a vector takes every line");
        let text = String::from_utf8(out).expect("text");
        assert!(text.contains("unknown: 1 ("), "{text}");
    }
}
