// SPDX-License-Identifier: GPL-2.0

//! `xpagemap check`: the rules of the exclusive bit.

use std::collections::HashSet;
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::columns::{Column, Columns, Output, Row};
use crate::interrupt;
use crate::select::{self, Process, Selection, Targets};
use crate::target::Target;

/// Check the rules of the exclusive bit: exit status 1 if a page breaks one
///
/// Prints a line for each page that breaks a rule. A rule that is suspected to be broken, because
/// counts alone say so, is printed and does not change the exit status. The rules are those of
/// Documentation/exclusive.md. Needs the module.
#[derive(clap::Args)]
#[command(after_help = "Example: xpagemap check --all --watch 5")]
pub struct Args {
    #[command(flatten)]
    targets: Targets,
    /// Check again every so many seconds until Ctrl-C, and print what is new
    #[arg(short, long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1")]
    #[arg(value_parser = seconds)]
    watch: Option<Duration>,
    #[command(flatten)]
    output: Output<Violation>,
    /// Print JSON, schema xpagemap.check/1; with --watch a line each time
    #[arg(long)]
    json: bool,
}

/// Parses a number of seconds.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;

    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// A page that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Violation {
    pid: i32,
    name: String,
    address: String,
    rule: String,
    certain: bool,
    detail: String,
}

impl Row for Violation {
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::number("pid", |one: &Self| one.pid.to_string()).width(7),
            Column::text("name", |one: &Self| one.name.clone()).width(15),
            Column::text("address", |one: &Self| one.address.clone()).width(12),
            Column::text("rule", |one: &Self| one.rule.clone()).width(28),
            Column::text("certain", |one: &Self| one.certain.to_string()),
            Column::text("detail", |one: &Self| one.detail.clone()),
        ]
    }
}

/// Columns that `-o +COLUMNS` adds to.
const USUAL: [&str; 5] = ["pid", "name", "address", "rule", "detail"];

#[derive(Serialize)]
struct Body<'a> {
    processes: usize,
    certain: usize,
    suspected: usize,
    violations: &'a [Violation],
}

fn parse(process: &Process, text: &str) -> Result<Vec<Violation>> {
    text.lines()
        .map(|line| {
            let (address, rest) = line.split_once(' ').context("no rule")?;
            let (rule, detail) = rest.split_once(' ').unwrap_or((rest, ""));

            Ok(Violation {
                pid: process.pid,
                name: process.name.clone(),
                address: address.to_string(),
                rule: rule.to_string(),
                certain: !detail.starts_with("suspected"),
                detail: detail.to_string(),
            })
        })
        .collect::<Result<_>>()
        .with_context(|| format!("violations of process {}", process.pid))
}

fn of(process: &Process) -> Result<Vec<Violation>> {
    match Target::attach_if_possible(process.pid)? {
        Ok(target) => parse(process, &target.text("violations")?),
        Err(why) => bail!("cannot check: only the module knows the exclusive bit: {why}"),
    }
}

fn round(selection: &Selection) -> Result<(usize, Vec<Violation>)> {
    let mut all = Vec::new();
    let mut processes = 0;

    for process in &selection.processes {
        interrupt::check()?;
        let found = if selection.may_go {
            select::while_running(process.pid, || of(process))?
        } else {
            Some(of(process)?)
        };
        if let Some(some) = found {
            processes += 1;
            all.extend(some);
        }
    }
    Ok((processes, all))
}

/// Checks the rules. Returns true if none is broken.
///
/// # Errors
///
/// The module is not there, or a process named by its PID is gone.
pub fn main(out: &mut dyn Write, args: Args) -> Result<bool> {
    interrupt::install()?;
    let mut seen = HashSet::new();
    let mut holds = true;
    let mut rounds = 0;
    let columns = args.output.chosen(&USUAL);

    if let Some(columns) = columns.as_ref().filter(|_| !args.json) {
        writeln!(out, "{}", columns.header())?;
    }
    loop {
        let (processes, all) = match args.targets.now().and_then(|targets| round(&targets)) {
            Ok(found) => found,
            Err(_) if args.watch.is_some() && interrupt::raised() => return Ok(holds),
            // A process that was watched has exited.
            Err(error) if rounds > 0 => {
                eprintln!("xpagemap: {error:#}");
                return Ok(holds);
            }
            Err(error) => return Err(error),
        };
        rounds += 1;
        // Counts in the detail change; the page and the rule are the same.
        let key = |one: &Violation| (one.pid, one.address.clone(), one.rule.clone());
        let new: Vec<_> = all
            .into_iter()
            .filter(|one| seen.insert(key(one)))
            .collect();

        holds &= new.iter().all(|one| !one.certain);
        print(out, processes, &new, &args, columns.as_ref())?;
        let Some(pause) = args.watch else {
            return Ok(holds);
        };
        out.flush()?;
        wait(pause);
        if interrupt::raised() {
            return Ok(holds);
        }
    }
}

fn print(
    out: &mut dyn Write,
    processes: usize,
    new: &[Violation],
    args: &Args,
    columns: Option<&Columns<Violation>>,
) -> Result<()> {
    let certain = new.iter().filter(|one| one.certain).count();
    let suspected = new.len() - certain;

    if args.json {
        let body = Body {
            processes,
            certain,
            suspected,
            violations: new,
        };
        let rows = ["violations"];
        let output = &args.output;
        return Ok(output.print_json(out, "check", &body, &[], &USUAL, &rows)?);
    }
    for one in new {
        if let Some(columns) = columns {
            writeln!(out, "{}", columns.line(one))?;
            continue;
        }
        let Violation {
            pid,
            name,
            address,
            rule,
            detail,
            ..
        } = one;
        writeln!(out, "process {pid} ({name}): {address} {rule} {detail}")?;
    }
    if args.watch.is_none() {
        writeln!(
            out,
            "checked {processes} processes: {certain} violations, {suspected} suspected"
        )?;
    }
    Ok(())
}

/// Sleeps, but for signals.
pub fn wait(pause: Duration) {
    let start = Instant::now();

    while start.elapsed() < pause && !interrupt::raised() {
        sleep((pause - start.elapsed().min(pause)).min(Duration::from_millis(50)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::columns::tests::{check, output};
    use crate::json::tests::value;

    fn violations() -> Vec<Violation> {
        let process = Process {
            pid: 7,
            name: "a".to_string(),
        };
        let text = "7f00 writable-not-exclusive certain: frame 5, 1 references\n\
                    8f00 pinned-not-exclusive suspected: frame 6\n";
        parse(&process, text).expect("two lines")
    }

    #[test]
    fn lines_are_parsed() {
        let all = violations();
        assert_eq!(all[0].rule, "writable-not-exclusive");
        assert_eq!((all[0].certain, all[1].certain), (true, false));
        assert_eq!(all[1].address, "8f00");
    }

    #[test]
    fn exited_process_is_left_out_before_it_is_reaped() {
        let mut child = std::process::Command::new("true").spawn().expect("true");
        let pid = child.id().try_into().expect("a PID");

        while select::has_memory(pid) {
            std::thread::yield_now();
        }
        let name = "true".to_string();
        let mut selection = Selection {
            processes: vec![Process { pid, name }],
            may_go: true,
        };
        let found = round(&selection).map(|(processes, all)| (processes, all.len()));
        assert_eq!(found.expect("no error"), (0, 0));
        selection.may_go = false;
        assert!(round(&selection).is_err());
        child.wait().expect("its status");
    }

    #[test]
    fn columns_line_up() {
        check::<Violation>(&USUAL);
        let columns = output("pid,rule,certain").or_usual(&USUAL);
        let lines = violations();
        let width = columns.header().len() - "certain".len();
        for (line, certain) in lines.iter().zip(["true", "false"]) {
            let line = columns.line(line);
            assert!(
                line.starts_with("      7  ") && line[width..] == *certain,
                "{line}"
            );
        }
    }

    #[test]
    fn json_is_as_the_schema_says() {
        let violations = violations();
        let body = Body {
            processes: 1,
            certain: 1,
            suspected: 1,
            violations: &violations,
        };
        let found = value("check", &body);
        assert_eq!(found["schema"], "xpagemap.check/1");
        assert_eq!(
            found["violations"][1],
            serde_json::json!({
                "pid": 7, "name": "a", "address": "8f00", "rule": "pinned-not-exclusive",
                "certain": false, "detail": "suspected: frame 6",
            })
        );
    }
}
