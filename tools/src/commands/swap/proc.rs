// SPDX-License-Identifier: GPL-2.0

//! The balance sheet without the module: proportional shares of anonymous memory, from smaps_rollup.

use std::fs;
use std::io::Write;

use anyhow::Result;
use serde::Serialize;

use crate::commands::table::Table;
use crate::json::{self, Unknown, print_unknown};
use crate::select::Targets;
use crate::swaps::Device;

#[derive(Serialize)]
struct Body<'a> {
    devices: &'a [Device],
    /// Used slots of all devices.
    used: u64,
    /// Used by anonymous memory, rounded for each mapping.
    anonymous: u64,
    /// The rest: shared memory, and pages in memory that keep their slot.
    others: i64,
    processes: Vec<Share>,
}

#[derive(Serialize)]
struct Share {
    pid: i32,
    name: String,
    /// SwapPss, in pages.
    pswap: u64,
}

/// Prints what `/proc` tells.
///
/// # Errors
///
/// The processes cannot be listed.
pub fn main(out: &mut dyn Write, devices: &[Device], why: &str, as_json: bool) -> Result<()> {
    let page_size = procfs::page_size();
    let everyone = Targets {
        all: true,
        ..Default::default()
    };
    let (mut processes, mut left_out) = (Vec::new(), 0);
    for process in everyone.now()?.processes {
        match swap_pss(process.pid) {
            Some(bytes) => processes.push(Share {
                pid: process.pid,
                name: process.name,
                pswap: bytes / page_size,
            }),
            None => left_out += 1,
        }
    }
    processes.sort_by_key(|share| std::cmp::Reverse(share.pswap));
    let used = devices.iter().map(|device| device.used).sum::<u64>() / page_size;
    let anonymous = processes.iter().map(|share| share.pswap).sum::<u64>();
    let others = used.cast_signed() - anonymous.cast_signed();
    let mut unknown = vec![Unknown::new(
        "slots, and the files of shared memory in swap",
        why,
    )];
    if left_out > 0 {
        let why = "their smaps_rollup cannot be read; run this as root";
        unknown.push(Unknown::new(
            format!("the swap of {left_out} processes"),
            why,
        ));
    }

    if as_json {
        let body = Body {
            devices,
            used,
            anonymous,
            others,
            processes,
        };
        return Ok(json::print(out, "swap", &body, &unknown)?);
    }
    print_unknown(&unknown);
    writeln!(out, "{used:>12}  slots used on all devices")?;
    writeln!(out, "{anonymous:>12}  anonymous memory")?;
    writeln!(
        out,
        "{others:>12}  shared memory, and pages in memory that keep their slot"
    )?;
    let mut table = Table::default();
    table.row(["pswap", "owner"].map(String::from));
    for share in processes.iter().filter(|share| share.pswap > 0) {
        let owner = format!("process {} ({})", share.pid, share.name);
        table.row([share.pswap.to_string(), owner]);
    }
    for line in table.lines(0) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// SwapPss of a process, in bytes.
fn swap_pss(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;

    parse(&text)
}

fn parse(text: &str) -> Option<u64> {
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix("SwapPss:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;

    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proportional_swap_is_in_kib() {
        assert_eq!(parse("Swap:  8 kB\nSwapPss:        12 kB\n"), Some(12288));
        assert_eq!(parse("Swap:  8 kB\n"), None);
    }
}
