// SPDX-License-Identifier: GPL-2.0

//! The balance sheet without the module, by smaps: proportional shares of anonymous memory, and files
//! as far as somebody maps them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::{Result, bail, ensure};
use serde::Serialize;

use super::line::{Line, PROC_GROUPS, PROC_OWNERS, Parts};
use super::{Args, Kind, print};
use crate::commands::table::number;
use crate::interrupt;
use crate::json::{Unknown, print_unknown};
use crate::select::Targets;
use crate::swap::groups::{By, current};
use crate::swap::origin::Origin;
use crate::swap::sheet::Owner;
use crate::swap::smaps;
use crate::swaps::Device;

#[derive(Serialize)]
struct Body<'a> {
    devices: &'a [Device],
    #[serde(flatten)]
    totals: Totals,
    /// The rest: shared memory, and pages in memory that keep their slot.
    others: i64,
    processes: Vec<Share>,
    files: Vec<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<Group>>,
}

/// Sums of smaps, in slots, and their error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Used slots of all devices, by `/proc/swaps`.
    pub used: u64,
    /// Used by anonymous memory, by SwapPss, rounded for each mapping.
    pub anonymous: u64,
    /// Used by files of shared memory, at least: the most that one process maps of each.
    pub mapped: u64,
    /// Swap of all mappings, added up: what processes share counts in each.
    pub swap_sum: u64,
    /// The error of `swap_sum`.
    pub swap_sum_error: i64,
    /// The error of `anonymous` and `mapped` together: what nobody maps, pages in memory that keep
    /// their slot, and rounding.
    pub error: i64,
}

impl Totals {
    /// Prints a line for each way.
    ///
    /// # Errors
    ///
    /// `out` cannot be written.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "smaps: Swap of all processes {}, {:+} against used; SwapPss and mapped files {}, {:+}",
            self.swap_sum,
            self.swap_sum_error,
            self.anonymous + self.mapped,
            self.error
        )
    }
}

#[derive(Serialize)]
struct Share {
    pid: i32,
    name: String,
    /// SwapPss, in pages.
    pswap: u64,
}

#[derive(Serialize)]
struct File {
    id: String,
    name: String,
    /// The most that one process maps of it, in pages.
    at_least: u64,
}

#[derive(Serialize)]
struct Group {
    name: String,
    pswap: u64,
    current: Option<u64>,
}

#[derive(Default)]
struct Found {
    processes: Vec<Share>,
    files: BTreeMap<String, (String, u64)>,
    swap: u64,
}

/// Reads smaps of all processes.
///
/// # Errors
///
/// The processes cannot be listed, or not all of them may be read.
fn read() -> Result<Found> {
    let everyone = Targets {
        all: true,
        ..Default::default()
    };
    let page_size = procfs::page_size();
    let mut found = Found::default();

    for process in everyone.now()?.processes {
        interrupt::check()?;
        let sums = match smaps::of(process.pid) {
            Ok(sums) => sums,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => bail!(
                "cannot read the memory of all processes: run this as root, with CAP_SYS_ADMIN and \
                 CAP_SYS_PTRACE"
            ),
            // It has exited meanwhile.
            Err(_) => continue,
        };
        found.swap += sums.swap;
        for (id, (name, bytes)) in sums.files {
            let most = &mut found.files.entry(id).or_insert((name, 0)).1;
            *most = bytes.max(*most);
        }
        found.processes.push(Share {
            pid: process.pid,
            name: process.name,
            pswap: sums.pswap / page_size,
        });
    }
    found.processes.retain(|share| share.pswap > 0);
    found
        .processes
        .sort_by_key(|share| std::cmp::Reverse(share.pswap));
    Ok(found)
}

impl Found {
    fn totals(&self, devices: &[Device]) -> Totals {
        let page_size = procfs::page_size();
        let used = devices.iter().map(|device| device.used).sum::<u64>() / page_size;
        let anonymous = self.processes.iter().map(|share| share.pswap).sum::<u64>();
        let mapped = self.files.values().map(|file| file.1).sum::<u64>() / page_size;
        let swap_sum = self.swap / page_size;

        Totals {
            used,
            anonymous,
            mapped,
            swap_sum,
            swap_sum_error: swap_sum.cast_signed() - used.cast_signed(),
            error: (anonymous + mapped).cast_signed() - used.cast_signed(),
        }
    }
}

/// The sums alone.
///
/// # Errors
///
/// The processes cannot be listed, or not all of them may be read.
pub fn totals(devices: &[Device]) -> Result<Totals> {
    Ok(read()?.totals(devices))
}

fn groups(processes: &[Share], by: By) -> Vec<Group> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();

    for share in processes {
        let origin = Origin::of(share.pid);
        let name = match by {
            By::Cgroup => origin.cgroup,
            By::User => origin.user,
        };
        *sums.entry(name).or_default() += share.pswap;
    }
    let groups = sums.into_iter().map(|(name, pswap)| Group {
        current: match by {
            By::Cgroup => current(&name),
            By::User => None,
        },
        name,
        pswap,
    });
    let mut groups: Vec<_> = groups.collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.pswap));
    groups
}

/// Prints what `/proc` tells.
///
/// # Errors
///
/// The processes cannot be listed, or not all of them may be read.
pub fn main(out: &mut dyn Write, args: &Args, devices: &[Device], why: &str) -> Result<()> {
    let found = read()?;
    let totals = found.totals(devices);
    ensure!(
        args.device.is_none(),
        "cannot tell which device has a page: {why}"
    );
    let unknown = [Unknown::new(
        "slots, and the files of shared memory in swap that nobody maps",
        why,
    )];
    let groups = args
        .by
        .and_then(Kind::by)
        .map(|by| groups(&found.processes, by));
    let mut body = Body {
        devices,
        totals,
        others: totals.used.cast_signed() - totals.anonymous.cast_signed(),
        processes: found.processes,
        files: found
            .files
            .into_iter()
            .map(|(id, (name, bytes))| File {
                id,
                name,
                at_least: bytes / procfs::page_size(),
            })
            .collect(),
        groups,
    };
    body.files
        .sort_by_key(|file| std::cmp::Reverse(file.at_least));
    let (usual, rows): (&[_], &[_]) = match body.groups {
        Some(_) => (&PROC_GROUPS, &["groups"]),
        None => (&PROC_OWNERS, &["processes", "files"]),
    };
    if args.json {
        let output = &args.output;
        return Ok(output.print_json(out, "swap", &body, &unknown, usual, rows)?);
    }
    print_unknown(&unknown);
    for (count, kind) in [
        (totals.used.cast_signed(), "slots used on all devices"),
        (totals.anonymous.cast_signed(), "anonymous memory"),
        (
            totals.mapped.cast_signed(),
            "files of shared memory, at least: the most that one process maps",
        ),
        (
            -totals.error,
            "not found: files that nobody maps, pages in memory that keep their slot, rounding",
        ),
    ] {
        writeln!(out, "{count:>12}  {kind}")?;
    }
    totals.print(out)?;
    let lines = lines(&body, args.by);
    print::rows(out, args.output.or_usual(usual).table(&lines), args.top)
}

fn lines(body: &Body, by: Option<Kind>) -> Vec<Line> {
    if let Some(groups) = &body.groups {
        let lines = groups.iter().map(|group| Line {
            pswap: group.pswap.to_string(),
            current: number(group.current),
            parts: Parts {
                name: group.name.clone(),
                ..Parts::default()
            },
            owner: group.name.clone(),
            ..unknown()
        });
        return lines.collect();
    }
    let processes = body.processes.iter().map(|share| {
        let (pid, name) = (share.pid, share.name.clone());
        Line {
            pswap: share.pswap.to_string(),
            owner: format!("process {pid} ({name})"),
            parts: Parts::of(&Owner::Process { pid, name }),
            ..unknown()
        }
    });
    let files = body.files.iter().map(|file| Line {
        pswap: file.at_least.to_string(),
        owner: format!("file {} {}", file.id, file.name),
        parts: Parts {
            mapped_by: "?".to_string(),
            ..Parts::of(&Owner::File {
                id: file.id.clone(),
                name: file.name.clone(),
                mapped_by: Vec::new(),
            })
        },
        ..unknown()
    });
    let (has_processes, has_files) = (by != Some(Kind::File), by != Some(Kind::Process));

    processes
        .filter(|_| has_processes)
        .chain(files.filter(|_| has_files))
        .collect()
}

/// A line of which smaps tells nothing.
fn unknown() -> Line {
    let unknown = || "?".to_string();

    Line {
        alone: unknown(),
        shared: unknown(),
        cached: unknown(),
        files: unknown(),
        ..Line::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn errors_are_those_against_used_slots() {
        let page = procfs::page_size();
        let device = |used| Device {
            area: 0,
            path: PathBuf::new(),
            size: 0,
            used: used * page,
        };
        let found = Found {
            processes: vec![Share {
                pid: 1,
                name: String::new(),
                pswap: 30,
            }],
            files: BTreeMap::from([("0:1:2".to_string(), (String::new(), 20 * page))]),
            swap: 130 * page,
        };
        let totals = found.totals(&[device(60), device(40)]);
        assert_eq!(
            (totals.used, totals.anonymous, totals.mapped),
            (100, 30, 20)
        );
        assert_eq!((totals.swap_sum_error, totals.error), (30, -50));
        let mut text = Vec::new();
        totals.print(&mut text).expect("a vector takes it");
        let text = String::from_utf8(text).expect("text");
        assert!(
            text.contains("130, +30") && text.contains("50, -50"),
            "{text}"
        );
    }
}
