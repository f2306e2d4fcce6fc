// SPDX-License-Identifier: GPL-2.0

//! The sources of a file's pages: SHMEM_SCAN, the module's filemap, cachestat() with lseek().

use std::fs::File;
use std::io;

use anyhow::{Context, Result, anyhow};
use clap::ValueEnum;

use super::{Pages, Slot, State, Totals};
use crate::entry::{Place, SwapSlot};
use crate::interrupt;
use crate::json::{Unknown, add_unknown};
use crate::pagemap::Pagemap;
use crate::runs::{Merger, Run};
use crate::source::shmem::{FileRun, FileScan, FileState};
use crate::sys;
use crate::target::AttachedFile;

/// An origin of what is known of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// ioctl(SHMEM_SCAN), of a patched kernel
    ShmemScan,
    /// The module's filemap
    Module,
    /// cachestat() and lseek(), of any kernel since 6.5
    Cachestat,
}

impl Source {
    /// The name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::ShmemScan => "SHMEM_SCAN",
            Self::Module => "module",
            Self::Cachestat => "cachestat and lseek",
        }
    }
}

/// Receives the pages of a file, in order.
pub type Each<'a> = dyn FnMut(Pages) -> Result<()> + 'a;

/// Reads the pages of a file from `source`, or from the first source that there is. Returns that, and
/// the totals; adds to `unknown` what it does not tell.
///
/// # Errors
///
/// `each` failed, no source can be read, or the one that was asked for is not there.
pub fn read(
    file: &File,
    source: Option<Source>,
    unknown: &mut Vec<Unknown>,
    each: &mut Each,
) -> Result<(Source, Totals)> {
    if matches!(source, None | Some(Source::ShmemScan)) {
        match scan(file, unknown)? {
            Ok(scan) => return Ok((Source::ShmemScan, scanned(scan, each)?)),
            Err(why) if source.is_some() => return Err(anyhow!(why)),
            Err(_) => {}
        }
    }
    let shared = sys::is_shared_memory(file).context("cannot fstatfs the file")?;
    let mut why = "the file is no shared memory".to_string();
    if matches!(source, None | Some(Source::Module)) && shared {
        match AttachedFile::attach_if_possible(file)? {
            Ok(attached) => return Ok((Source::Module, filemap(&attached, unknown, each)?)),
            Err(missing) => why = format!("this kernel has no SHMEM_SCAN, and {missing}"),
        }
    }
    if source == Some(Source::Module) {
        return Err(anyhow!(why));
    }
    let what = match shared {
        true => "swap slots, and which pages are in swap",
        false => "swapped pages",
    };
    add_unknown(unknown, Unknown::new(what, why));
    Ok((Source::Cachestat, cachestat(file, shared, unknown, each)?))
}

/// A scan, with slots if possible; or why there is none.
fn scan<'a>(
    file: &'a File,
    unknown: &mut Vec<Unknown>,
) -> Result<std::result::Result<FileScan<'a>, String>> {
    match FileScan::new(file, true).or_else(|error| without_slots(file, unknown, error)) {
        Ok(scan) => Ok(Ok(scan)),
        Err(error) => match error.raw_os_error() {
            Some(libc::ENOTTY) => Ok(Err(
                "this kernel has no SHMEM_SCAN, or the file is no shared memory".into(),
            )),
            Some(libc::EPERM) => Ok(Err(
                "the file is another user's; run this as its owner, or as root".into(),
            )),
            _ => Err(error).context("SHMEM_SCAN"),
        },
    }
}

fn without_slots<'a>(
    file: &'a File,
    unknown: &mut Vec<Unknown>,
    error: io::Error,
) -> io::Result<FileScan<'a>> {
    if error.raw_os_error() != Some(libc::EPERM) {
        return Err(error);
    }
    let scan = FileScan::new(file, false)?;

    add_unknown(
        unknown,
        Unknown::new("swap slots", "they are for CAP_SYS_ADMIN; run this as root"),
    );
    Ok(scan)
}

fn scanned(scan: FileScan, each: &mut Each) -> Result<Totals> {
    let page_size = procfs::page_size();
    let (mut cached, mut dirty, mut swapped, mut zero) = (0, 0, 0, 0);

    for run in scan {
        interrupt::check()?;
        let FileRun {
            start,
            end,
            state,
            slot,
        } = run.context("SHMEM_SCAN")?;
        let pages = end.saturating_sub(start) / page_size;
        let state = match state {
            FileState::Cached => {
                dirty += pages;
                State::Cached
            }
            FileState::CachedClean => State::CachedZero,
            FileState::Swapped => State::Swapped,
            FileState::SwappedZero => {
                zero += pages;
                State::SwappedZero
            }
        };
        match state {
            State::Swapped | State::SwappedZero => swapped += pages,
            _ => cached += pages,
        }
        each(pages_of(start, end, state, slot))?;
    }
    Ok(Totals {
        cached: Some(cached),
        dirty: Some(dirty),
        swapped: Some(swapped),
        swapped_zero: Some(zero),
    })
}

fn pages_of(start: u64, end: u64, state: State, slot: Option<SwapSlot>) -> Pages {
    Pages {
        start: format!("{start:x}"),
        end: format!("{end:x}"),
        pages: end.saturating_sub(start) / procfs::page_size(),
        state,
        slot: slot.map(|SwapSlot { area, offset }| Slot { area, offset }),
    }
}

fn filemap(attached: &AttachedFile, unknown: &mut Vec<Unknown>, each: &mut Each) -> Result<Totals> {
    let page_size = procfs::page_size();
    let mut filemap = Pagemap::open(attached.file("filemap"))?;
    let mut merger = Merger::default();
    let (mut cached, mut swapped) = (0, 0);
    let mut complete = |run: Run<crate::entry::Entry>| {
        let (state, slot) = match run.start.place() {
            Place::Memory { .. } => (State::Cached, None),
            Place::Swap(slot) => (State::Swapped, Some(slot)),
            Place::Nowhere => return Ok(()),
        };
        match state {
            State::Swapped => swapped += run.pages,
            _ => cached += run.pages,
        }
        let start = run.first * page_size;
        each(pages_of(start, start + run.pages * page_size, state, slot))
    };

    add_unknown(
        unknown,
        Unknown::new("dirty, swapped-zero", "the module's filemap does not tell"),
    );
    filemap.to_end(&mut |page, entry| merger.push(page, entry).map_or(Ok(()), &mut complete))?;
    merger.finish().map_or(Ok(()), &mut complete)?;
    Ok(Totals {
        cached: Some(cached),
        swapped: Some(swapped),
        ..Default::default()
    })
}

fn cachestat(
    file: &File,
    shared: bool,
    unknown: &mut Vec<Unknown>,
    each: &mut Each,
) -> Result<Totals> {
    let mut totals = Totals::default();

    match sys::cachestat(file, 0, 0) {
        Ok(stat) => {
            totals.cached = Some(stat.cache);
            totals.dirty = Some(stat.dirty);
            totals.swapped = shared.then_some(stat.evicted);
        }
        Err(error) => {
            let why = format!("cachestat: {error}; it is for owners, writers and root");
            add_unknown(unknown, Unknown::new("cached, dirty", why));
        }
    }
    let mut at = 0;
    while let Some((start, end)) = sys::next_data(file, at).context("lseek")? {
        interrupt::check()?;
        let page_size = procfs::page_size();
        each(pages_of(
            start,
            end.next_multiple_of(page_size),
            State::Data,
            None,
        ))?;
        if end <= at {
            break;
        }
        at = end;
    }
    Ok(totals)
}
