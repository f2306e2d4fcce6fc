// SPDX-License-Identifier: GPL-2.0

//! `xpagemap summary`: numbers of pages by kind, for each mapping or each process.

use std::io::Write;

use anyhow::{Result, bail};
use serde::Serialize;

use super::columns::{Column, Columns, Output, Row};
use super::table::number;
use crate::interrupt;
use crate::json::{Unknown, print_unknown};
use crate::select::{self, Targets};
use crate::summary::{self, COLUMNS, Counts, Summary};

/// Columns of mappings, unless others are chosen.
const USUAL: [&str; 12] = [
    "mapping",
    "pages",
    "resident",
    "swap-private",
    "swap-shared",
    "cached",
    "exclusive",
    "shared",
    "maybe-pinned",
    "violations",
    "perms",
    "name",
];

/// Columns of processes.
const USUAL_TOTAL: [&str; 11] = [
    "pid",
    "pages",
    "resident",
    "swap-private",
    "swap-shared",
    "cached",
    "exclusive",
    "shared",
    "maybe-pinned",
    "violations",
    "name",
];

/// Count a process's pages by kind: resident, in swap, cached, exclusive, shared, pinned, ...
///
/// A line for each mapping, or with --total for each process; numbers are pages. swap-private is in
/// the page table, swap-shared in the file; cached is in a shared memory file and not mapped here.
/// Exclusive, shared and maybe-pinned are anonymous pages with PG_anon_exclusive, without it, and
/// those that may be pinned. Without the module, a `?` stands for what is not known.
#[derive(clap::Args)]
#[command(after_help = "Example: xpagemap summary --all --total -o pid,swap-shared,name")]
pub struct Args {
    #[command(flatten)]
    targets: Targets,
    /// Print one line for each process
    #[arg(short, long)]
    total: bool,
    #[command(flatten)]
    output: Output<Line>,
    /// Print JSON, schema xpagemap.summary/1
    #[arg(long)]
    json: bool,
}

/// A mapping, or all mappings of a process.
struct Line {
    pid: i32,
    source: &'static str,
    /// Its addresses; of all mappings, `total`.
    mapping: String,
    permissions: String,
    /// The mapping's name, or the process's.
    name: String,
    counts: Counts,
}

impl Row for Line {
    fn columns() -> Vec<Column<Self>> {
        let counts = COLUMNS
            .into_iter()
            .map(|(name, of, _)| Column::number(name, move |line: &Self| number(of(&line.counts))));

        [
            Column::number("pid", |line: &Self| line.pid.to_string()),
            Column::text("mapping", |line: &Self| line.mapping.clone()).fields(&["start", "end"]),
            Column::number("pages", |line: &Self| line.counts.pages.to_string()),
        ]
        .into_iter()
        .chain(counts)
        .chain([
            Column::text("perms", |line: &Self| line.permissions.clone()).fields(&["permissions"]),
            Column::text("name", |line: &Self| line.name.clone()),
            Column::text("source", |line: &Self| line.source.to_string()),
        ])
        .collect()
    }
}

#[derive(Serialize)]
struct Body {
    processes: Vec<Summary>,
}

/// Counts the pages of each process, one after the other.
///
/// # Errors
///
/// A process named by its PID is gone, or none of the others can be read.
pub fn collect(targets: &Targets, unknown: &mut Vec<Unknown>) -> Result<Vec<Summary>> {
    let selection = targets.now()?;
    let mut summaries = Vec::new();
    let mut failed = None;

    for process in &selection.processes {
        interrupt::check()?;
        match summary::of(process, unknown) {
            Ok(summary) => summaries.push(summary),
            Err(error) if selection.may_go && !select::has_memory(process.pid) => drop(error),
            Err(error) if selection.may_go => {
                failed.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    match failed {
        Some(error) if summaries.is_empty() => return Err(error),
        Some(error) => unknown.push(Unknown::new("some processes", format!("{error:#}"))),
        None if summaries.is_empty() => bail!("all these processes have exited meanwhile"),
        None => {}
    }
    Ok(summaries)
}

/// Prints the counts.
///
/// # Errors
///
/// No process can be counted.
pub fn main(out: &mut dyn Write, args: Args) -> Result<()> {
    interrupt::install()?;
    let mut unknown = Vec::new();
    let mut processes = collect(&args.targets, &mut unknown)?;

    if args.total {
        for process in &mut processes {
            process.mappings.clear();
        }
    }
    let usual: &[_] = if args.total { &USUAL_TOTAL } else { &USUAL };
    if args.json {
        let body = Body { processes };
        let rows = ["processes/total", "processes/mappings"];
        let output = &args.output;
        return Ok(output.print_json(out, "summary", &body, &unknown, usual, &rows)?);
    }
    print_unknown(&unknown);
    let columns = args.output.or_usual(usual);
    let lines = match args.total {
        true => totals(&processes, &columns),
        false => processes
            .iter()
            .flat_map(|process| mappings(process, &columns))
            .collect(),
    };
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn total(process: &Summary, name: &str) -> Line {
    Line {
        pid: process.pid,
        source: process.source,
        mapping: "total".to_string(),
        permissions: String::new(),
        name: name.to_string(),
        counts: process.total,
    }
}

fn totals(processes: &[Summary], columns: &Columns<Line>) -> Vec<String> {
    let lines: Vec<_> = processes
        .iter()
        .map(|process| total(process, &process.name))
        .collect();

    columns.table(&lines).lines(0)
}

fn mappings(process: &Summary, columns: &Columns<Line>) -> Vec<String> {
    let mut lines: Vec<_> = process
        .mappings
        .iter()
        .map(|map| Line {
            pid: process.pid,
            source: process.source,
            mapping: format!("{}-{}", map.addresses.start, map.addresses.end),
            permissions: map.permissions.clone(),
            name: map.name.clone(),
            counts: map.counts,
        })
        .collect();

    lines.push(total(process, ""));
    let heading = format!(
        "process {} ({}), from {}",
        process.pid, process.name, process.source
    );
    [heading]
        .into_iter()
        .chain(columns.table(&lines).lines(2))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::columns::tests::{check, output};
    use crate::json::{Addresses, tests::value};
    use crate::summary::MappingCounts;

    fn summary() -> Summary {
        let counts = Counts {
            pages: 64,
            resident: Some(16),
            swap_shared: Some(32),
            ..Default::default()
        };
        Summary {
            pid: 7,
            name: "a".to_string(),
            source: "module",
            total: counts,
            mappings: vec![MappingCounts {
                addresses: Addresses::new(0x1000, 0x41000),
                permissions: "rw-s".to_string(),
                name: "/dev/zero (deleted)".to_string(),
                counts,
            }],
        }
    }

    #[test]
    fn unknown_is_a_question_mark_and_never_zero() {
        let lines = mappings(&summary(), &Columns::usual(&USUAL));
        let words: Vec<_> = lines[2].split_whitespace().collect();
        assert_eq!(words[..5], ["1000-41000", "64", "16", "?", "32"]);
        assert!(
            words.ends_with(&["rw-s", "/dev/zero", "(deleted)"]),
            "{lines:?}"
        );
        assert!(lines[3].trim_start().starts_with("total"), "{lines:?}");
    }

    #[test]
    fn json_is_as_the_schema_says() {
        let processes = vec![summary()];
        let counts = serde_json::json!({
            "pages": 64, "resident": 16, "swap_private": null, "swap_shared": 32, "cached": null,
            "exclusive": null, "shared": null, "maybe_pinned": null, "ksm": null, "large": null,
            "zero": null, "violations": null,
        });
        let found = value("summary", &Body { processes });
        assert_eq!(found["schema"], "xpagemap.summary/1");
        assert_eq!(found["processes"][0]["total"], counts);
        let map = &found["processes"][0]["mappings"][0];
        assert_eq!(
            (&map["start"], &map["resident"]),
            (&"1000".into(), &16.into())
        );
        assert_eq!(found["processes"][0]["source"], "module");
    }

    #[test]
    fn columns_are_chosen() {
        check::<Line>(&USUAL);
        check::<Line>(&USUAL_TOTAL);
        let columns = output("resident,swap-shared,mapping").or_usual(&USUAL);
        let lines = mappings(&summary(), &columns);
        let rows = [
            "  resident  swap-shared  mapping",
            "  16                 32  1000-41000",
            "  16                 32  total",
        ];
        assert_eq!(lines[1..], rows);
        let lines = totals(&[summary()], &output("+ksm").or_usual(&USUAL_TOTAL));
        assert!(lines[0].starts_with("pid  pages  resident"), "{lines:?}");
        assert!(
            lines[0].ends_with("name  ksm") && lines[1].ends_with("?"),
            "{lines:?}"
        );
    }

    #[test]
    fn json_has_the_chosen_fields() {
        let body = Body {
            processes: vec![summary()],
        };
        let mut text = Vec::new();
        let rows = ["processes/total", "processes/mappings"];
        output::<Line>("mapping,swap-shared")
            .print_json(&mut text, "summary", &body, &[], &USUAL, &rows)
            .expect("a vector takes it");
        let found: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(
            found["processes"][0],
            serde_json::json!({
                "pid": 7, "name": "a", "source": "module", "total": { "swap_shared": 32 },
                "mappings": [{ "start": "1000", "end": "41000", "swap_shared": 32 }],
            })
        );
    }
}
