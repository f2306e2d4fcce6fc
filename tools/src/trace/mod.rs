// SPDX-License-Identifier: GPL-2.0

//! `xpagemap trace`: the changes of PG_anon_exclusive of a process's pages.

mod birth;
mod causes;
pub(crate) mod event;
mod export;
mod follow;
mod forks;
mod history;
mod log;
mod phrase;
mod process;
mod program;
pub(crate) mod recording;
mod report;
mod tracee;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitStatus;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::interrupt;
use crate::maps::{Maps, Names};
use crate::range::AddressRange;
use crate::select;
use crate::target::Target;
use export::{Exported, Format};
use follow::Followed;
use forks::{Fork, Totals};
use log::Log;
use process::Process;
use program::{Program, State};
use recording::{PLAIN, Recording, WITH_IP};
use report::Report;

/// Record when and why the kernel sets and clears the exclusive bit of a process's pages
///
/// Records until the time is up, until Ctrl-C, or until the process exits. Then prints a table of
/// causes, with the numbers of bits set and cleared and the processes, and the history of each page;
/// pages of a mapping with the same history share a line, those of most pages first. The exclusive bit is PG_anon_exclusive: the
/// page belongs to this process alone, which may write to it without a copy.
#[derive(clap::Args)]
#[command(
    override_usage = "xpagemap trace [OPTIONS] <PID|NAME> [RANGE]\n       \
                            xpagemap trace [OPTIONS] -- <COMMAND>..."
)]
#[command(after_help = "Example: xpagemap trace 260 -s 5")]
pub struct Args {
    /// Process to trace
    #[arg(value_name = "PID|NAME", value_parser = select::name(), required_unless_present = "command")]
    process: Option<OsString>,
    /// Addresses to report: START-END, in hex, as in /proc/PID/maps [default: all]
    range: Option<AddressRange>,
    /// Seconds until recording stops [default: until Ctrl-C]
    #[arg(short, long, value_parser = seconds)]
    seconds: Option<Duration>,
    /// Print histories by address: neighbours with the same history share a line
    #[arg(short, long)]
    addresses: bool,
    /// Print a line per change instead of a history of each page
    #[arg(long, conflicts_with = "addresses")]
    each: bool,
    /// Follow children from birth: a report of each, and a line for each fork
    #[arg(short, long)]
    follow: bool,
    /// Print text, json, or perfetto, which ui.perfetto.dev opens
    #[arg(
        long,
        value_enum,
        default_value = "text",
        hide_possible_values = true,
        hide_default_value = true
    )]
    #[arg(conflicts_with_all = ["addresses", "each", "json"])]
    format: Format,
    /// The same as --format json
    #[arg(long, hide = true, conflicts_with_all = ["addresses", "each"])]
    json: bool,
    /// Program to run and record from its first instruction to its last, and its arguments
    #[arg(last = true, conflicts_with_all = ["process", "range"])]
    command: Vec<OsString>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;

    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// Interval at which the end of the recording and the state of the program are checked.
const TICK: Duration = Duration::from_millis(10);

/// Interval at which the log is read while it grows: the most that is lost when the process exits.
const PERIOD: Duration = Duration::from_secs(1);

/// Minimum pause between two reads, as a multiple of the time that the first one took.
const REST: u32 = 10;

/// Traces a process or a program, and prints a report.
///
/// # Errors
///
/// The process cannot be attached or recorded, the program cannot be run, or the log was lost before
/// it was read.
pub fn main(out: &mut dyn Write, args: Args) -> Result<()> {
    interrupt::install()?;
    if args.follow {
        return follow(out, &args);
    }
    match args.pid()? {
        Some(pid) => {
            let recording = Recording::start(Target::attach(pid)?, mode(&args))?;
            let watched = watch(&recording, args.seconds, || recording.is_gone())?;

            finish(out, recording, watched, &args)
        }
        None => trace_program(out, &args),
    }
}

impl Args {
    /// The process, unless a program is to be run.
    fn pid(&self) -> Result<Option<i32>> {
        let one = |target: &OsString| Ok(select::one(target)?.pid);

        self.process.as_ref().map(one).transpose()
    }

    /// The format, unless it is text.
    fn exported(&self) -> Option<Format> {
        let format = if self.json { Format::Json } else { self.format };

        (format != Format::Text).then_some(format)
    }
}

/// The mode of the recording: each change is shown with the instruction pointer.
fn mode(args: &Args) -> &'static str {
    if args.each { WITH_IP } else { PLAIN }
}

/// Traces a process or a program and its children, and prints a report of each, and of the forks.
fn follow(out: &mut dyn Write, args: &Args) -> Result<()> {
    let mut program = None;
    let mut followed = match args.pid()? {
        Some(pid) => Followed::running(pid)?,
        None => {
            let program = program.insert(Program::start(&args.command)?);
            let followed = Followed::child(program.pid())?;
            program.hand_over();
            followed
        }
    };

    followed.watch(args.seconds)?;
    let texts: Vec<_> = followed
        .processes
        .iter_mut()
        .map(|process| std::mem::take(&mut process.text))
        .collect();
    let logs: Vec<_> = texts
        .iter()
        .map(|text| Log::parse(text))
        .collect::<Result<_>>()?;
    if let Some(format) = args.exported() {
        let recorded = followed.processes.iter().zip(logs);
        let all: Vec<_> = recorded
            .filter(|(process, _)| process.is_recorded())
            .map(|(process, log)| Exported {
                pid: process.pid,
                log: kept(log, args.range),
                life: life(process),
            })
            .collect();
        export::print(out, format, &all)?;
        return tell_end(out, program.is_some(), followed.ended);
    }
    let forks: Vec<_> = followed
        .processes
        .iter()
        .zip(&logs)
        .filter_map(|(child, log)| fork(&followed.processes, &logs, child, log))
        .collect();

    for (process, log) in followed.processes.iter_mut().zip(logs) {
        if process.is_recorded() {
            Report {
                log,
                pid: process.pid,
                range: args.range,
                each: args.each,
                addresses: args.addresses,
                names: std::mem::take(&mut process.names),
                missed: None,
            }
            .print(out, procfs::page_size())?;
            writeln!(out)?;
        }
    }
    forks::print(out, &forks)?;
    tell_end(out, program.is_some(), followed.ended)
}

/// Says how a program ended that this command started.
fn tell_end(out: &mut dyn Write, program: bool, ended: Option<ExitStatus>) -> Result<()> {
    out.flush()?;
    match (program, ended) {
        (false, _) => {}
        (_, Some(status)) => eprintln!("xpagemap: the program ended, {status}"),
        _ => eprintln!("xpagemap: the program goes on untraced"),
    }
    Ok(())
}

/// The birth and the end of a child.
fn life(process: &Process) -> Option<(u64, u64)> {
    let (birth, _) = process.birth.as_ref()?;
    let (end, _) = process.end?;

    Some((birth.time, end))
}

/// The events of a range alone.
fn kept(mut log: Log, range: Option<AddressRange>) -> Log {
    if let Some(range) = range {
        let page_size = procfs::page_size();
        log.keep(&range.pages(page_size), page_size);
    }
    log
}

/// The line of the fork that `child` comes from, if it comes from one.
fn fork<'a>(processes: &[Process], logs: &[Log], child: &Process, log: &Log) -> Option<Fork<'a>> {
    let (birth, parent) = child.birth.as_ref()?;
    let (time, end) = child.end.unzip();
    let parents = &logs[*parent];

    Some(Fork {
        parent: processes[*parent].pid,
        child: child.pid,
        totals: Totals::of(
            birth,
            time,
            &parents.events,
            &log.events,
            procfs::page_size(),
        ),
        end: end.unwrap_or("goes on"),
        incomplete: parents.dropped + log.dropped != 0,
    })
}

fn trace_program(out: &mut dyn Write, args: &Args) -> Result<()> {
    let mut program = Program::start(&args.command)?;
    let start = Instant::now();

    loop {
        // execve makes a new address space, which has a log of its own.
        let recording = Recording::start(Target::attach(program.pid())?, mode(args))?;
        let left = args
            .seconds
            .map(|limit| limit.saturating_sub(start.elapsed()));

        program.resume()?;
        let watched = watch(&recording, left, || {
            Ok(!matches!(program.state()?, State::Running))
        })?;
        if !matches!(program.state()?, State::Executed) {
            finish(out, recording, watched, args)?;
            out.flush()?;
            break;
        }
        eprintln!(
            "xpagemap: the program executes another: the log up to here is gone with its memory"
        );
    }
    program.resume()?;
    match program.wait()? {
        Some(status) => eprintln!("xpagemap: the program ended, {status}"),
        None => eprintln!("xpagemap: interrupted; the program goes on untraced"),
    }
    Ok(())
}

/// Stops a recording and prints it.
fn finish(
    out: &mut dyn Write,
    mut recording: Recording,
    watched: Watched,
    args: &Args,
) -> Result<()> {
    let pid = recording.pid();

    if recording.found {
        eprintln!(
            "xpagemap: process {pid} was being recorded already: this is that log, and recording goes on"
        );
    }
    recording.stop()?;
    let mut names = watched.names;
    let maps = Maps::of(pid);
    let mut text = recording.read()?;
    drop(recording);

    let mut missed = None;
    // Of a process that has executed another program, `maps` may be those of that one.
    if let Ok(maps) = maps
        && !log::is_gone(&text)
    {
        names.push(maps);
    }
    if log::is_gone(&text) && watched.text.len() > text.len() {
        text = watched.text;
        missed = Some(watched.read.elapsed());
    }
    let log = Log::parse(&text)?;
    if log::is_gone(&text) && log.events.is_empty() {
        bail!(
            "process {pid} has exited or executed another program, which removed its log before it \
             was read; `xpagemap trace -- COMMAND` reads it in time"
        );
    }
    if let Some(format) = args.exported() {
        let log = kept(log, args.range);
        let life = None;
        return export::print(out, format, &[Exported { pid, log, life }]);
    }
    Report {
        log,
        pid,
        range: args.range,
        each: args.each,
        addresses: args.addresses,
        names,
        missed,
    }
    .print(out, procfs::page_size())
}

/// The newest copy of the log, read while it grew, and the names of the mappings until then.
struct Watched {
    text: String,
    read: Instant,
    names: Names,
}

/// Waits until the time limit, a signal, or `ended` returning true.
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
        names: Names::default(),
    };
    if let Ok(maps) = Maps::of(recording.pid()) {
        watched.names.push(maps);
    }

    loop {
        let left = limit.map_or(TICK, |limit| limit.saturating_sub(start.elapsed()));
        if left.is_zero() || interrupt::raised() || ended()? {
            return Ok(watched);
        }
        sleep(left.min(TICK));

        if watched.read.elapsed() >= rest {
            let begun = Instant::now();
            let maps = Maps::of(recording.pid());
            let text = recording.read()?;
            if !log::is_gone(&text) {
                (watched.text, watched.read) = (text, begun);
                if let Ok(maps) = maps {
                    watched.names.push(maps);
                }
            }
            rest = PERIOD.max(begun.elapsed() * REST);
        }
    }
}
