// SPDX-License-Identifier: GPL-2.0

//! The events of each page in order. Consecutive pages with the same history are one run.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;

use super::event::{Actor, Event, listed};
use super::phrase::{Step, phrase};

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
}

/// Groups events by page. Those at unknown addresses are left out.
fn runs<'a>(events: &[Event<'a>], page_size: u64) -> Vec<Run<'a>> {
    let mut pages: BTreeMap<u64, History> = BTreeMap::new();
    let mut runs: Vec<Run> = Vec::new();

    for event in events {
        if let Some(address) = event.address {
            pages.entry(address / page_size).or_default().add(event);
        }
    }
    for (page, history) in pages {
        match runs.last_mut() {
            Some(run) if run.first + run.pages == page && run.history.steps == history.steps => {
                run.pages += 1;
                for actor in history.by {
                    run.history.add_actor(actor);
                }
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

/// Prints a line for each run of pages, by address.
pub fn print(out: &mut dyn Write, events: &[Event], page_size: u64) -> Result<()> {
    let unknown = events.iter().filter(|event| event.address.is_none());
    let unknown = unknown.count();

    writeln!(out, "{:<25} {:>8}  history", "addresses", "pages")?;
    for run in runs(events, page_size) {
        let Run { first, pages, .. } = run;
        let (start, end) = (first * page_size, (first + pages) * page_size);
        let addresses = format!("{start:x}-{end:x}");
        let steps = phrase(&run.history.steps);
        let by = listed(run.history.by.iter().map(Actor::to_string).collect());

        writeln!(out, "{addresses:<25} {pages:>8}  {steps}   by {by}")?;
    }
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
        print(&mut out, &events, 4096).expect("a vector takes every line");
        let text = String::from_utf8(out).expect("text");
        let line = text.lines().nth(1).expect("one run");
        assert!(line.starts_with("1000-3000 "), "{line}");
        let end = "2  new > free   by worker (212), worker (215), worker (216)";
        assert!(line.ends_with(end), "{line}");
    }

    #[test]
    fn events_at_unknown_addresses_are_told() {
        let mut lost = event(1, "new", true, 1);
        lost.address = None;
        let mut out = Vec::new();
        print(&mut out, &[lost], 4096).expect("a vector takes every line");
        let text = String::from_utf8(out).expect("text");
        assert!(text.contains("unknown: 1 ("), "{text}");
    }
}
