// SPDX-License-Identifier: GPL-2.0

//! `xpagemap swap`: the used slots of the swap devices, by owner.

mod owner;
mod proc;

use std::io::Write;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use procfs::{Current, Meminfo};
use serde::Serialize;

use super::table::Table;
use crate::interrupt;
use crate::json::{self, print_unknown};
use crate::swap::collect;
use crate::swap::sheet::{Balance, Owner, Share, add_up};
use crate::swaps::{self, Device};

/// Tell what is on the swap devices: every used slot by its owner
///
/// A balance sheet for each device: slots used by anonymous memory, with those that processes share by
/// fork counted once, and by files of shared memory, mapped or not. Unexplained are slots that no
/// process and no file refers to: pages in memory that keep their slot, and slots that moved
/// meanwhile. Without the module, processes have their proportional shares from smaps_rollup.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example: xpagemap swap --top 5 --by file"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print this many owners; 0: all
    #[arg(long, default_value_t = 20)]
    top: usize,
    /// Print owners of this kind alone
    #[arg(long, value_enum)]
    by: Option<Kind>,
    /// Print JSON, schema xpagemap.swap/1, with all owners
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    Owner(owner::Args),
}

/// A kind of owner.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Processes
    Process,
    /// Files of shared memory
    File,
}

#[derive(Serialize)]
struct Body {
    devices: Vec<Balance>,
    /// Slots that came or went while the owners were read.
    changed: u64,
    owners: Vec<Share>,
}

/// Prints the balance sheet.
///
/// # Errors
///
/// No swap is on, or nothing can be told of it.
pub fn main(out: &mut dyn Write, args: Args) -> Result<()> {
    interrupt::install()?;
    let before = swaps::devices()?;
    ensure!(
        !before.is_empty(),
        "no swap device is on; see `swapon --show`"
    );
    if let Some(Command::Owner(args)) = args.command {
        return owner::main(out, args, &before);
    }
    let mut unknown = Vec::new();
    let entries = match collect::owners(&mut unknown)? {
        Ok(entries) => entries,
        Err(why) => return proc::main(out, &before, &why, args.json),
    };
    let after = swaps::devices()?;
    let (devices, mut owners) = add_up(&after, &entries);
    let changed = changed(&before, &after);

    owners.retain(|share| args.by.is_none_or(|kind| kind == kind_of(&share.owner)));
    if args.json {
        let body = Body {
            devices,
            changed,
            owners,
        };
        return Ok(json::print(out, "swap", &body, &unknown)?);
    }
    print_unknown(&unknown);
    for balance in &devices {
        print_balance(out, balance)?;
    }
    if changed > 0 {
        writeln!(out, "changed meanwhile: {changed} slots")?;
    }
    let count = if args.top == 0 {
        owners.len()
    } else {
        args.top
    };
    for line in table(&owners, count).lines(0) {
        writeln!(out, "{line}")?;
    }
    if owners.len() > count {
        writeln!(out, "and {} more; --top 0 prints all", owners.len() - count)?;
    }
    Ok(())
}

/// The number of used slots that came or went in between.
fn changed(before: &[Device], after: &[Device]) -> u64 {
    let used = |devices: &[Device]| devices.iter().map(|device| device.used).sum::<u64>();

    used(before).abs_diff(used(after)) / procfs::page_size()
}

fn kind_of(owner: &Owner) -> Kind {
    match owner {
        Owner::Process { .. } => Kind::Process,
        Owner::File { .. } => Kind::File,
    }
}

/// Pages in memory can keep a slot that no entry refers to: says how many there can be.
fn maybe_cached(unexplained: i64) -> String {
    match Meminfo::current() {
        Ok(memory) if unexplained > 0 => format!(
            "; the swap cache has {} pages, which can keep a slot that nothing refers to",
            memory.swap_cached / procfs::page_size()
        ),
        _ => String::new(),
    }
}

fn print_balance(out: &mut dyn Write, balance: &Balance) -> Result<()> {
    let Balance {
        area,
        path,
        slots,
        used,
        anonymous,
        shared,
        files,
        unexplained,
    } = balance;

    writeln!(out, "{path} (swap type {area}): {slots} slots, {used} used")?;
    for (count, kind) in [
        (anonymous, "anonymous memory of one process"),
        (shared, "anonymous memory of several processes, by fork"),
        (files, "files of shared memory"),
    ] {
        writeln!(out, "{count:>12}  {kind}")?;
    }
    writeln!(
        out,
        "{unexplained:>12}  unexplained{}",
        maybe_cached(*unexplained)
    )?;
    Ok(())
}

fn table(owners: &[Share], count: usize) -> Table {
    let mut table = Table::default();

    table.row(["pswap", "alone", "shared", "owner"].map(String::from));
    for share in owners.iter().take(count) {
        table.row([
            format!("{:.1}", share.pswap),
            share.alone.to_string(),
            share.shared.to_string(),
            name(&share.owner),
        ]);
    }
    table
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
                unexplained: -1,
                ..Default::default()
            }],
            changed: 1,
            owners: vec![Share {
                owner,
                alone: 5,
                shared: 0,
                pswap: 5.0,
            }],
        };
        let found = value("swap", &body);
        assert_eq!(found["schema"], "xpagemap.swap/1");
        assert_eq!(found["changed"], 1);
        assert_eq!(
            found["devices"][0],
            serde_json::json!({
                "type": 0, "path": "/dev/vdb", "slots": 9, "used": 4, "anonymous": 0, "shared": 0,
                "files": 5, "unexplained": -1,
            })
        );
        assert_eq!(
            found["owners"][0],
            serde_json::json!({
                "kind": "file", "id": "0:1:2", "name": "/memfd:a (deleted)", "mapped_by": [7, 8],
                "alone": 5, "shared": 0, "pswap": 5.0,
            })
        );
    }
}
