// SPDX-License-Identifier: GPL-2.0

//! `xpagemap swap owner`: the owners of single slots.

use std::ffi::OsString;
use std::io::Write;

use anyhow::{Result, bail};
use serde::Serialize;

use super::line::{Parts, owner_columns};
use super::{device_of, name};
use crate::commands::columns::{Column, Output, Row};
use crate::json::print_unknown;
use crate::swap::find::name_types;
use crate::swap::sheet::{Entry, Owner};
use crate::swap::{areas, collect};
use crate::swaps::Device;

/// Tell the owners of slots: process and address, or file and page. Needs the module
#[derive(clap::Args)]
#[command(after_help = "Example: xpagemap swap owner /dev/vdb 17 18")]
pub struct Args {
    /// The device: its path, as in /proc/swaps, or its swap type
    device: OsString,
    /// Slots: page offsets in the device
    #[arg(required = true)]
    slots: Vec<u64>,
    #[command(flatten)]
    output: Output<Line>,
    /// Print JSON, schema xpagemap.swap-owner/1
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Body {
    #[serde(rename = "type")]
    area: u64,
    slots: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    slot: u64,
    owners: Vec<Place>,
}

#[derive(Serialize)]
struct Place {
    #[serde(flatten)]
    owner: Owner,
    /// Address in the process, in hex; null for files.
    address: Option<String>,
    /// Number of the page in the file; null for processes.
    index: Option<u64>,
}

/// An owner of a slot, or a slot without one.
struct Line {
    slot: u64,
    parts: Parts,
    owner: String,
    address: String,
    index: String,
}

impl Row for Line {
    fn columns() -> Vec<Column<Self>> {
        let mut columns = vec![
            Column::number("slot", |line: &Self| line.slot.to_string()).fields(&[]),
            Column::number("address", |line: &Self| line.address.clone()),
            Column::number("index", |line: &Self| line.index.clone()),
        ];

        columns.extend(owner_columns(
            |line: &Self| &line.parts,
            |line| line.owner.clone(),
        ));
        columns
    }
}

/// Columns that `-o +COLUMNS` adds to.
const USUAL: [&str; 4] = ["slot", "address", "index", "owner"];

impl Found {
    fn lines(&self) -> Vec<Line> {
        let line = |parts, owner, place: Option<&Place>| Line {
            slot: self.slot,
            parts,
            owner,
            address: place
                .and_then(|place| place.address.clone())
                .unwrap_or_default(),
            index: place
                .and_then(|place| place.index)
                .map_or(String::new(), |index| index.to_string()),
        };
        if self.owners.is_empty() {
            return vec![line(Parts::default(), String::new(), None)];
        }
        let lines = self
            .owners
            .iter()
            .map(|place| line(Parts::of(&place.owner), name(&place.owner), Some(place)));

        lines.collect()
    }
}

/// Prints the owners.
///
/// # Errors
///
/// There is no such device, or no module.
pub fn main(out: &mut dyn Write, args: Args, devices: &[Device]) -> Result<()> {
    let mut devices = devices.to_vec();
    device_of(&devices, &args.device)?;
    let mut unknown = Vec::new();
    let entries = match collect::owners(&mut unknown)? {
        Ok(entries) => entries,
        Err(why) => bail!("cannot tell owners: {why}"),
    };
    name_types(&mut devices, &areas::uses(&entries), &mut unknown);
    let device = device_of(&devices, &args.device)?;
    let found = args.slots.iter().map(|slot| Found {
        slot: *slot,
        owners: owners(&entries, device.area, *slot),
    });
    let body = Body {
        area: device.area,
        slots: found.collect(),
    };

    if args.json {
        let rows = ["slots/owners"];
        let output = &args.output;
        return Ok(output.print_json(out, "swap-owner", &body, &unknown, &USUAL, &rows)?);
    }
    print_unknown(&unknown);
    if let Some(columns) = args.output.chosen(&USUAL) {
        let lines: Vec<_> = body.slots.iter().flat_map(Found::lines).collect();
        for line in columns.table(&lines).lines(0) {
            writeln!(out, "{line}")?;
        }
        return Ok(());
    }
    for Found { slot, owners } in &body.slots {
        if owners.is_empty() {
            writeln!(out, "{slot}: free, or no process and no file refers to it")?;
        }
        for Place {
            owner,
            address,
            index,
        } in owners
        {
            let at = address.as_ref().map(|address| format!(" at {address}"));
            let at = at.or_else(|| index.map(|index| format!(", page {index}")));
            writeln!(out, "{slot}: {}{}", name(owner), at.unwrap_or_default())?;
        }
    }
    Ok(())
}

fn owners(entries: &[Entry], area: u64, slot: u64) -> Vec<Place> {
    let places = entries.iter().flat_map(|entry| {
        let run = entry
            .runs
            .iter()
            .find(|run| run.area == area && (run.offset..run.offset + run.pages).contains(&slot));
        run.map(|run| {
            let address = run.start + (slot - run.offset) * procfs::page_size();
            let is_process = matches!(entry.owner, Owner::Process { .. });
            Place {
                owner: entry.owner.clone(),
                address: is_process.then(|| format!("{address:x}")),
                index: entry.has_indexes.then(|| run.start + (slot - run.offset)),
            }
        })
    });

    places.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::columns::tests::{check, output};
    use crate::swap::runs::SlotRun;
    use crate::swap::sheet::tests::{file, process};

    #[test]
    fn slots_have_addresses() {
        let run = SlotRun {
            start: 0x10000,
            area: 1,
            offset: 5,
            pages: 3,
            is_shared: false,
            place: Default::default(),
        };
        let mut file = file(&[], 0, 0);
        file.has_indexes = true;
        file.runs = vec![SlotRun { start: 40, ..run }];
        let process = process(7, &[]);
        let entries = [
            Entry {
                runs: vec![run],
                ..process
            },
            file,
        ];
        let found = owners(&entries, 1, 7);
        let address = format!("{:x}", 0x10000 + 2 * procfs::page_size());
        assert_eq!(found[0].address.as_deref(), Some(&*address));
        assert_eq!((found[0].index, found[1].index), (None, Some(42)));
        assert!(owners(&entries, 1, 8).is_empty() && owners(&entries, 0, 7).is_empty());

        check::<Line>(&USUAL);
        let columns = output("slot,index,pid,address").or_usual(&USUAL);
        let lines = [(7, found), (8, Vec::new())]
            .map(|(slot, owners)| Found { slot, owners }.lines())
            .into_iter()
            .flatten()
            .collect::<Vec<_>>();
        let lines = columns.table(&lines).lines(0);
        let expected = [
            "slot  index  pid  address".to_string(),
            format!("7              7  {address}"),
            "7        42".to_string(),
            "8".to_string(),
        ];
        assert_eq!(lines, expected);
    }
}
