// SPDX-License-Identifier: GPL-2.0

//! Prints a log.

use std::collections::HashSet;
use std::io::Write;
use std::time::Duration;

use anyhow::Result;

use super::log::Log;
use super::{causes, history};
use crate::maps::Names;
use crate::range::AddressRange;

/// A log to print, and the options.
pub struct Report<'a> {
    /// The log.
    pub log: Log<'a>,
    /// The PID of the process.
    pub pid: i32,
    /// Restricts the report to these addresses.
    pub range: Option<AddressRange>,
    /// Print a line per change instead of histories.
    pub each: bool,
    /// Print histories by address instead of by mapping.
    pub addresses: bool,
    /// The names of the process's mappings.
    pub names: Names,
    /// Set if the log was lost with the address space: age of the copy that is printed.
    pub missed: Option<Duration>,
}

impl Report<'_> {
    /// Prints the whole report.
    pub fn print(mut self, out: &mut dyn Write, page_size: u64) -> Result<()> {
        // Times count from the log's first event, in the range or not.
        let start = self.log.events.first().map_or(0, |event| event.time);
        let unknown = self
            .range
            .map_or(0, |range| self.log.keep(&range.pages(page_size), page_size));

        self.heading(out, page_size)?;
        if unknown > 0 {
            writeln!(
                out,
                "left out, at unknown addresses that may be in the range: {unknown}"
            )?;
        }
        if self.log.events.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        causes::print(out, &self.log.events, page_size)?;
        writeln!(out)?;
        if self.each {
            self.changes(out, start)
        } else if self.addresses {
            history::print_addresses(out, &self.log.events, page_size)
        } else {
            history::print(out, &self.log.events, page_size, &self.names)
        }
    }

    fn heading(&self, out: &mut dyn Write, page_size: u64) -> Result<()> {
        let Log {
            events,
            dropped,
            notes,
            ..
        } = &self.log;
        let changes = events.len();
        let pages: HashSet<_> = events.iter().map(|event| event.page(page_size)).collect();
        let (pages, pid) = (pages.len(), self.pid);
        let there = if self.range.is_some() { " there" } else { "" };

        write!(
            out,
            "process {pid}: the exclusive bit changed {changes} times{there}, of {pages} pages"
        )?;
        if *dropped == 0 {
            writeln!(out, "; no event was dropped")?;
        } else {
            writeln!(
                out,
                "\n{dropped} events were dropped, of this process or of others: the module keeps only \
                 the newest of all.\nThe report is incomplete; trace for a shorter time"
            )?;
        }
        if let Some(missed) = self.missed {
            let missed = missed.as_secs_f64();
            writeln!(
                out,
                "it has exited or executed another program, which removes its log: this copy was \
                 read {missed:.1} s before"
            )?;
        }
        for note in notes {
            writeln!(out, "note from the module: {note}")?;
        }
        Ok(())
    }

    fn changes(&self, out: &mut dyn Write, start: u64) -> Result<()> {
        let (time, address) = ("ms", "address");
        let ip = if self.log.with_ip {
            "ip              "
        } else {
            ""
        };
        writeln!(
            out,
            "{time:>10}  {address:>12}  op     {:<13}  {:<30}  {ip}by",
            "cause", "site"
        )?;
        for event in &self.log.events {
            // Negative differences occur: events of several CPUs are not in the order of their times.
            let time = event.time as f64 / 1e6 - start as f64 / 1e6;
            let address = event
                .address
                .map_or_else(|| "-".to_string(), |address| format!("{address:x}"));
            let (op, cause, site, actor) = (event.op(), event.cause, event.site, event.actor);

            let ip = match event.ip {
                _ if !self.log.with_ip => String::new(),
                Some(ip) => format!("{ip:<14x}  "),
                None => format!("{:<14}  ", "-"),
            };
            writeln!(
                out,
                "{time:>10.3}  {address:>12}  {op:<5}  {cause:<13}  {site:<30}  {ip}{actor}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::tests::names;

    const TEXT: &str = "# seq ns op pfn address cause site pid comm\n\
        1 5000000 set 1 5000 new do_anonymous_page+0x1 212 worker\n\
        2 6500000 clear 1 5000 fork-share copy_pte_range+0x2 212 worker\n\
        3 6400000 set 9 - new do_anonymous_page+0x1 212 worker\n";

    fn printed(text: &str, change: impl FnOnce(&mut Report)) -> String {
        let mut report = Report {
            log: Log::parse(text).expect("a good log"),
            pid: 212,
            range: None,
            each: false,
            addresses: false,
            names: names(&[(5..6, "[heap]")]),
            missed: None,
        };
        let mut out = Vec::new();
        change(&mut report);
        report
            .print(&mut out, 4096)
            .expect("a vector takes every line");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn histories_follow_the_causes() {
        let text = printed(TEXT, |_| {});
        assert!(text.starts_with("process 212: the exclusive bit changed 3 times, of 2 pages; no"));
        assert!(
            text.contains("\nnew                  2        0        2  worker (212)\n"),
            "{text}"
        );
        assert!(
            text.contains("\n       1  [heap]   new > fork-share   by worker (212)\n"),
            "{text}"
        );
        assert!(!text.contains("site"), "{text}");
    }

    #[test]
    fn addresses_on_demand() {
        let text = printed(TEXT, |report| report.addresses = true);
        let line = "5000-6000                        1  new > fork-share   by worker (212)\n";
        assert!(text.contains(line), "{text}");
        assert!(!text.contains("heap"), "{text}");
    }

    #[test]
    fn each_change_has_a_line() {
        let text = printed(TEXT, |report| report.each = true);
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines: Vec<_> = text.lines().rev().take(3).map(words).collect();
        let expected = [
            "1.400 - set new do_anonymous_page+0x1 worker (212)",
            "1.500 5000 clear fork-share copy_pte_range+0x2 worker (212)",
            "0.000 5000 set new do_anonymous_page+0x1 worker (212)",
        ];
        assert_eq!(lines, expected);
        assert!(!text.contains('>'), "{text}");
    }

    #[test]
    fn what_is_missing_is_told() {
        let text = printed(&format!("{TEXT}# 7 events dropped\n# else\n"), |report| {
            report.missed = Some(Duration::from_millis(1500));
        });
        for part in ["7 events were dropped", "read 1.5 s before", "module: else"] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
    }

    #[test]
    fn a_range_is_told_from_what_may_be_in_it() {
        let text = printed(TEXT, |report| report.range = "6000-7000".parse().ok());
        assert!(text.contains("changed 0 times there"), "{text}");
        assert!(text.contains("in the range: 1\n"), "{text}");
        assert!(!text.contains("cause"), "{text}");
    }
}
