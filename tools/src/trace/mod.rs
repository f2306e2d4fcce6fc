// SPDX-License-Identifier: GPL-2.0

//! `xpagemap trace`: what happens to the exclusive bit of a process's pages.

mod causes;
mod event;
mod history;
mod log;
mod phrase;
mod program;
mod recording;
mod report;

use std::ffi::OsString;
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::interrupt;
use crate::range::AddressRange;
use crate::target::Target;
use log::Log;
use program::{Program, State};
use recording::Recording;
use report::Report;

/// Record when and why the kernel sets and clears the exclusive bit of a process's pages
///
/// Records until the time is up, until Ctrl-C, or until the process exits. Then prints, for each
/// cause, how many bits it set and cleared and who did it, and what happened to each page in turn;
/// consecutive pages with the same history share a line. The README's section "The exclusive bit"
/// tells what the bit is for.
#[derive(clap::Args)]
#[command(override_usage = "xpagemap trace [OPTIONS] <PID> [RANGE]\n       \
                            xpagemap trace [OPTIONS] -- <COMMAND>...")]
pub struct Args {
    /// The process
    #[arg(value_parser = clap::value_parser!(i32).range(1..), required_unless_present = "command")]
    pid: Option<i32>,
    /// Addresses of interest: START-END, in hex, as in /proc/PID/maps [default: all]
    range: Option<AddressRange>,
    /// Stop recording after so many seconds [default: at Ctrl-C]
    #[arg(short, long, value_parser = seconds)]
    seconds: Option<Duration>,
    /// A line per change instead of a history of each page
    #[arg(long)]
    each: bool,
    /// A program to run, and its arguments: recorded from its first instruction to its last
    #[arg(last = true, conflicts_with_all = ["pid", "range"])]
    command: Vec<OsString>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;

    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// How often is looked whether it is time to stop, or whether a program has to be let go on.
pub const TICK: Duration = Duration::from_millis(10);

/// How often the log is read while it grows: so much is lost at most when the process exits. Where
/// reading takes long, it is not read for this many times as long.
const PERIOD: Duration = Duration::from_secs(1);
const REST: u32 = 10;

/// Traces a process or a program, and tells what happened.
pub fn main(out: &mut dyn Write, args: Args) -> Result<()> {
    interrupt::install()?;
    match args.pid {
        Some(pid) => {
            let recording = Recording::start(Target::attach(pid)?)?;
            let watched = watch(&recording, args.seconds, || recording.is_gone())?;

            tell(out, recording, watched, &args)
        }
        None => trace_program(out, &args),
    }
}

fn trace_program(out: &mut dyn Write, args: &Args) -> Result<()> {
    let mut program = Program::start(&args.command)?;
    let start = Instant::now();

    loop {
        // Each program has an address space of its own, and so a log of its own.
        let recording = Recording::start(Target::attach(program.pid())?)?;
        let left = args
            .seconds
            .map(|limit| limit.saturating_sub(start.elapsed()));

        program.resume()?;
        let watched = watch(&recording, left, || {
            Ok(!matches!(program.state()?, State::Running))
        })?;
        if !matches!(program.state()?, State::Executed) {
            tell(out, recording, watched, args)?;
            out.flush()?;
            break;
        }
        eprintln!("xpagemap: the program becomes another: what came before went with its memory");
    }
    program.resume()?;
    match program.wait()? {
        Some(status) => eprintln!("xpagemap: the program ended, {status}"),
        None => eprintln!("xpagemap: the program is left to itself"),
    }
    Ok(())
}

/// Ends a recording, and prints it.
fn tell(
    out: &mut dyn Write,
    mut recording: Recording,
    watched: Watched,
    args: &Args,
) -> Result<()> {
    let pid = recording.pid();

    if recording.found {
        eprintln!("xpagemap: it was being recorded already: this is that log, and it goes on");
    }
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
            "process {pid} has exited, or begun another program, and its log went with its memory \
             before it was read; `xpagemap trace -- COMMAND` reads it in time"
        );
    }
    Report {
        log,
        pid,
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

/// Waits until it is time to stop, by the clock, by a signal or by what `ended` says.
fn watch(
    recording: &Recording,
    limit: Option<Duration>,
    mut ended: impl FnMut() -> Result<bool>,
) -> Result<Watched> {
    let start = Instant::now();
    let mut rest = PERIOD;
    let mut watched = Watched {
        text: String::new(),
        read: start,
    };

    loop {
        let left = limit.map_or(TICK, |limit| limit.saturating_sub(start.elapsed()));
        if left.is_zero() || interrupt::raised() || ended()? {
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
