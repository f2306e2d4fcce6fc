// SPDX-License-Identifier: GPL-2.0

//! The pages of a process at one moment: read now, or from a file that `show --json` wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::change::State;
use crate::commands::pages::MappingRuns;
use crate::entry::{Entry, Place};
use crate::exclusive::Exclusive;
use crate::json::schema;
use crate::maps;
use crate::pagemap::{Both, Pagemap};
use crate::target::Target;

/// The populated pages.
pub struct Snapshot {
    /// The process.
    pub pid: i32,
    /// The source of its entries.
    pub source: String,
    /// True if frames are known.
    pub has_frames: bool,
    /// True if the exclusive bits are known.
    pub has_exclusive: bool,
    /// The pages, by number.
    pub pages: BTreeMap<u64, State>,
}

#[derive(Deserialize)]
struct Document {
    schema: String,
    page_size: u64,
    pid: i32,
    source: String,
    mappings: Vec<MappingRuns>,
}

impl Snapshot {
    /// Reads the pages of a process.
    pub fn take(pid: i32) -> Result<Self> {
        let target = Target::attach_if_possible(pid)?.ok();
        let mut both = Both::best(pid, target.as_ref())?;
        if let Some(target) = &target {
            both.exclusive = Some(Pagemap::open(target.file("exclusive"))?);
        }
        let mut pages = BTreeMap::new();

        for map in maps::mappings(pid)? {
            both.for_each(map.pages(procfs::page_size()), |page, pair| {
                let state = State {
                    entry: pair.xpagemap,
                    has_frame: true,
                    exclusive: pair.exclusive,
                };
                insert(&mut pages, page, state);
                Ok(())
            })?;
        }
        // Without CAP_SYS_ADMIN, all frames are 0.
        let framed =
            |state: &State| matches!(state.entry.place(), Place::Memory { frame } if frame != 0);
        Ok(Self {
            pid,
            source: both.xpagemap.name().unwrap_or("/proc").to_string(),
            has_frames: pages.values().any(framed),
            has_exclusive: both.exclusive.is_some(),
            pages,
        })
    }

    /// Reads a file that `show --json` wrote.
    pub fn load(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;

        Self::parse(&text).with_context(|| {
            format!("{name} is no snapshot; `xpagemap show PID --json --pages` writes one")
        })
    }

    /// Parses what `show --json` wrote.
    pub fn parse(text: &str) -> Result<Self> {
        let document: Document = serde_json::from_str(text)?;
        let expected = schema("show");
        ensure!(
            document.schema == expected,
            "its schema is {}, not {expected}",
            document.schema
        );
        let page_size = document.page_size.max(1);
        let runs = document.mappings.iter().flat_map(|map| &map.runs);
        let mut pages = BTreeMap::new();
        let (mut has_frames, mut has_exclusive) = (false, false);

        for run in runs {
            let hex = |text: &str| u64::from_str_radix(text, 16).context("no hexadecimal number");
            let first = hex(&run.address)? / page_size;
            let entry = Entry::from_raw(hex(&run.entry)?);
            let exclusive = match &run.exclusive_entry {
                Some(text) => Some(Exclusive::from_raw(hex(text)?)),
                None => None,
            };
            let in_memory = matches!(entry.place(), Place::Memory { frame } if frame != 0);
            has_frames |= in_memory && run.pages == 1;
            has_exclusive |= exclusive.is_some();
            for i in 0..run.pages {
                let state = State {
                    entry: entry.slots_later(i),
                    has_frame: run.pages == 1,
                    exclusive,
                };
                insert(&mut pages, first.saturating_add(i), state);
            }
        }
        Ok(Self {
            pid: document.pid,
            source: document.source,
            has_frames,
            has_exclusive,
            pages,
        })
    }
}

fn insert(pages: &mut BTreeMap<u64, State>, page: u64, state: State) {
    if state.entry.place() != Place::Nowhere {
        pages.insert(page, state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_pages() {
        let own = Snapshot::take(std::process::id() as i32).expect("own memory");
        assert!(!own.pages.is_empty());
    }

    #[test]
    fn other_documents_are_refused() {
        let other = r#"{"schema":"xpagemap.show/99","page_size":4096,"pid":7,"source":"",
                        "mappings":[]}"#;
        let error = Snapshot::parse(other).err().expect("another version");
        assert!(error.to_string().contains("xpagemap.show/1"), "{error}");
        assert!(Snapshot::parse("[]").is_err());
    }
}
