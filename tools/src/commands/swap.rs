// SPDX-License-Identifier: GPL-2.0

//! `xpagemap swap`: the used slots of the swap devices, by owner.

mod line;
mod map;
mod owner;
mod print;
mod proc;
mod read;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::Serialize;

use super::columns::Output;
use crate::interrupt;
use crate::json::print_unknown;
use crate::swap::find::{self, Found};
use crate::swap::groups::{By, Group, groups};
use crate::swap::sheet::{Balance, Owner, Share, add_up};
use crate::swaps::{self, Device};
use line::{GROUPS, Line, OWNERS};

/// Tell what is on the swap devices: every used slot by its owner
///
/// A balance sheet for each device: anonymous memory, each slot counted once, files of shared memory,
/// pages in memory that keep their slot, the unexplained rest. Without the module: smaps, its error.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = "Example: xpagemap swap --top 5 --by file"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print this many owners; 0: all
    #[arg(long, default_value_t = 20)]
    top: usize,
    /// Print processes or files alone, or the sums by cgroup or user
    #[arg(long, value_enum, hide_possible_values = true, value_name = "KIND")]
    by: Option<Kind>,
    /// Print the slots of one device alone, by its path or swap type
    #[arg(long)]
    device: Option<OsString>,
    /// Print the sums of smaps beside, with their error
    #[arg(long)]
    smaps: bool,
    #[command(flatten)]
    output: Output<Line>,
    /// Print JSON, schema xpagemap.swap/1, with all owners
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    Map(map::Args),
    Owner(owner::Args),
    Read(read::Args),
}

/// A kind of owner.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Processes
    Process,
    /// Files of shared memory
    File,
    /// Sums of the processes of each cgroup
    Cgroup,
    /// Sums of the processes of each user
    User,
}

impl Kind {
    fn by(self) -> Option<By> {
        match self {
            Self::Cgroup => Some(By::Cgroup),
            Self::User => Some(By::User),
            Self::Process | Self::File => None,
        }
    }

    fn includes(self, owner: &Owner) -> bool {
        match owner {
            Owner::Process { .. } => self != Self::File,
            Owner::File { .. } => self != Self::Process,
        }
    }
}

#[derive(Serialize)]
struct Body {
    devices: Vec<Balance>,
    /// Slots that came or went while the owners were read.
    changed: u64,
    /// Pages that were swapped in or out meanwhile.
    moved: u64,
    owners: Vec<Share>,
    /// By cgroup or user, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<Group>>,
    /// The sums of smaps, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    smaps: Option<proc::Totals>,
}

/// Prints the balance sheet. Returns false if pages that were to be read had to be left out.
///
/// # Errors
///
/// No swap is on, or nothing can be told of it.
pub fn main(out: &mut dyn Write, args: Args) -> Result<bool> {
    interrupt::install()?;
    let before = swaps::devices()?;
    ensure!(
        !before.is_empty(),
        "no swap device is on; see `swapon --show`"
    );
    match args.command {
        Some(Command::Read(args)) => return read::main(out, &args, &before),
        Some(Command::Map(args)) => map::main(out, &args, &before)?,
        Some(Command::Owner(args)) => owner::main(out, args, &before)?,
        None => balance(out, &args, &before)?,
    }
    Ok(true)
}

fn balance(out: &mut dyn Write, args: &Args, before: &[Device]) -> Result<()> {
    if let Some(name) = &args.device {
        device_of(before, name)?;
    }
    let moved = moved()?;
    let mut unknown = Vec::new();
    let Found {
        mut entries,
        devices: mut after,
        rest,
    } = match find::all(&mut unknown)? {
        Ok(found) => found,
        Err(why) => return proc::main(out, args, before, &why),
    };
    let changed = changed(before, &after);
    let moved = self::moved()?.saturating_sub(moved);

    if let Some(name) = &args.device {
        let device = device_of(&after, name)?.clone();
        for entry in &mut entries {
            entry.retain(device.area);
        }
        after = vec![device];
    }
    let (devices, mut owners) = add_up(&after, &entries, rest.as_ref());
    owners.retain(|share| args.by.is_none_or(|kind| kind.includes(&share.owner)));
    let body = Body {
        devices,
        changed,
        moved,
        owners,
        groups: args.by.and_then(Kind::by).map(|by| groups(&entries, by)),
        smaps: args.smaps.then(|| proc::totals(before)).transpose()?,
    };
    if args.json {
        let (usual, rows): (&[_], _) = match body.groups {
            Some(_) => (&GROUPS, "groups"),
            None => (&OWNERS, "owners"),
        };
        let output = &args.output;
        return Ok(output.print_json(out, "swap", &body, &unknown, usual, &[rows])?);
    }
    print_unknown(&unknown);
    print::all(out, &body, args)
}

/// The device of that path or swap type.
fn device_of<'a>(devices: &'a [Device], name: &OsStr) -> Result<&'a Device> {
    devices
        .iter()
        .find(|device| device.path == name)
        .or_else(|| {
            devices
                .iter()
                .find(|device| name == device.area.to_string().as_str())
        })
        .with_context(|| format!("{} is no swap device; see /proc/swaps", name.display()))
}

/// The number of used slots that came or went in between.
fn changed(before: &[Device], after: &[Device]) -> u64 {
    let used = |devices: &[Device]| devices.iter().map(|device| device.used).sum::<u64>();

    used(before).abs_diff(used(after)) / procfs::page_size()
}

/// The number of pages that were ever swapped in or out.
fn moved() -> Result<u64> {
    let text = fs::read_to_string("/proc/vmstat").context("cannot read /proc/vmstat")?;

    Ok(count_moved(&text))
}

fn count_moved(text: &str) -> u64 {
    let counts = text.lines().filter_map(|line| {
        let (key, count) = line.split_once(' ')?;
        let keys = [
            "pswpin",
            "pswpout",
            "swpin_zero",
            "swpout_zero",
            "zswpin",
            "zswpout",
        ];
        keys.contains(&key).then(|| count.parse::<u64>().ok())?
    });

    counts.sum()
}

/// An owner in words.
fn name(owner: &Owner) -> String {
    match owner {
        Owner::Process { pid, name } => format!("process {pid} ({name})"),
        Owner::File {
            id,
            name,
            mapped_by,
        } => {
            let pids: Vec<_> = mapped_by.iter().map(ToString::to_string).collect();
            let mapped = match pids.is_empty() {
                true => "not mapped".to_string(),
                false => format!("mapped by {}", pids.join(", ")),
            };
            format!(
                "file {id} {}, {mapped}",
                name.replace(char::is_control, "?")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::tests::value;

    #[test]
    fn json_is_as_the_schema_says() {
        let owner = Owner::File {
            id: "0:1:2".to_string(),
            name: "/memfd:a (deleted)".to_string(),
            mapped_by: vec![7, 8],
        };
        assert_eq!(
            name(&owner),
            "file 0:1:2 /memfd:a (deleted), mapped by 7, 8"
        );
        let body = Body {
            devices: vec![Balance {
                path: "/dev/vdb".to_string(),
                slots: 9,
                used: 4,
                files: 5,
                cached: 2,
                swap_cache: 6,
                transient: 7,
                unexplained: -3,
                freed: 8,
                ..Default::default()
            }],
            changed: 1,
            owners: vec![Share {
                owner,
                alone: 5,
                shared: 0,
                pswap: 5.0,
                cached: 2,
            }],
            moved: 3,
            groups: None,
            smaps: None,
        };
        let found = value("swap", &body);
        assert_eq!(found["schema"], "xpagemap.swap/1");
        assert_eq!((&found["changed"], &found["moved"]), (&1.into(), &3.into()));
        assert!(found.get("groups").is_none() && found.get("smaps").is_none());
        assert_eq!(
            found["devices"][0],
            serde_json::json!({
                "type": 0, "path": "/dev/vdb", "slots": 9, "used": 4, "anonymous": 0, "shared": 0,
                "files": 5, "cached": 2, "swap_cache": 6, "transient": 7, "unexplained": -3, "freed": 8,
            })
        );
        assert_eq!(
            found["owners"][0],
            serde_json::json!({
                "kind": "file", "id": "0:1:2", "name": "/memfd:a (deleted)", "mapped_by": [7, 8],
                "alone": 5, "shared": 0, "pswap": 5.0, "cached": 2,
            })
        );
    }

    #[test]
    fn pages_that_moved_are_counted() {
        let text = "pswpin 1\npswpout 20\nswpin_zero 300\npswpinx 9\nzswpout 4000\n";
        assert_eq!(count_moved(text), 4321);
    }

    #[test]
    fn devices_have_names_and_types() {
        let entry = |area, path: &str| Device {
            area,
            path: path.into(),
            size: 0,
            used: 0,
        };
        let devices = [entry(0, "1"), entry(1, "/dev/b")];
        assert_eq!(device_of(&devices, "1".as_ref()).expect("a path").area, 0);
        assert_eq!(
            device_of(&devices, "/dev/b".as_ref()).expect("a path").area,
            1
        );
        assert_eq!(device_of(&devices, "0".as_ref()).expect("a type").area, 0);
        assert!(device_of(&devices, "2".as_ref()).is_err());
    }
}
