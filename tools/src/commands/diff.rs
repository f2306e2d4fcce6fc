// SPDX-License-Identifier: GPL-2.0

//! `xpagemap diff`: the pages of a process at two moments.

mod change;
mod snapshot;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::check::{seconds, wait};
use super::columns::{Column, Output, Row};
use crate::interrupt;
use crate::json::{Unknown, print_unknown};
use crate::runs::{Merger, Run};
use crate::select::{Process, Subject};
use change::{Change, compare};
use snapshot::Snapshot;

/// Compare a process's pages at two moments: what came, went, moved, was copied
///
/// Two files saved by `show --json`, or a process now and some seconds later. Frames are compared in
/// files saved with --pages, and copies are told from moves in those saved with --exclusive.
#[derive(clap::Args)]
#[command(after_help = "Example: xpagemap diff 260 -s 5\n         \
                        xpagemap show 260 --json --pages --exclusive > before.json")]
pub struct Args {
    /// The first file, or a process
    #[arg(value_name = "FILE|PID|NAME")]
    first: OsString,
    /// The second file
    #[arg(value_name = "FILE", conflicts_with = "seconds")]
    second: Option<PathBuf>,
    /// Of a process: the time between the two moments [default: until Ctrl-C]
    #[arg(short, long, value_parser = seconds)]
    seconds: Option<Duration>,
    /// Print the totals alone
    #[arg(short, long)]
    totals: bool,
    #[command(flatten)]
    output: Output<Changed>,
    /// Print JSON, schema xpagemap.diff/1
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Body {
    pid: i32,
    totals: BTreeMap<&'static str, u64>,
    changes: Vec<Changed>,
}

/// Consecutive pages with the same change.
#[derive(Serialize)]
struct Changed {
    /// Address of the first page, in hex.
    address: String,
    pages: u64,
    change: &'static str,
}

impl Row for Changed {
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::number("address", |run: &Self| run.address.clone()).width(12),
            Column::number("pages", |run: &Self| run.pages.to_string()).width(9),
            Column::text("change", |run: &Self| run.change.to_string()),
        ]
    }
}

/// All columns.
const USUAL: [&str; 3] = ["address", "pages", "change"];

/// Prints the changes.
///
/// # Errors
///
/// A snapshot cannot be read, or they are of different processes.
pub fn main(out: &mut dyn Write, args: Args) -> Result<()> {
    interrupt::install()?;
    let (first, second) = match &args.second {
        Some(second) => (
            Snapshot::load(Path::new(&args.first))?,
            Snapshot::load(second)?,
        ),
        None => {
            let Subject::Process(Process { pid, .. }) = Subject::of(&args.first)? else {
                bail!(
                    "expected a second file, or a process; `xpagemap show PID --json --pages \
                     --exclusive` saves a file"
                )
            };
            let first = Snapshot::take(pid)?;
            wait(args.seconds.unwrap_or(Duration::MAX));
            // Ctrl-C ends the wait, not the command.
            interrupt::clear();
            let second = Snapshot::take(pid).context("the second moment")?;
            (first, second)
        }
    };
    if first.pid != second.pid {
        bail!(
            "the files are of different processes, {} and {}",
            first.pid,
            second.pid
        );
    }
    let unknown = unknown(&first, &second);
    let body = body(&first, &second, args.totals);

    if args.json {
        let rows = ["changes"];
        let output = &args.output;
        return Ok(output.print_json(out, "diff", &body, &unknown, &USUAL, &rows)?);
    }
    print_unknown(&unknown);
    let columns = args.output.chosen(&USUAL);
    if let Some(columns) = columns.as_ref().filter(|_| !args.totals) {
        writeln!(out, "{}", columns.header())?;
    }
    for changed in &body.changes {
        if let Some(columns) = &columns {
            writeln!(out, "{}", columns.line(changed))?;
            continue;
        }
        let Changed {
            address,
            pages,
            change,
        } = changed;
        writeln!(out, "{address:>12} {pages:>9}  {change}")?;
    }
    let totals: Vec<_> = body
        .totals
        .iter()
        .map(|(change, pages)| format!("{change} {pages}"))
        .collect();
    match totals.is_empty() {
        true => writeln!(out, "no page changed")?,
        false => writeln!(out, "total: {}", totals.join(", "))?,
    }
    Ok(())
}

fn unknown(first: &Snapshot, second: &Snapshot) -> Vec<Unknown> {
    let mut all = Vec::new();

    if !(first.has_frames && second.has_frames) {
        let why = "the files have no frames; save them with --pages, as root";
        all.push(Unknown::new(
            "pages that moved or were copied in memory",
            why,
        ));
    } else if !(first.has_exclusive && second.has_exclusive) {
        let why = "without the exclusive bit (--exclusive), both are `replaced`";
        all.push(Unknown::new("pages that moved, as against copies", why));
    }
    if first.source != second.source {
        let why = format!("the sources are {} and {}", first.source, second.source);
        all.push(Unknown::new("changes of shared memory in swap", why));
    }
    all
}

fn body(first: &Snapshot, second: &Snapshot, totals_only: bool) -> Body {
    let mut merger = Merger::default();
    let mut totals = BTreeMap::new();
    let mut changes = Vec::new();
    let page_size = procfs::page_size();
    let mut complete = |run: Run<Change>| {
        let change = run.start.name();
        *totals.entry(change).or_default() += run.pages;
        if !totals_only {
            changes.push(Changed {
                address: format!("{:x}", run.first * page_size),
                pages: run.pages,
                change,
            });
        }
    };

    for (page, change) in compare(&first.pages, &second.pages) {
        merger
            .push(page, change)
            .into_iter()
            .for_each(&mut complete);
    }
    merger.finish().into_iter().for_each(&mut complete);
    Body {
        pid: first.pid,
        totals,
        changes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::tests::value;

    #[test]
    fn json_is_as_the_schema_says() {
        let swapped = |first: u64, slot: u64| {
            let entry = 0x6000_0000_0000_0000 | slot << 5;
            format!(
                r#"{{"schema":"xpagemap.show/1","page_size":{size},"pid":7,"source":"xpagemap",
                   "mappings":[{{"start":"1000","end":"9000","permissions":"rw-s","name":"",
                   "runs":[{{"address":"{address:x}","pages":2,"state":"swap","slot":null,"flags":[],
                   "entry":"{entry:016x}","proc_entry":"0","exclusive_entry":null,"differs":true}}]}}]}}"#,
                size = procfs::page_size(),
                address = first * procfs::page_size(),
            )
        };
        let first = Snapshot::parse(&swapped(1, 4)).expect("a document");
        let second = Snapshot::parse(&swapped(2, 5)).expect("a document");
        let found = value("diff", &body(&first, &second, false));

        // Page 1 went, page 2 kept slot 5, page 3 came.
        assert_eq!(found["schema"], "xpagemap.diff/1");
        assert_eq!(found["totals"], serde_json::json!({ "came": 1, "went": 1 }));
        let address = format!("{:x}", 3 * procfs::page_size());
        assert_eq!(
            found["changes"][1],
            serde_json::json!({ "address": address, "pages": 1, "change": "came" })
        );
        assert_eq!(unknown(&first, &second).len(), 1);
    }
}
