// SPDX-License-Identifier: GPL-2.0

//! Logs as JSON: xpagemap's own, and the Trace Event Format, which Perfetto and Chrome open.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Value, json};

use super::event::Event;
use super::log::Log;
use crate::json::schema;

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables and histories
    Text,
    /// JSON, schema xpagemap.trace/1
    Json,
    /// JSON that ui.perfetto.dev and chrome://tracing open
    Perfetto,
}

/// The log of a process.
pub struct Exported<'a> {
    /// Its PID.
    pub pid: i32,
    /// Its log.
    pub log: Log<'a>,
    /// Its birth and its end, if it was born while its parent was followed: nanoseconds of
    /// `CLOCK_MONOTONIC`.
    pub life: Option<(u64, u64)>,
}

/// Prints logs, an event at a time.
pub fn print(out: &mut dyn Write, format: Format, all: &[Exported]) -> Result<()> {
    match format {
        Format::Perfetto => perfetto(out, all),
        _ => own(out, all),
    }
}

fn own(out: &mut dyn Write, all: &[Exported]) -> Result<()> {
    let page_size = procfs::page_size();

    write!(
        out,
        "{{\"schema\":\"{}\",\"page_size\":{page_size},\"unknown\":[],\"processes\":[",
        schema("trace")
    )?;
    for (i, Exported { pid, log, life }) in all.iter().enumerate() {
        let head = json!({
            "pid": pid,
            "born": life.map(|(born, _)| born),
            "dropped": log.dropped,
        });
        let head = head.to_string();
        let separator = if i == 0 { "" } else { "," };
        write!(
            out,
            "{separator}{},\"events\":[",
            head.strip_suffix('}').unwrap_or(&head)
        )?;
        items(out, log.events.iter().map(fields))?;
        write!(out, "]}}")?;
    }
    writeln!(out, "]}}")?;
    Ok(())
}

/// Instants, one for each event, on the line of the process that caused it; a span for the life of
/// each child; and the names of the processes.
fn perfetto(out: &mut dyn Write, all: &[Exported]) -> Result<()> {
    let events = || all.iter().flat_map(|one| one.log.events.iter());
    let actors: BTreeSet<_> = events().map(|event| event.actor).collect();
    let names = actors.into_iter().map(|actor| {
        let (pid, name) = (actor.pid(), actor.name());
        json!({
            "name": "process_name", "ph": "M", "pid": pid, "tid": pid, "args": { "name": name },
        })
    });
    let lives = all.iter().filter_map(|one| {
        let (born, end) = one.life?;
        Some(json!({
            "name": "life after fork", "cat": "fork", "ph": "X", "pid": one.pid, "tid": one.pid,
            "ts": microseconds(born), "dur": microseconds(end.saturating_sub(born)),
        }))
    });
    let instants = events().map(|event| {
        json!({
            "name": event.cause, "cat": event.op(), "ph": "i", "s": "t",
            "pid": event.actor.pid(), "tid": event.actor.pid(), "ts": microseconds(event.time),
            "args": fields(event),
        })
    });

    write!(out, "{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
    items(out, names.chain(lives).chain(instants))?;
    writeln!(out, "]}}")?;
    Ok(())
}

fn microseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1000.0
}

fn items(out: &mut dyn Write, items: impl Iterator<Item = Value>) -> Result<()> {
    for (i, item) in items.enumerate() {
        write!(out, "{}\n{item}", if i == 0 { "" } else { "," })?;
    }
    Ok(())
}

fn fields(event: &Event) -> Value {
    json!({
        "time": event.time,
        "op": event.op(),
        "frame": event.frame,
        "address": event.address.map(|address| format!("{address:x}")),
        "cause": event.cause,
        "site": event.site,
        "pid": event.actor.pid(),
        "name": event.actor.name(),
        "ip": event.ip.map(|ip| format!("{ip:x}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# seq ns op pfn address cause site pid comm\n\
        # 5 events dropped\n\
        6 100 set 1 5000 new f+0x1 212 wor\"ker\n\
        7 1500 clear 1 5000 fork-share g+0x2 212 wor\"ker\n\
        9 2500 clear 1 - free g+0x2 213 child\n";

    fn printed(format: Format) -> Value {
        let log = || Log::parse(TEXT).expect("a good log");
        let all = [
            Exported {
                pid: 212,
                log: log(),
                life: None,
            },
            Exported {
                pid: 213,
                log: log(),
                life: Some((2000, 9000)),
            },
        ];
        let mut text = Vec::new();
        print(&mut text, format, &all).expect("a vector takes it");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// Each event is there once, with the fields that viewers require.
    #[test]
    fn perfetto_has_every_event() {
        let value = printed(Format::Perfetto);
        let all = value["traceEvents"].as_array().expect("an array");
        let of = |phase: &str| {
            all.iter()
                .filter(|one| one["ph"] == phase)
                .collect::<Vec<_>>()
        };
        assert_eq!((of("i").len(), of("X").len(), of("M").len()), (6, 1, 2));
        assert_eq!(all.len(), 9);
        for one in all {
            assert!(
                one["name"].is_string() && one["pid"].is_u64() && one["tid"].is_u64(),
                "{one}"
            );
            assert!(one["ph"] == "M" || one["ts"].is_f64(), "{one}");
        }
        let second = of("i")[1];
        assert_eq!(
            (&second["name"], &second["ts"]),
            (&"fork-share".into(), &1.5.into())
        );
        assert_eq!(second["args"]["address"], "5000");
        assert_eq!(
            (&of("X")[0]["ts"], &of("X")[0]["dur"]),
            (&2.0.into(), &7.0.into())
        );
        assert_eq!(of("M")[0]["args"]["name"], "wor\"ker");
    }

    #[test]
    fn json_is_as_the_schema_says() {
        let value = printed(Format::Json);
        assert_eq!(value["schema"], "xpagemap.trace/1");
        let child = &value["processes"][1];
        assert_eq!(
            (&child["pid"], &child["born"], &child["dropped"]),
            (&213.into(), &2000.into(), &5.into())
        );
        assert_eq!(
            child["events"][2],
            json!({
                "time": 2500, "op": "clear", "frame": 1, "address": null, "cause": "free",
                "site": "g+0x2", "pid": 213, "name": "child", "ip": null,
            })
        );
    }
}
