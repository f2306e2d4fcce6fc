// SPDX-License-Identifier: GPL-2.0

//! `xpagemap metrics`: OpenMetrics text, for a node exporter's textfile collector.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;

use super::summary::collect;
use crate::interrupt;
use crate::json::{self, Unknown, print_unknown};
use crate::select::Targets;
use crate::summary::{COLUMNS, Summary};
use crate::swaps::{self, Device};
use crate::target;

/// Print OpenMetrics text: memory of processes by kind, swap devices, the module's counters
///
/// For a node exporter's textfile collector. Names and units are stable. A sample that is not known
/// is left out, never zero; xpagemap_module_up tells whether the module was there.
#[derive(clap::Args)]
#[command(
    after_help = "Example: xpagemap metrics --all -o /var/lib/node_exporter/textfile/xpagemap.prom"
)]
pub struct Args {
    #[command(flatten)]
    targets: Targets,
    /// Write to this file, whole or not at all
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print JSON, schema xpagemap.metrics/1
    #[arg(long)]
    json: bool,
}

/// Samples of one name.
#[derive(Debug, Serialize)]
struct Family {
    name: &'static str,
    kind: &'static str,
    unit: &'static str,
    help: &'static str,
    samples: Vec<Sample>,
}

#[derive(Debug, Serialize)]
struct Sample {
    labels: Vec<(&'static str, String)>,
    value: u64,
}

#[derive(Serialize)]
struct Body {
    families: Vec<Family>,
}

/// Prints or writes the metrics.
///
/// # Errors
///
/// No process can be read, or the file cannot be written.
pub fn main(out: &mut dyn Write, args: Args) -> Result<()> {
    interrupt::install()?;
    let mut unknown = Vec::new();
    let processes = collect(&args.targets, &mut unknown)?;
    let stats = target::stats();
    if let Err(why) = &stats {
        let why = format!("{why:#}");
        unknown.push(Unknown::new("the module's counters", why));
    }
    let mut families = of_processes(&processes);
    families.extend(of_devices(&swaps::devices()?));
    families.extend(of_module(stats.as_deref().ok()));

    print_unknown(&unknown);
    let mut text = Vec::new();
    if args.json {
        json::print(&mut text, "metrics", &Body { families }, &unknown)?;
    } else {
        text.extend(openmetrics(&families).into_bytes());
    }
    match args.file {
        Some(path) => write_whole(&path, &text),
        None => Ok(out.write_all(&text)?),
    }
}

/// Replaces a file, so that a collector never reads half of it.
fn write_whole(path: &PathBuf, text: &[u8]) -> Result<()> {
    let mut name = path.file_name().context("the file has no name")?.to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(text))
        .and_then(|()| fs::rename(&temporary, path));

    if written.is_err() {
        // The error of the write is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn of_processes(processes: &[Summary]) -> Vec<Family> {
    let page_size = procfs::page_size();
    let labels = |process: &Summary| {
        vec![
            ("pid", process.pid.to_string()),
            ("name", process.name.clone()),
        ]
    };
    let mut memory = Vec::new();
    let mut violations = Vec::new();

    for process in processes {
        for (column, of, _) in COLUMNS {
            let Some(pages) = of(&process.total) else {
                continue;
            };
            let mut labels = labels(process);
            if column == "violations" {
                violations.push(Sample {
                    labels,
                    value: pages,
                });
                continue;
            }
            labels.push(("state", column.replace('-', "_")));
            memory.push(Sample {
                labels,
                value: pages * page_size,
            });
        }
    }
    vec![
        Family {
            name: "xpagemap_process_memory_bytes",
            kind: "gauge",
            unit: "bytes",
            help: "Memory of a process by state; states overlap.",
            samples: memory,
        },
        Family {
            name: "xpagemap_process_violations",
            kind: "gauge",
            unit: "",
            help: "Pages that break a rule of the exclusive bit, or are suspected to.",
            samples: violations,
        },
    ]
}

fn of_devices(devices: &[Device]) -> Vec<Family> {
    let family = |name, help, of: fn(&Device) -> u64| Family {
        name,
        kind: "gauge",
        unit: "bytes",
        help,
        samples: devices
            .iter()
            .map(|device| Sample {
                labels: vec![("device", device.name())],
                value: of(device),
            })
            .collect(),
    };

    vec![
        family(
            "xpagemap_swap_size_bytes",
            "Size of a swap device.",
            |device| device.size,
        ),
        family(
            "xpagemap_swap_used_bytes",
            "Bytes of a swap device in use.",
            |device| device.used,
        ),
    ]
}

fn of_module(stats: Option<&str>) -> Vec<Family> {
    let value = |key: &str| {
        let mut lines = stats.unwrap_or_default().lines();
        let found = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        found.and_then(|value| value.trim().parse().ok())
    };
    let family = |name, kind, help, value: Option<u64>| Family {
        name,
        kind,
        unit: "",
        help,
        samples: value
            .map(|value| Sample {
                labels: Vec::new(),
                value,
            })
            .into_iter()
            .collect(),
    };

    vec![
        family(
            "xpagemap_module_up",
            "gauge",
            "1 if the module was there.",
            Some(u64::from(stats.is_some())),
        ),
        family(
            "xpagemap_events_seen",
            "counter",
            "Changes of the exclusive bit that were recorded.",
            value("events_seen"),
        ),
        family(
            "xpagemap_events_dropped",
            "counter",
            "Of these, changes that were overwritten.",
            value("events_dropped"),
        ),
    ]
}

fn openmetrics(families: &[Family]) -> String {
    let mut text = String::new();

    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        let Family {
            name,
            kind,
            unit,
            help,
            samples,
        } = family;
        text.push_str(&format!("# TYPE {name} {kind}\n"));
        if !unit.is_empty() {
            text.push_str(&format!("# UNIT {name} {unit}\n"));
        }
        text.push_str(&format!("# HELP {name} {help}\n"));
        let suffix = if *kind == "counter" { "_total" } else { "" };
        for Sample { labels, value } in samples {
            text.push_str(&format!("{name}{suffix}{} {value}\n", braces(labels)));
        }
    }
    text + "# EOF\n"
}

fn braces(labels: &[(&str, String)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let labels = labels.iter().map(|(name, value)| {
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    });
    format!("{{{}}}", labels.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Counts;

    fn process() -> Summary {
        Summary {
            pid: 7,
            name: "a\"b\\".to_string(),
            source: "/proc",
            total: Counts {
                pages: 9,
                resident: Some(2),
                ..Default::default()
            },
            mappings: Vec::new(),
        }
    }

    #[test]
    fn unknown_samples_are_left_out() {
        let text = openmetrics(&of_processes(&[process()]));
        let bytes = 2 * procfs::page_size();
        assert_eq!(
            text,
            format!(
                "# TYPE xpagemap_process_memory_bytes gauge\n\
                 # UNIT xpagemap_process_memory_bytes bytes\n\
                 # HELP xpagemap_process_memory_bytes Memory of a process by state; states overlap.\n\
                 xpagemap_process_memory_bytes{{pid=\"7\",name=\"a\\\"b\\\\\",state=\"resident\"}} \
                 {bytes}\n# EOF\n"
            )
        );
    }

    #[test]
    fn counters_have_their_suffix() {
        let text = openmetrics(&of_module(Some(
            "abi 1\nevents_seen 12\nevents_dropped 3\n",
        )));
        assert!(
            text.contains("# TYPE xpagemap_events_seen counter\n"),
            "{text}"
        );
        assert!(text.contains("\nxpagemap_events_seen_total 12\n"), "{text}");
        assert!(text.contains("\nxpagemap_module_up 1\n"), "{text}");
        assert!(openmetrics(&of_module(None)).contains("xpagemap_module_up 0\n"));
    }

    #[test]
    fn json_is_as_the_schema_says() {
        let families = of_processes(&[process()]);
        let found = crate::json::tests::value("metrics", &Body { families });
        assert_eq!(found["schema"], "xpagemap.metrics/1");
        assert_eq!(
            found["families"][0]["samples"][0],
            serde_json::json!({
                "labels": [["pid", "7"], ["name", "a\"b\\"], ["state", "resident"]],
                "value": 2 * procfs::page_size(),
            })
        );
    }
}
