// SPDX-License-Identifier: GPL-2.0

//! States of a process's pages, from the best source there is.

use std::fs::File;
use std::io;
use std::ops::Range;

use anyhow::{Context, Error, Result};

use super::state::State;
use crate::entry::{Entry, Place};
use crate::exclusive::Exclusive;
use crate::json::{Unknown, add_unknown};
use crate::pagemap::Pagemap;
use crate::source::scan::{self, Scan, ScanRun};
use crate::target::Target;

/// Something that tells the states of pages.
pub trait Source {
    /// Reads a bounded number of pages from `pages.start` on: calls `each` with runs in ascending
    /// order, and returns the page up to which it has read. Pages in no run are nowhere.
    ///
    /// # Errors
    ///
    /// The pages cannot be read.
    fn step(&mut self, pages: Range<u64>, each: &mut dyn FnMut(Range<u64>, State)) -> Result<u64>;
}

/// Runs of one step.
const RUNS: usize = 512;

/// Entries of a file that one step reads.
const ENTRIES: u64 = 1 << 15;

/// Entries of one read.
const CHUNK: u64 = 1 << 12;

/// The pages of a process, by PAGEMAP_SCAN; before Linux 6.7 by `/proc/PID/pagemap`. The module
/// adds the exclusive bit.
pub struct ProcessPages {
    pagemap: File,
    /// `/proc/PID/pagemap` again, where there is no PAGEMAP_SCAN.
    entries: Option<Pagemap>,
    looks_up: bool,
    exclusive: Option<Pagemap>,
    page_size: u64,
}

impl ProcessPages {
    /// Opens the files of process `pid`, and adds to `unknown` what they do not tell. `target` is
    /// the attached process, or the reason why it could not be attached.
    ///
    /// # Errors
    ///
    /// There is no such process, or it belongs to another user.
    pub fn open(
        pid: i32,
        target: std::result::Result<&Target, &str>,
        unknown: &mut Vec<Unknown>,
    ) -> Result<Self> {
        let path = format!("/proc/{pid}/pagemap");
        let pagemap = File::open(&path).with_context(|| format!("cannot open {path}"))?;
        let looks_up = scan::looks_up(&pagemap)
            .with_context(|| format!("cannot scan {path}"))?
            .is_there();
        let probe = Scan::new(&pagemap, 0..procfs::page_size(), false).next();
        let scans = probe.is_none_or(|run| run.is_ok());

        if !looks_up {
            let why = "this kernel's PAGEMAP_SCAN does not look into shared memory files; \
                       xpagemap's patches add that";
            add_unknown(unknown, Unknown::new("swap-shared, cached", why));
        }
        let exclusive = match target {
            Ok(target) => Some(Pagemap::open(target.file("exclusive"))?),
            Err(why) => {
                add_unknown(unknown, Unknown::new("exclusive, shared by fork, KSM", why));
                None
            }
        };
        Ok(Self {
            pagemap,
            entries: match scans {
                true => None,
                false => Some(Pagemap::of_proc(pid)?),
            },
            looks_up,
            exclusive,
            page_size: procfs::page_size(),
        })
    }

    /// The source's name.
    pub fn name(&self) -> &'static str {
        match (&self.entries, &self.exclusive) {
            (Some(_), _) => "/proc",
            (None, Some(_)) => "PAGEMAP_SCAN and module",
            (None, None) => "PAGEMAP_SCAN",
        }
    }
}

impl Source for ProcessPages {
    fn step(&mut self, pages: Range<u64>, each: &mut dyn FnMut(Range<u64>, State)) -> Result<u64> {
        let size = self.page_size;

        if let Some(file) = &mut self.entries {
            let end = pages.end.min(pages.start.saturating_add(CHUNK));
            read(file, pages.start..end, of_entry, each)?;
            return Ok(end);
        }
        let mut runs = 0;
        let mut entries = 0;
        let addresses = pages.start * size..pages.end * size;
        for run in Scan::new(&self.pagemap, addresses, self.looks_up).take(RUNS) {
            let run = run.context("cannot scan the process's memory")?;
            let mut range = run.start / size..run.end / size;
            runs += 1;
            match (&mut self.exclusive, of_run(run)) {
                (Some(file), State::Private) => {
                    while !range.is_empty() && entries < ENTRIES {
                        let end = range.end.min(range.start + CHUNK);
                        read(file, range.start..end, of_exclusive, each)?;
                        entries += end - range.start;
                        range.start = end;
                    }
                    if !range.is_empty() {
                        return Ok(range.start);
                    }
                }
                (_, state) => each(range.clone(), state),
            }
            if runs == RUNS || entries >= ENTRIES {
                return Ok(range.end);
            }
        }
        Ok(pages.end)
    }
}

/// Returns true for an error of [`Source::step`] since the process has exited or executed another
/// program.
pub fn is_of_gone_memory(error: &Error) -> bool {
    let error = error.root_cause().downcast_ref::<io::Error>();

    error.is_some_and(|error| error.raw_os_error() == Some(libc::ESRCH))
}

/// Reads entries and joins neighbours in the same state.
fn read(
    file: &mut Pagemap,
    pages: Range<u64>,
    state_of: fn(u64) -> Option<State>,
    each: &mut dyn FnMut(Range<u64>, State),
) -> Result<()> {
    let count = usize::try_from(pages.end - pages.start).unwrap_or(0);
    let mut run: Option<(Range<u64>, State)> = None;

    for (page, bytes) in (pages.start..).zip(file.chunk(pages.start, count)?) {
        let state = state_of(u64::from_ne_bytes(bytes));
        match &mut run {
            Some((range, last)) if Some(*last) == state => range.end = page + 1,
            _ => {
                if let Some((range, last)) = run.take() {
                    each(range, last);
                }
                run = state.map(|state| (page..page + 1, state));
            }
        }
    }
    if let Some((range, last)) = run {
        each(range, last);
    }
    Ok(())
}

fn of_run(run: ScanRun) -> State {
    if run.is_cached() {
        State::Cached
    } else if run.is_shared_swap() {
        State::SwapShared
    } else if run.is_private_swap() {
        State::SwapPrivate
    } else if run.is_zero() {
        State::Zero
    } else if run.is_huge() {
        State::Huge
    } else if run.is_file() {
        State::File
    } else {
        State::Private
    }
}

/// The state of a page that was anonymous and in memory a moment ago.
fn of_exclusive(bits: u64) -> Option<State> {
    let entry = Exclusive::from_raw(bits);

    Some(if entry.is_zero() {
        State::Zero
    } else if entry.is_file() {
        State::File
    } else if entry.is_swapped() {
        State::SwapPrivate
    } else if !entry.is_anonymous() {
        return None;
    } else if entry.is_ksm() {
        State::Ksm
    } else if entry.is_exclusive() {
        State::Exclusive
    } else {
        State::Shared
    })
}

fn of_entry(bits: u64) -> Option<State> {
    let entry = Entry::from_raw(bits);

    match entry.place() {
        Place::Memory { .. } if entry.is_file() => Some(State::File),
        Place::Memory { .. } => Some(State::Private),
        Place::Swap(_) if entry.is_file() => Some(State::SwapShared),
        Place::Swap(_) => Some(State::SwapPrivate),
        Place::Nowhere => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys;

    /// Both sources without the module agree on this process's memory.
    #[test]
    fn own_memory_is_the_same_from_both_sources() {
        let size = procfs::page_size();
        let memory = sys::map_shared(9 * size as usize).expect("nine pages");
        for page in [0, 1, 4, 8] {
            memory[page * size as usize] = 1;
        }
        let first = memory.as_ptr() as u64 / size;
        let pid = std::process::id() as i32;
        let mut unknown = Vec::new();
        let mut source = ProcessPages::open(pid, Err("none"), &mut unknown).expect("own memory");
        assert!(unknown.iter().any(|one| one.why == "none"));
        let runs = |source: &mut ProcessPages| {
            let mut runs = Vec::new();
            let mut page = first;
            while page < first + 9 {
                page = source
                    .step(page..first + 9, &mut |run, state| {
                        // A kernel that looks into the file sees no more than these pages there.
                        runs.push((run.start - first..run.end - first, state));
                    })
                    .expect("own memory");
            }
            runs
        };
        let expected = [0..2, 4..5, 8..9].map(|run| (run, State::File));
        assert_eq!(runs(&mut source), expected);
        source.entries = Some(Pagemap::of_proc(pid).expect("own pagemap"));
        assert_eq!(runs(&mut source), expected);
    }

    #[test]
    fn exclusive_entries_have_states() {
        let states = [
            0x9400_0000_0001_0001,
            0x8000_0000_0002_0002,
            0x8200_0000_0001_0002,
            0x8010_0000_0000_0000,
            0x4000_0000_0000_0000,
            0xa000_0000_0000_0000,
            0,
        ]
        .map(of_exclusive);
        let expected = [
            Some(State::Exclusive),
            Some(State::Shared),
            Some(State::Ksm),
            Some(State::Zero),
            Some(State::SwapPrivate),
            Some(State::File),
            None,
        ];
        assert_eq!(states, expected);
    }
}
