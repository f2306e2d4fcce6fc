// SPDX-License-Identifier: GPL-2.0

//! `xpagemap explain`: one page in sentences.

mod sentences;

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};
use serde::Serialize;

use super::pages::Slot;
use crate::entry::{ENTRY_BYTES, Entry, Place};
use crate::exclusive::Exclusive;
use crate::interrupt;
use crate::json::{self, Addresses, Unknown, print_unknown};
use crate::maps;
use crate::page::{self, Page};
use crate::pagemap::Both;
use crate::select;
use crate::swaps;
use crate::target::Target;

/// Explain a page: where it is, who shares it, what a write and a fork would do
///
/// In sentences. The mappings by other processes, and what the next write and the next fork would
/// do, come from the module's PID/page; an older module, or none, leaves them out, and says so.
#[derive(clap::Args)]
#[command(after_help = "Example: xpagemap explain 260 7f681348a000")]
pub struct Args {
    /// Process that has the page
    #[arg(value_name = "PID|NAME", value_parser = select::name())]
    process: OsString,
    /// An address in the page, in hex
    #[arg(value_parser = address)]
    address: u64,
    /// Print JSON, schema xpagemap.explain/1
    #[arg(long)]
    json: bool,
}

fn address(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);

    u64::from_str_radix(digits, 16).map_err(|error| error.to_string())
}

/// The facts.
#[derive(Serialize)]
struct Facts {
    pid: i32,
    /// The page's first address, in hex.
    address: String,
    mapping: Option<Mapping>,
    /// `memory`, `swap` or `none`.
    state: &'static str,
    frame: Option<u64>,
    slot: Option<Slot>,
    /// Path of the swap device, if it is known.
    device: Option<String>,
    /// Several devices can have the slot: `device` is the one in the place of its type in /proc/swaps.
    #[serde(skip)]
    device_in_doubt: bool,
    flags: Vec<&'static str>,
    /// Null if it is not known.
    anonymous: Option<Anonymous>,
    /// Null if the module has no `PID/page`.
    page: Option<Page>,
    sentences: Vec<String>,
}

#[derive(Serialize)]
struct Mapping {
    #[serde(flatten)]
    addresses: Addresses,
    permissions: String,
    name: String,
}

/// State of anonymous memory; `anonymous` is false for other pages, and then only `writable` says
/// something.
#[derive(Serialize)]
struct Anonymous {
    anonymous: bool,
    exclusive: bool,
    maybe_pinned: bool,
    writable: bool,
    ksm: bool,
    large: bool,
    zero: bool,
    references: u64,
    mappings: u64,
}

/// Prints the sentences.
///
/// # Errors
///
/// The process cannot be read.
pub fn main(out: &mut dyn Write, args: Args) -> Result<()> {
    interrupt::install()?;
    let mut unknown = Vec::new();
    let facts = facts(&args, &mut unknown)?;

    if args.json {
        return Ok(json::print(out, "explain", &facts, &unknown)?);
    }
    for sentence in &facts.sentences {
        writeln!(out, "{sentence}")?;
    }
    print_unknown(&unknown);
    Ok(())
}

fn facts(args: &Args, unknown: &mut Vec<Unknown>) -> Result<Facts> {
    let pid = select::one(&args.process)?.pid;
    let address = args.address;
    let page_size = procfs::page_size();
    let number = address / page_size;
    let start = number * page_size;
    let target = match Target::attach_if_possible(pid)? {
        Ok(target) => Some(target),
        Err(why) => {
            unknown.push(Unknown::new(
                "the exclusive bit, who shares it, writes, forks",
                why,
            ));
            None
        }
    };
    let mut both = Both::best(pid, target.as_ref())?;
    let mapping = maps::mappings(pid)?
        .into_iter()
        .find(|map| (map.start..map.end).contains(&address));
    let mut entry = Entry::default();
    // The files end with the address space.
    let asked = target
        .as_ref()
        .filter(|_| is_user(address, mapping.is_some()));
    if is_user(address, mapping.is_some()) {
        both.for_each(number..number + 1, |_, pair| {
            entry = pair.xpagemap;
            Ok(())
        })?;
    }
    let exclusive = asked
        .map(|target| exclusive_at(target, number))
        .transpose()?;
    let page = match asked {
        Some(target) => page::ask(target, start)?,
        None => None,
    };
    if asked.is_some() && page.is_none() {
        let why = "this version of the module has no PID/page";
        unknown.push(Unknown::new(
            "who else maps it, the next write, the next fork",
            why,
        ));
    }
    if let Some(why) = page.as_ref().and_then(|page| page.incomplete.as_ref()) {
        unknown.push(Unknown::new("all of it", why));
    }
    if both.xpagemap.name().is_none() && entry.place() == Place::Nowhere {
        let why = "/proc/PID/pagemap of this kernel does not tell";
        unknown.push(Unknown::new(
            "whether a page of shared memory is in swap",
            why,
        ));
    }

    let mut facts = Facts {
        pid,
        address: format!("{start:x}"),
        mapping: mapping.map(|map| Mapping {
            addresses: Addresses::new(map.start, map.end),
            permissions: map.permissions,
            name: map.name,
        }),
        state: "none",
        frame: None,
        slot: None,
        device: None,
        device_in_doubt: false,
        flags: entry.flags(),
        anonymous: exclusive.map(anonymous),
        page,
        sentences: Vec::new(),
    };
    match entry.place() {
        Place::Memory { frame } => (facts.state, facts.frame) = ("memory", Some(frame)),
        Place::Swap(slot) => {
            facts.state = "swap";
            if let Some((path, certain)) = swaps::path(&swaps::devices()?, slot.area, slot.offset) {
                facts.device = Some(path.display().to_string());
                facts.device_in_doubt = !certain;
            }
            facts.slot = Some(Slot {
                area: slot.area,
                offset: slot.offset,
            });
        }
        Place::Nowhere => {}
    }
    facts.sentences = sentences::of(&facts);
    Ok(facts)
}

/// Returns whether page tables of a process can have an address. Those of x86 with four levels have 47
/// bits; above, with five, an address that is mapped is one. The vsyscall page is the kernel's.
fn is_user(address: u64, mapped: bool) -> bool {
    address >> 63 == 0 && (mapped || address >> 47 == 0)
}

fn exclusive_at(target: &Target, page: u64) -> Result<Exclusive> {
    let path = target.file("exclusive");
    let mut bytes = [0; ENTRY_BYTES];

    File::open(&path)
        .and_then(|file| file.read_exact_at(&mut bytes, page * ENTRY_BYTES as u64))
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Exclusive::from_bytes(bytes))
}

fn anonymous(entry: Exclusive) -> Anonymous {
    Anonymous {
        anonymous: entry.is_anonymous(),
        exclusive: entry.is_exclusive(),
        maybe_pinned: entry.may_be_pinned(),
        writable: entry.is_writable(),
        ksm: entry.is_ksm(),
        large: entry.is_large(),
        zero: entry.is_zero(),
        references: entry.references(),
        mappings: entry.mappings(),
    }
}
