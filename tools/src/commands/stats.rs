// SPDX-License-Identifier: GPL-2.0

//! `xpagemap stats`: prints the module's counters in columns.

use std::io::Write;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::json;
use crate::target;

/// Print the module's version and counters
#[derive(clap::Args)]
pub struct Args {
    /// Print JSON, schema xpagemap.stats/1
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Body {
    stats: Map<String, Value>,
}

/// Prints the module's `key value` lines.
///
/// # Errors
///
/// The module's `stats` file cannot be read.
pub fn main(out: &mut dyn Write, args: Args) -> Result<()> {
    if args.json {
        let stats = fields(&target::stats()?);
        return Ok(json::print(out, "stats", &Body { stats }, &[])?);
    }
    out.write_all(columns(&target::stats()?).as_bytes())?;
    Ok(())
}

/// The lines as fields; values that are no numbers are strings.
fn fields(stats: &str) -> Map<String, Value> {
    let pairs = stats.lines().filter_map(|line| line.split_once(' '));

    pairs
        .map(|(key, value)| {
            let number = value.parse::<u64>().map(Value::from);
            (key.to_string(), number.unwrap_or_else(|_| value.into()))
        })
        .collect()
}

fn columns(stats: &str) -> String {
    let pairs = || {
        stats
            .lines()
            .map(|line| line.split_once(' ').unwrap_or((line, "")))
    };
    let width = pairs().map(|(key, _)| key.len()).max().unwrap_or(0);

    pairs().fold(String::new(), |text, (key, value)| {
        text + format!("{key:width$}  {value}").trim_end() + "\n"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_as_the_schema_says() {
        let stats = fields("version 0.1.0\nabi 1\nevents_seen 18446744073709551615\n");
        let found = json::tests::value("stats", &Body { stats });
        assert_eq!(found["schema"], "xpagemap.stats/1");
        let expected = serde_json::json!({
            "version": "0.1.0", "abi": 1, "events_seen": u64::MAX,
        });
        assert_eq!(found["stats"], expected);
    }

    #[test]
    fn values_line_up() {
        assert_eq!(columns("abi 1\ntargets 0\n"), "abi      1\ntargets  0\n");
        assert_eq!(columns("alone\n"), "alone\n");
        assert_eq!(columns(""), "");
    }
}
