// SPDX-License-Identifier: GPL-2.0

//! `xpagemap file`: the state of a file's pages.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use super::columns::{Column, Output, Row};
use super::table::number;
use crate::file::{self, Pages, Source, Totals};
use crate::interrupt;
use crate::json::print_unknown;

/// Show a file's own pages: cached, or in swap and where, whatever is mapped
///
/// Of shared memory (memfd, tmpfs, System V), runs of pages in the page cache and in swap; pages
/// without a line were never written. cached-zero was allocated or read and never written,
/// swapped-zero is all zero, so that the device does not hold it. Of other files, runs of data by
/// lseek(), and the number of cached pages. Shared anonymous memory is a PATH of /proc/PID/map_files.
#[derive(clap::Args)]
#[command(after_help = "Example: xpagemap file 260:3\n         xpagemap file --totals /dev/shm/a")]
pub struct Args {
    /// The file: a path, or PID:FD for descriptor FD of a process
    #[arg(value_name = "PATH|PID:FD")]
    file: PathBuf,
    /// Print the totals alone
    #[arg(short, long)]
    totals: bool,
    /// Ask this source alone [default: the first that there is]
    #[arg(long, value_enum)]
    source: Option<Source>,
    #[command(flatten)]
    output: Output<Pages>,
    /// Print JSON, schema xpagemap.file/1
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Body {
    file: String,
    size: u64,
    source: &'static str,
    totals: Totals,
    runs: Vec<Pages>,
}

impl Row for Pages {
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::number("start", |run: &Self| run.start.clone()).width(12),
            Column::number("end", |run: &Self| run.end.clone()).width(12),
            Column::number("pages", |run: &Self| run.pages.to_string()).width(9),
            Column::text("state", |run: &Self| run.state.name().to_string()).width(12),
            Column::text("slot", |run: &Self| {
                run.slot.map_or(String::new(), |slot| {
                    format!("{}:{}", slot.area, slot.offset)
                })
            })
            .width(12),
        ]
    }
}

/// All columns.
const USUAL: [&str; 5] = ["start", "end", "pages", "state", "slot"];

/// Prints a file's pages.
///
/// # Errors
///
/// The file cannot be opened or read.
pub fn main(out: &mut dyn Write, args: Args) -> Result<()> {
    interrupt::install()?;
    let file = file::open(args.file.as_os_str())?;
    let size = file.metadata()?.len();
    let mut unknown = Vec::new();
    let mut runs = Vec::new();
    let columns = args.output.chosen(&USUAL);
    if let Some(columns) = columns.as_ref().filter(|_| !args.json && !args.totals) {
        writeln!(out, "{}", columns.header())?;
    }
    let mut each = |pages: Pages| {
        if args.json {
            runs.push(pages);
        } else if !args.totals {
            let usual = || line(&pages);
            let line = columns.as_ref().map_or_else(usual, |all| all.line(&pages));
            writeln!(out, "{line}")?;
        }
        Ok(())
    };
    let (source, totals) = file::read(&file, args.source, &mut unknown, &mut each)?;

    if args.json {
        if args.totals {
            runs.clear();
        }
        let body = Body {
            file: args.file.display().to_string(),
            size,
            source: source.name(),
            totals,
            runs,
        };
        let output = &args.output;
        return Ok(output.print_json(out, "file", &body, &unknown, &USUAL, &["runs"])?);
    }
    print_unknown(&unknown);
    let pages = size.div_ceil(procfs::page_size());
    writeln!(out, "{}", total_line(pages, &totals, source))?;
    Ok(())
}

fn line(pages: &Pages) -> String {
    let range = format!("{}-{}", pages.start, pages.end);
    let slot = pages
        .slot
        .map(|slot| format!(" {}:{}", slot.area, slot.offset));
    let (count, state) = (pages.pages, pages.state.name());

    format!(
        "{range:<25} {count:>9}  {state}{}",
        slot.unwrap_or_default()
    )
}

fn total_line(pages: u64, totals: &Totals, source: Source) -> String {
    let Totals {
        cached,
        dirty,
        swapped,
        swapped_zero,
    } = totals;

    format!(
        "size {pages} pages: cached {} (dirty {}), swapped {} (zero {}), from {}",
        number(*cached),
        number(*dirty),
        number(*swapped),
        number(*swapped_zero),
        source.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::columns::tests::{check, output};
    use crate::file::{Slot, State};
    use crate::json::tests::value;

    fn pages() -> Pages {
        Pages {
            start: "2000".to_string(),
            end: "4000".to_string(),
            pages: 2,
            state: State::SwappedZero,
            slot: Some(Slot { area: 1, offset: 9 }),
        }
    }

    #[test]
    fn lines_have_slots() {
        let words: Vec<_> = line(&pages())
            .split_whitespace()
            .map(String::from)
            .collect();
        assert_eq!(words, ["2000-4000", "2", "swapped-zero", "1:9"]);
        let totals = total_line(5, &Totals::default(), Source::Cachestat);
        assert!(
            totals.contains("cached ? (dirty ?), swapped ? (zero ?)"),
            "{totals}"
        );
    }

    #[test]
    fn columns_line_up() {
        check::<Pages>(&USUAL);
        let columns = output("state,slot,pages").or_usual(&USUAL);
        let lines = [columns.header(), columns.line(&pages())];
        let expected = [
            "state         slot              pages",
            "swapped-zero  1:9                   2",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn json_is_as_the_schema_says() {
        let body = Body {
            file: "/a".to_string(),
            size: 8192,
            source: "SHMEM_SCAN",
            totals: Totals {
                swapped: Some(2),
                ..Default::default()
            },
            runs: vec![pages()],
        };
        let found = value("file", &body);
        assert_eq!(found["schema"], "xpagemap.file/1");
        assert_eq!(
            found["runs"],
            serde_json::json!([{
                "start": "2000", "end": "4000", "pages": 2, "state": "swapped-zero",
                "slot": { "type": 1, "offset": 9 },
            }])
        );
        assert_eq!(
            found["totals"],
            serde_json::json!({ "cached": null, "dirty": null, "swapped": 2, "swapped_zero": null })
        );
    }
}
