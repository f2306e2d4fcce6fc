// SPDX-License-Identifier: GPL-2.0

//! `xpagemap trace`: what happens to the exclusive bit of a process's pages.

mod causes;
mod event;
mod history;
mod log;
mod recording;
mod report;

use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::interrupt;
use crate::range::AddressRange;
use crate::target::Target;
use log::Log;
use recording::Recording;
use report::Report;

/// Record when and why the kernel sets and clears the exclusive bit of a process's pages
///
/// Records until the time is up, until Ctrl-C, or until the process exits. Then prints, for each
/// cause, how many bits it set and cleared and who did it, and what happened to each page in turn;
/// consecutive pages with the same history share a line. The README's section "The exclusive bit"
/// tells what the bit is for.
#[derive(clap::Args)]
pub struct Args {
    /// The process
    #[arg(value_parser = clap::value_parser!(i32).range(1..))]
    pid: i32,
    /// Addresses of interest: START-END, in hex, as in /proc/PID/maps [default: all]
    range: Option<AddressRange>,
    /// Stop after so many seconds [default: at Ctrl-C]
    #[arg(short, long, value_parser = seconds)]
    seconds: Option<Duration>,
    /// A line per change instead of a history of each page
    #[arg(long)]
    each: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;

    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// How often is looked whether it is time to stop.
const TICK: Duration = Duration::from_millis(50);

/// How often the log is read while it grows: so much is lost at most when the process exits. Where
/// reading takes long, it is not read for this many times as long.
const PERIOD: Duration = Duration::from_secs(1);
const REST: u32 = 10;

/// Traces a process, and tells what happened.
pub fn main(out: &mut dyn Write, args: Args) -> Result<()> {
    interrupt::install()?;
    let mut recording = Recording::start(Target::attach(args.pid)?)?;
    let found = recording.found;

    if found {
        eprintln!("xpagemap: it is being recorded already: this shows that log, and lets it go on");
    }
    let watched = watch(&recording, args.seconds)?;
    recording.stop()?;
    let mut text = recording.read()?;
    drop(recording);

    let mut missed = None;
    if log::is_gone(&text) && watched.text.len() > text.len() {
        text = watched.text;
        missed = Some(watched.read.elapsed());
    }
    let log = Log::parse(&text)?;
    if log::is_gone(&text) && log.events.is_empty() {
        bail!(
            "process {} has exited, or begun another program, and its log went with its memory \
             before it was read",
            args.pid
        );
    }
    Report {
        log,
        pid: args.pid,
        range: args.range,
        each: args.each,
        missed,
    }
    .print(out, procfs::page_size())
}

/// The log as it was read while it grew.
struct Watched {
    text: String,
    read: Instant,
}

/// Waits until it is time to stop.
fn watch(recording: &Recording, limit: Option<Duration>) -> Result<Watched> {
    let start = Instant::now();
    let mut rest = PERIOD;
    let mut watched = Watched {
        text: String::new(),
        read: start,
    };

    loop {
        let left = limit.map_or(TICK, |limit| limit.saturating_sub(start.elapsed()));
        if left.is_zero() || interrupt::raised() || recording.is_gone()? {
            return Ok(watched);
        }
        sleep(left.min(TICK));

        if watched.read.elapsed() >= rest {
            let begun = Instant::now();
            let text = recording.read()?;
            if !log::is_gone(&text) {
                watched = Watched { text, read: begun };
            }
            rest = PERIOD.max(begun.elapsed() * REST);
        }
    }
}
