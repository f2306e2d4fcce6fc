// SPDX-License-Identifier: GPL-2.0

//! `xpagemap show`: a process's pages, in `/proc/PID/pagemap` and in xpagemap.

mod columns;
mod counts;
mod json;
mod output;
mod printer;

use std::ffi::OsString;
use std::io::Write;

use anyhow::{Context, Result, ensure};

use super::columns::Output as Chosen;
use crate::interrupt;
use crate::json::{Unknown, print_unknown};
use crate::maps;
use crate::pagemap::{Both, Pagemap};
use crate::range::{AddressRange, overlap};
use crate::runs::{Merger, Pair, Run};
use crate::select;
use crate::target::Target;
use columns::Line;
use counts::Counts;
use json::Json;
use output::Output;
use printer::Printer;

/// Show a process's pages: /proc/PID/pagemap beside xpagemap
///
/// Pages in the same state, and in consecutive slots, share a line. `swap TYPE:OFFSET` is a slot; as
/// in /proc, migration entries and markers read as swap. A `*` marks lines in which the files
/// differ. Without the module, PAGEMAP_READ of a patched kernel is beside /proc, or /proc alone.
#[derive(clap::Args)]
#[command(after_help = "Example: xpagemap show 260 7f681348a000-7f68134ca000 --differs")]
pub struct Args {
    /// Process to show
    #[arg(value_name = "PID|NAME", value_parser = select::name())]
    process: OsString,
    /// Addresses to show: START-END, in hex, as in /proc/PID/maps [default: every mapping]
    range: Option<AddressRange>,
    /// Print a line per page, with frames and the raw entries
    #[arg(short, long)]
    pages: bool,
    /// Print the raw entries: of a run, those of its first page
    #[arg(short, long)]
    raw: bool,
    /// Print only what differs between the two files
    #[arg(short, long)]
    differs: bool,
    /// Print the exclusive bit and the other flags of xpagemap/PID/exclusive too
    #[arg(short, long)]
    exclusive: bool,
    #[command(flatten)]
    output: Chosen<Line>,
    /// Print JSON, schema xpagemap.show/1
    #[arg(long)]
    json: bool,
}

/// Shows the mapped pages of a process, in runs or a page a line.
///
/// # Errors
///
/// The process cannot be read, has nothing mapped in the range, or nothing of what was asked for
/// can be known.
pub fn main(out: &mut dyn Write, mut args: Args) -> Result<()> {
    interrupt::install()?;
    let pid = select::one(&args.process)?.pid;
    let usual = columns::usual(args.pages, args.exclusive, args.raw);
    let columns = args.output.chosen(&usual);
    args.exclusive |= columns
        .as_ref()
        .is_some_and(|columns| columns.has_any(&["exclusive", "exclusive-entry"]));
    // Kept until the end: drop detaches.
    let (target, why) = match Target::attach_if_possible(pid)? {
        Ok(target) => (Some(target), None),
        Err(why) => (None, Some(why)),
    };
    let mut both = Both::best(pid, target.as_ref())?;
    let mut unknown = Vec::new();

    if let Some(why) = why {
        if both.xpagemap.name().is_none() {
            ensure!(
                !args.differs,
                "there is nothing to compare /proc/{pid}/pagemap with: {why}"
            );
            unknown.push(Unknown::new("swap slots of shared memory", why.clone()));
        }
        if args.exclusive {
            unknown.push(Unknown::new("the exclusive bit", why));
        }
    }
    if let Some(target) = &target
        && args.exclusive
    {
        both.exclusive = Some(Pagemap::open(target.file("exclusive"))?);
    }
    if args.json {
        let mut json = Json::begin(out, pid, both.xpagemap.name(), &unknown, columns)?;
        return walk(&args, pid, &mut both, &mut json);
    }
    print_unknown(&unknown);
    if let Some(columns) = columns {
        let compares = both.xpagemap.name().is_some();
        let mut printer = columns::Printer::begin(out, columns, compares)?;
        return walk(&args, pid, &mut both, &mut printer);
    }
    let mut printer = Printer::begin(out, &both, args.pages, args.raw || args.pages)?;
    walk(&args, pid, &mut both, &mut printer)
}

fn walk(args: &Args, pid: i32, both: &mut Both, out: &mut dyn Output) -> Result<()> {
    let page_size = procfs::page_size();
    let wanted = args
        .range
        .map_or(0..u64::MAX, |range| range.pages(page_size));
    let mut counts = Counts::default();

    for map in &maps::mappings(pid)? {
        let pages = overlap(&map.pages(page_size), &wanted);
        if pages.is_empty() {
            continue;
        }

        // With --differs, only mappings that do.
        let mut begun = false;
        let mut print = |run: &Run<Pair>| {
            if args.differs && run.start.proc == run.start.xpagemap {
                return Ok(());
            }
            if !begun {
                out.mapping(map)?;
                begun = true;
            }
            out.run(run)
        };
        let mut merger = Merger::default();
        both.for_each(pages, |page, pair| {
            counts.add(pair);
            if args.pages {
                return print(&Run::new(page, pair));
            }
            merger.push(page, pair).map_or(Ok(()), |run| print(&run))
        })
        .with_context(|| format!("mapping {:x}-{:x}", map.start, map.end))?;
        if let Some(run) = merger.finish() {
            print(&run)?;
        }
    }
    ensure!(
        counts.pages > 0,
        "process {pid} has nothing mapped in this range; see /proc/{pid}/maps"
    );
    out.finish(&counts)
}
