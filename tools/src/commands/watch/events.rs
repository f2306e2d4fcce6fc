// SPDX-License-Identifier: GPL-2.0

//! The latest events of a traced process.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::target::Target;
use crate::trace::event::Event;

/// Events that are kept.
const KEPT: usize = 1000;

/// Pause between two reads, at least, and as a multiple of the time that the last one took.
const PERIOD: Duration = Duration::from_secs(1);
const REST: u32 = 10;

/// The last lines of the log.
#[derive(Default)]
pub struct Events {
    /// Lines for the screen, oldest first.
    pub lines: VecDeque<String>,
    /// Events in the log.
    pub count: u64,
    /// True if the process is being recorded.
    pub recorded: bool,
    due: Option<Instant>,
}

impl Events {
    /// Reads the log, unless it was read a moment ago.
    ///
    /// # Errors
    ///
    /// The log cannot be read.
    pub fn refresh(&mut self, target: &Target) -> Result<()> {
        if self.due.is_some_and(|due| Instant::now() < due) {
            return Ok(());
        }
        let begun = Instant::now();
        let state = std::fs::read_to_string(target.file("trace")).unwrap_or_default();

        self.recorded = !matches!(state.trim_end(), "" | "0");
        if self.recorded {
            let path = target.file("events");
            let file =
                File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
            self.read(BufReader::new(file))
                .with_context(|| format!("cannot read {}", path.display()))?;
        }
        self.due = Some(Instant::now() + PERIOD.max(begun.elapsed() * REST));
        Ok(())
    }

    /// Reads a log, a line at a time.
    fn read(&mut self, log: impl BufRead) -> Result<()> {
        let mut with_ip = false;
        let mut last = VecDeque::new();

        self.count = 0;
        for line in log.lines() {
            let line = line?;
            if line.starts_with('#') {
                with_ip |= line.ends_with(" ip");
                continue;
            }
            self.count += 1;
            if last.len() == KEPT {
                last.pop_front();
            }
            last.push_back(line);
        }
        self.lines.clear();
        for line in &last {
            self.lines.push_back(text(&Event::parse(line, with_ip)?));
        }
        Ok(())
    }
}

fn text(event: &Event) -> String {
    let seconds = Duration::from_nanos(event.time).as_secs_f64();
    let address = event
        .address
        .map_or("-".to_string(), |address| format!("{address:x}"));

    format!(
        "{seconds:14.6} {address:>12} {:5} {:13} {}",
        event.op(),
        event.cause,
        event.actor
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_events_are_kept() {
        let mut log = "# seq ns op pfn address cause site pid comm\n".to_string();
        for i in 0..KEPT + 5 {
            log.push_str(&format!("{i} {i}000000 set 1 5000 new f+0x1 212 wor ker\n"));
        }
        let mut events = Events::default();
        events.read(log.as_bytes()).expect("a log");
        assert_eq!((events.count, events.lines.len()), (KEPT as u64 + 5, KEPT));
        assert_eq!(
            events.lines[0].trim(),
            "0.005000         5000 set   new           wor ker (212)"
        );
    }
}
