// SPDX-License-Identifier: GPL-2.0

//! `xpagemap summary`: numbers of pages by kind, for each mapping or each process.

use std::io::Write;

use anyhow::{Result, bail};
use serde::Serialize;

use super::table::{Table, number};
use crate::interrupt;
use crate::json::{self, Unknown, print_unknown};
use crate::select::{self, Targets};
use crate::summary::{self, COLUMNS, Column, Counts, Summary};

/// Columns that are printed unless others are chosen.
const USUAL: [&str; 8] = [
    "resident",
    "swap-private",
    "swap-shared",
    "cached",
    "exclusive",
    "shared",
    "maybe-pinned",
    "violations",
];

/// Count a process's pages by kind: resident, in swap, cached, exclusive, shared, pinned, ...
///
/// A line for each mapping, or with --total for each process; numbers are pages. swap-private is in
/// the page table, swap-shared in the file; cached is in a shared memory file and not mapped here.
/// Exclusive, shared and maybe-pinned are anonymous pages with PG_anon_exclusive, without it, and
/// those that may be pinned. Without the module, a `?` stands for what is not known.
#[derive(clap::Args)]
#[command(after_help = "Example: xpagemap summary --all --total -o resident,swap-shared")]
pub struct Args {
    #[command(flatten)]
    targets: Targets,
    /// Print one line for each process
    #[arg(short, long)]
    total: bool,
    /// Columns to print, among these: resident, swap-private, swap-shared, cached, exclusive, shared,
    /// maybe-pinned, ksm, large, zero, violations
    #[arg(
        short = 'o',
        long = "output",
        value_name = "COLUMNS",
        value_delimiter = ','
    )]
    #[arg(value_parser = column)]
    columns: Vec<Column>,
    /// Print JSON, schema xpagemap.summary/1, with all columns
    #[arg(long)]
    json: bool,
}

fn column(name: &str) -> Result<Column, String> {
    let names: Vec<_> = COLUMNS.iter().map(|(name, ..)| *name).collect();
    let found = COLUMNS.into_iter().find(|(other, ..)| *other == name);

    found.ok_or_else(|| format!("the columns are {}", names.join(", ")))
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
    if args.json {
        return Ok(json::print(out, "summary", &Body { processes }, &unknown)?);
    }
    print_unknown(&unknown);
    let columns = match args.columns.is_empty() {
        true => usual(),
        false => args.columns,
    };
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

fn usual() -> Vec<Column> {
    let usual = COLUMNS
        .into_iter()
        .filter(|(name, ..)| USUAL.contains(name));

    usual.collect()
}

fn header(first: &str, columns: &[Column], last: &str) -> Vec<String> {
    let names = columns.iter().map(|(name, ..)| name.to_string());

    [first.to_string(), "pages".to_string()]
        .into_iter()
        .chain(names)
        .chain([last.to_string()])
        .collect()
}

fn row(first: String, counts: &Counts, columns: &[Column], last: String) -> Vec<String> {
    let numbers = columns.iter().map(|(_, of, _)| number(of(counts)));

    [first, counts.pages.to_string()]
        .into_iter()
        .chain(numbers)
        .chain([last])
        .collect()
}

fn totals(processes: &[Summary], columns: &[Column]) -> Vec<String> {
    let mut table = Table::default();

    table.row(header("pid", columns, "name"));
    for process in processes {
        let (pid, name) = (process.pid.to_string(), process.name.clone());
        table.row(row(pid, &process.total, columns, name));
    }
    table.lines(0)
}

fn mappings(process: &Summary, columns: &[Column]) -> Vec<String> {
    let mut table = Table::default();

    table.row(header("mapping", columns, ""));
    for map in &process.mappings {
        let addresses = format!("{}-{}", map.addresses.start, map.addresses.end);
        let name = format!("{} {}", map.permissions, map.name);
        table.row(row(addresses, &map.counts, columns, name));
    }
    table.row(row(
        "total".to_string(),
        &process.total,
        columns,
        String::new(),
    ));
    let heading = format!(
        "process {} ({}), from {}",
        process.pid, process.name, process.source
    );
    [heading].into_iter().chain(table.lines(2)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let lines = mappings(&summary(), &usual());
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
    fn columns_have_names() {
        assert!(column("large").is_ok());
        assert!(column("big").expect_err("none").contains("resident"));
    }
}
