// SPDX-License-Identifier: GPL-2.0

//! `xpagemap swap read`: the bytes of swapped pages.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Serialize;

use crate::file;
use crate::json;
use crate::range::AddressRange;
use crate::select::Subject;
use crate::swap::read::{CHUNK, Location, Outcome, Pages, Reason, Swap, all, pages};
use crate::swap::{areas, collect, runs};
use crate::swaps::{self, Device};
use crate::sys;
use crate::target::{AttachedFile, Target};

/// Write the bytes of swapped pages to a file, without swapping any in. Needs the module
///
/// The pages of RANGE that are in swap are read from the device, each at its offset from the beginning
/// of RANGE; the rest of the output is a hole. A page counts if it had the same slot before and after
/// it was read, and the kernel says that the device has its bytes. Others are left out and listed: in
/// zswap, in the swap cache, or moved meanwhile. Exit status: 0 if all swapped pages were read, 1 if
/// some were left out, or nothing could be read.
#[derive(clap::Args)]
#[command(after_help = "Example: xpagemap swap read 260 7f681348a000-7f68134ca000 -o pages")]
pub struct Args {
    /// A process, or a file of shared memory: its path, PID:FD, or its ID in the module's list `shmem`
    #[arg(value_name = "PID|NAME|FILE|PID:FD")]
    source: OsString,
    /// Addresses, or offsets in the file: START-END in hex
    range: AddressRange,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Print JSON, schema xpagemap.swap-read/1
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Body {
    /// Pages of the range that were in swap.
    swapped: u64,
    read: u64,
    zero: u64,
    left_out: Vec<LeftOut>,
}

/// Consecutive pages that were left out for one reason.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct LeftOut {
    start: String,
    end: String,
    pages: u64,
    why: &'static str,
}

enum Source {
    Process(Target),
    File(AttachedFile),
}

impl Source {
    fn open(name: &OsStr) -> Result<Self> {
        if let Some(name) = name.to_str().filter(|name| is_id(name)) {
            return Ok(Self::File(AttachedFile::by_id(name)?));
        }
        let file = match Subject::of(name)? {
            Subject::Process(process) => return Ok(Self::Process(Target::attach(process.pid)?)),
            Subject::File(name) => file::open(&name)?,
        };
        match AttachedFile::attach_if_possible(&file)? {
            Ok(file) => Ok(Self::File(file)),
            Err(why) => bail!("cannot tell the slots of {}: {why}", name.display()),
        }
    }

    fn pages(&self, range: &Range<u64>) -> Result<Pages> {
        let (text, bytes) = match self {
            Self::Process(target) => (target.text("swapmap")?, procfs::page_size()),
            Self::File(file) => {
                let path = file.file("swapmap");
                let text = fs::read_to_string(&path);
                (
                    text.with_context(|| format!("cannot read {}", path.display()))?,
                    1,
                )
            }
        };

        Ok(pages(&runs::swapmap(&text)?, range, bytes))
    }
}

/// MAJOR:MINOR:INODE, and maybe a generation.
fn is_id(name: &str) -> bool {
    let parts: Vec<_> = name.split(':').collect();

    matches!(parts.len(), 3 | 4) && parts.iter().all(|part| part.parse::<u64>().is_ok())
}

/// The source, the devices, and the output.
struct Reader {
    source: Source,
    range: Range<u64>,
    devices: Vec<Device>,
    open: HashMap<u64, File>,
    buffer: &'static mut [u8],
    output: File,
}

impl Swap for Reader {
    fn pages(&mut self) -> Result<Pages> {
        let pages = self.source.pages(&self.range)?;
        let now = swaps::devices()?;
        let paths = |devices: &[Device]| -> Vec<_> {
            devices.iter().map(|device| device.path.clone()).collect()
        };

        ensure!(
            paths(&now) == paths(&self.devices),
            "a swap device was switched on or off meanwhile"
        );
        Ok(pages)
    }

    fn slots(&mut self, first: Location, count: usize) -> Result<&[u8]> {
        let page_size = procfs::page_size();
        if !self.open.contains_key(&first.area) {
            let device = match &self.devices[..] {
                [only] => Some(only),
                all => all.iter().find(|one| one.area == first.area),
            };
            let path = &device.context("an unknown swap type")?.path;
            // Swap goes past the cache of the block device.
            let file = OpenOptions::new()
                .read(true)
                .custom_flags(libc::O_DIRECT)
                .open(path)
                .with_context(|| format!("cannot open {}", path.display()))?;
            self.open.insert(first.area, file);
        }
        let file = self.open.get(&first.area).context("the device")?;
        let bytes = count * usize::try_from(page_size)?;
        let buffer = self.buffer.get_mut(..bytes).context("too many pages")?;

        file.read_exact_at(buffer, first.offset * page_size)?;
        Ok(buffer)
    }

    fn page(&mut self, page: u64, bytes: Option<&[u8]>) -> Result<()> {
        let page_size = procfs::page_size();
        let offset = (page - self.range.start) * page_size;
        let zeroes = vec![0; usize::try_from(page_size)?];

        self.output
            .write_all_at(bytes.unwrap_or(&zeroes), offset)
            .context("cannot write the output")
    }
}

/// The devices with their swap types, which must be certain: other bytes would be read.
fn devices(mut devices: Vec<Device>) -> Result<Vec<Device>> {
    if devices.len() == 1 {
        return Ok(devices);
    }
    let entries = match collect::owners(&mut Vec::new())? {
        Ok(entries) => entries,
        Err(why) => bail!("cannot tell the swap types of the devices: {why}"),
    };

    match areas::assign(&mut devices, &areas::uses(&entries)) {
        None => Ok(devices),
        Some(why) => Err(anyhow!(
            "the swap types of the devices are not certain: {why}"
        )),
    }
}

/// Reads the pages. Returns false if some were left out.
///
/// # Errors
///
/// The module is not there, the source cannot be found, or the output cannot be written.
pub fn main(out: &mut dyn Write, args: &Args, before: &[Device]) -> Result<bool> {
    let page_size = procfs::page_size();
    let source = Source::open(&args.source)?;
    let range = args.range.pages(page_size);
    let output = File::create(&args.output)
        .with_context(|| format!("cannot create {}", args.output.display()))?;
    output
        .set_len((range.end - range.start).saturating_mul(page_size))
        .context("cannot set the size of the output")?;
    let mut reader = Reader {
        source,
        range,
        devices: devices(before.to_vec())?,
        open: HashMap::new(),
        buffer: sys::map_shared(CHUNK * usize::try_from(page_size)?)?,
        output,
    };
    let outcome = all(&mut reader)?;
    let body = Body {
        swapped: outcome.swapped,
        read: outcome.read,
        zero: outcome.zero,
        left_out: left_out(&outcome),
    };

    if args.json {
        json::print(out, "swap-read", &body, &[])?;
        return Ok(body.left_out.is_empty());
    }
    writeln!(
        out,
        "{} pages in swap: {} read from the device, {} all zero, {} left out",
        body.swapped,
        body.read,
        body.zero,
        outcome.left_out.len()
    )?;
    for run in &body.left_out {
        let LeftOut {
            start,
            end,
            pages,
            why,
        } = run;
        writeln!(out, "{start}-{end}  {pages} left out: {why}")?;
    }
    Ok(body.left_out.is_empty())
}

fn left_out(outcome: &Outcome) -> Vec<LeftOut> {
    let page_size = procfs::page_size();
    let pages: Vec<(u64, Reason)> = outcome
        .left_out
        .iter()
        .map(|(page, reason)| (*page, *reason))
        .collect();
    let runs = pages.chunk_by(|a, b| a.0 + 1 == b.0 && a.1 == b.1);

    runs.filter_map(|run| {
        let (first, reason) = run.first()?;
        let (start, pages) = (first * page_size, run.len() as u64);
        Some(LeftOut {
            start: format!("{start:x}"),
            end: format!("{:x}", start + pages * page_size),
            pages,
            why: reason.text(),
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn ids_are_told_from_paths_and_descriptors() {
        for (name, expected) in [
            ("0:1:1027", true),
            ("0:1:1027:5", true),
            ("12:3", false),
            ("a:1:2", false),
            ("/x", false),
        ] {
            assert_eq!(is_id(name), expected, "{name}");
        }
    }

    #[test]
    fn pages_left_out_are_joined() {
        let reasons = [(3, Reason::Cache), (4, Reason::Cache), (5, Reason::Gone)];
        let outcome = Outcome {
            left_out: BTreeMap::from(reasons),
            ..Default::default()
        };
        let runs = left_out(&outcome);
        let page = procfs::page_size();
        assert_eq!(runs.len(), 2);
        assert_eq!((runs[0].pages, runs[1].pages), (2, 1));
        assert_eq!(runs[0].end, format!("{:x}", 5 * page));
        assert_eq!(runs[1].why, "left swap meanwhile");
    }
}
