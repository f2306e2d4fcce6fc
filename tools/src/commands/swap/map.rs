// SPDX-License-Identifier: GPL-2.0

//! `xpagemap swap map`: a device as a picture, and its fragmentation.

mod picture;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::Serialize;

use self::picture::{COLUMNS, Picture};
use super::{device_of, name};
use crate::json::{self, print_unknown};
use crate::swap::find::name_types;
use crate::swap::map::{Cell, Fragments, Kind, Used, cell_size, cells, fragments, used};
use crate::swap::sheet::Entry;
use crate::swap::{areas, collect};
use crate::swaps::{self, Device};
use crate::sys;

/// Rows of a picture, unless --cell asks for more.
const ROWS: u64 = 24;

/// Owners with a letter of their own.
const OWNERS: usize = 25;

/// Draw a device slot by slot, and tell its fragmentation. Needs the module
///
/// A cell has one or more slots; its letter is that of the kind or owner that has most of them, a
/// capital if all of its slots are used. A run is consecutive slots with consecutive pages of one owner.
/// A readahead window is whole if that holds for all of its used slots.
#[derive(clap::Args)]
#[command(after_help = "Example: xpagemap swap map /dev/vdb --by owner --svg swap.svg")]
pub struct Args {
    /// The device: its path, as in /proc/swaps, or its swap type
    device: OsString,
    /// Letters and colours by this
    #[arg(long, value_enum, default_value = "kind")]
    by: By,
    /// Slots of a cell [default: as many as make a picture fit]
    #[arg(long, value_name = "SLOTS", value_parser = clap::value_parser!(u64).range(1..))]
    cell: Option<u64>,
    /// Write a picture to this file, too
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print JSON, schema xpagemap.swap-map/1
    #[arg(long)]
    json: bool,
}

/// Meaning of letters and colours.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// Anonymous, shared by fork, file, swap cache
    Kind,
    /// Processes and files
    Owner,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    area: u64,
    path: &'a str,
    slots: u64,
    /// Slots of a cell.
    cell: u64,
    fragmentation: Fragments,
    /// Cells with used slots.
    cells: Vec<Cell>,
}

/// Prints the picture.
///
/// # Errors
///
/// There is no such device, or no module, or the SVG cannot be written.
pub fn main(out: &mut dyn Write, args: &Args, devices: &[Device]) -> Result<()> {
    device_of(devices, &args.device)?;
    let mut unknown = Vec::new();
    let entries = match collect::owners(&mut unknown)? {
        Ok(entries) => entries,
        Err(why) => bail!("cannot tell owners: {why}"),
    };
    let mut devices = swaps::devices()?;
    name_types(&mut devices, &areas::uses(&entries), &mut unknown);
    let device = device_of(&devices, &args.device)?;
    let device_name = device.name();
    let used = used(&entries, device.area);
    // The first slot has the header, which /proc/swaps leaves out.
    let slots = device.size / procfs::page_size() + 1;
    let columns = sys::terminal_columns().unwrap_or(80);
    let columns = u64::from(columns).saturating_sub(picture::MARGIN).max(8);
    let size = args
        .cell
        .unwrap_or_else(|| cell_size(slots, columns * ROWS));
    let fragmentation = fragments(&used, window()?);

    if args.json {
        let body = Body {
            area: device.area,
            path: &device_name,
            slots,
            cell: size,
            fragmentation,
            cells: cells(&used, size),
        };
        return Ok(json::print(out, "swap-map", &body, &unknown)?);
    }
    print_unknown(&unknown);
    let (keys, legend) = match args.by {
        By::Kind => by_kind(&used),
        By::Owner => by_owner(&used, &entries),
    };
    let picture = |size| Picture::new(&used, &keys, &legend, slots, size);
    writeln!(out, "{device_name} (swap type {})", device.area)?;
    picture(size).print(out, columns)?;
    print_fragments(out, &fragmentation, used.len())?;
    if let Some(path) = &args.svg {
        let size = args.cell.unwrap_or_else(|| cell_size(slots, COLUMNS * 64));
        let title = format!("{device_name}: {} of {slots} slots used", used.len());
        let written = File::create(path).and_then(|file| {
            let mut file = BufWriter::new(file);
            picture(size).svg(&mut file, &title)?;
            file.flush()
        });
        written.with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Slots of a readahead window.
fn window() -> Result<u64> {
    let text = fs::read_to_string("/proc/sys/vm/page-cluster").context("page-cluster")?;

    Ok(1 << text.trim().parse::<u32>().context("page-cluster")?.min(31))
}

fn print_fragments(out: &mut dyn Write, fragments: &Fragments, used: usize) -> Result<()> {
    let Fragments {
        runs,
        mean,
        window,
        windows,
        whole,
    } = fragments;

    writeln!(
        out,
        "{used} used slots with an owner, in {runs} runs; mean length {mean:.1}"
    )?;
    if *windows > 0 {
        let percent = 100.0 * *whole as f64 / *windows as f64;
        writeln!(
            out,
            "{whole} of {windows} readahead windows of {window} slots are whole ({percent:.0} %)"
        )?;
    }
    Ok(())
}

/// A letter and its meaning.
type Legend = Vec<(char, String)>;

/// Key of each used slot, a place in the legend.
fn by_kind(used: &[Used]) -> (Vec<usize>, Legend) {
    let key = |slot: &Used| Kind::ALL.iter().position(|kind| kind.0 == slot.kind);
    let keys = used.iter().map(|slot| key(slot).unwrap_or(0)).collect();
    let legend = Kind::ALL.iter().map(|kind| (kind.1, kind.2.to_string()));

    (keys, legend.collect())
}

/// The owners with most slots have letters, all others share the last one.
fn by_owner(used: &[Used], entries: &[Entry]) -> (Vec<usize>, Legend) {
    let mut counts = vec![0_u64; entries.len()];
    for slot in used {
        counts[slot.owner] += 1;
    }
    let mut owners: Vec<_> = (0..entries.len()).filter(|at| counts[*at] > 0).collect();
    owners.sort_by_key(|at| std::cmp::Reverse(counts[*at]));
    let own = owners.len().min(OWNERS);
    let mut key_of = vec![own; entries.len()];
    let mut legend = Legend::new();
    for ((key, owner), letter) in owners.iter().enumerate().zip('a'..='y') {
        key_of[*owner] = key;
        legend.push((letter, name(&entries[*owner].owner)));
    }
    if owners.len() > own {
        legend.push(('z', format!("{} others", owners.len() - own)));
    }
    (used.iter().map(|slot| key_of[slot.owner]).collect(), legend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swap::sheet::tests::{file, process};

    #[test]
    fn owners_with_most_slots_have_letters() {
        let mut entries: Vec<_> = (1..40).map(|pid| process(pid, &[(100, 0)])).collect();
        for (at, entry) in entries.iter_mut().enumerate() {
            *entry = process(1, &[(100 * at as u64, 1 + at as u64)]);
        }
        entries.push(file(&[], 9000, 99));
        let used = used(&entries, 0);
        let (keys, legend) = by_owner(&used, &entries);
        assert_eq!(legend.len(), 26);
        assert!(legend[0].1.starts_with("file"), "{legend:?}");
        assert_eq!(legend[25], ('z', "15 others".to_string()));
        assert_eq!((keys[0], keys[keys.len() - 1]), (25, 0));
    }

    #[test]
    fn kinds_have_letters() {
        let (keys, legend) = by_kind(&used(&[file(&[], 5, 2)], 0));
        assert_eq!(keys, [2, 2]);
        assert_eq!(legend[2].0, 'f');
    }
}
