// SPDX-License-Identifier: GPL-2.0

//! Parses the text of `PID/events`.

use std::ops::Range;

use anyhow::{Context, Result};

use super::event::Event;

const COLUMNS: &str = "seq ns op pfn address cause site pid comm";
const WITH_IP: &str = "seq ns op pfn address cause site pid comm ip";
const GONE: &str = "the address space is gone";
const DROPPED: &str = " events dropped";

/// A parsed log.
#[derive(Debug, Default)]
pub struct Log<'a> {
    /// The events, oldest first.
    pub events: Vec<Event<'a>>,
    /// Number of dropped events, of all targets.
    pub dropped: u64,
    /// True if lines have the column `ip`.
    pub with_ip: bool,
    /// Other `#` lines.
    pub notes: Vec<&'a str>,
}

/// Returns true if the address space was gone before the text was read to its end.
pub fn is_gone(text: &str) -> bool {
    let last = text.lines().next_back();

    last.and_then(|line| line.strip_prefix("# ")) == Some(GONE)
}

impl<'a> Log<'a> {
    /// Parses the text of the file.
    pub fn parse(text: &'a str) -> Result<Self> {
        let mut log = Self::default();

        for (number, line) in (1..).zip(text.split_terminator('\n')) {
            match line.strip_prefix("# ") {
                Some(note) => log.note(note),
                None => log.events.push(
                    Event::parse(line, log.with_ip)
                        .with_context(|| format!("line {number} of the log"))?,
                ),
            }
        }
        Ok(log)
    }

    fn note(&mut self, note: &'a str) {
        let dropped = note
            .strip_suffix(DROPPED)
            .and_then(|count| count.parse::<u64>().ok());

        match note {
            COLUMNS | GONE => {}
            WITH_IP => self.with_ip = true,
            _ => match dropped {
                Some(count) => self.dropped += count,
                None => self.notes.push(note),
            },
        }
    }

    /// Keeps the events of `pages` alone. Returns the number of removed events at unknown
    /// addresses.
    pub fn keep(&mut self, pages: &Range<u64>, page_size: u64) -> usize {
        let unknown = self.events.iter().filter(|event| event.address.is_none());
        let unknown = unknown.count();

        self.events.retain(|event| {
            event
                .address
                .is_some_and(|address| pages.contains(&(address / page_size)))
        });
        unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# seq ns op pfn address cause site pid comm\n\
        # 5 events dropped\n\
        6 100 set 1 5000 new f+0x1 212 worker\n\
        # 2 events dropped\n\
        9 110 clear 1 - free g+0x2 212 worker\n\
        # something new\n\
        # the address space is gone\n";

    #[test]
    fn all_that_is_dropped_is_counted() {
        let log = Log::parse(TEXT).expect("a good log");
        assert_eq!((log.events.len(), log.dropped), (2, 7));
        assert_eq!(log.notes, ["something new"]);
    }

    #[test]
    fn nothing_is_a_log_without_events() {
        let log = Log::parse("").expect("a good log");
        assert_eq!((log.events.len(), log.dropped), (0, 0));
    }

    #[test]
    fn the_end_tells_that_it_is_gone() {
        assert!(is_gone(TEXT));
        assert!(!is_gone(""));
        assert!(!is_gone("# seq ns op pfn address cause site pid comm\n"));
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = Log::parse("# something\nbad\n").expect_err("a bad log");
        assert!(format!("{error:#}").contains("line 2"), "{error:#}");
    }

    #[test]
    fn a_range_leaves_the_rest_out() {
        let mut log = Log::parse(TEXT).expect("a good log");
        assert_eq!(log.keep(&(5..6), 4096), 1);
        assert_eq!(log.events.len(), 1);
        assert_eq!(log.keep(&(6..9), 4096), 0);
        assert_eq!(log.events.len(), 0);
    }
}
