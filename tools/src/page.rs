// SPDX-License-Identifier: GPL-2.0

//! The module's `PID/page`: all that is known of one page, its mappings, and what the next write and
//! the next fork would do to it. Newer modules have it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::entry::SwapSlot;
use crate::target::Target;

/// A prediction: true if nothing else changes meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prediction {
    /// Of a write `in-place`, `copy`, `fault` or `denied`; of a fork `share`, `copy` or `skip`.
    pub action: String,
    /// The reason, in the kernel's terms.
    pub reason: String,
}

/// A mapping of the page, by the kernel's reverse map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MappedBy {
    /// The process: 0 if it is not visible here.
    pub pid: i32,
    /// The address there, in hex.
    pub address: String,
}

/// The folio that has the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Folio {
    /// Frame of its first page.
    pub frame: u64,
    /// It has 2 to the power of this pages.
    pub order: u32,
    /// Index of its first page, in its file or anon_vma.
    pub index: u64,
    /// References.
    pub references: u64,
    /// Mappings.
    pub mappings: u64,
    /// Pins for DMA: null where the kernel cannot tell.
    pub pins: Option<u64>,
}

/// The lines of `PID/page`; those that it does not have are [`None`], or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The folio.
    pub folio: Option<Folio>,
    /// Location of the bytes of a page in swap: `disk`, `zero`, `zswap`, `cache` or `none`.
    pub swap_where: Option<String>,
    /// The slot of a page in swap or in the swap cache.
    #[serde(skip)]
    pub slot: Option<SwapSlot>,
    /// All mappings, this one included; of a page in swap, all page table entries with its slot.
    pub mapped_by: Vec<MappedBy>,
    /// The next write by this process.
    pub next_write: Option<Prediction>,
    /// The next fork of this process.
    pub next_fork: Option<Prediction>,
    /// The reason why this is not all: there are too many mappings, or the page kept changing.
    pub incomplete: Option<String>,
}

/// Asks for the page at `address`: [`None`] if the module has no `PID/page`.
///
/// # Errors
///
/// The file cannot be read, or the process is gone.
pub fn ask(target: &Target, address: u64) -> Result<Option<Page>> {
    let path = target.file("page");
    let mut file = match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot open {}", path.display()));
        }
    };
    file.write_all(format!("{address:x}\n").as_bytes())
        .with_context(|| format!("cannot ask {} for {address:x}", path.display()))?;

    // Answers begin at offset 0, wherever the write has left the position.
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = file
            .read_at(&mut buffer, text.len() as u64)
            .with_context(|| format!("cannot read {}", path.display()))?;
        match buffer.get(..read) {
            Some(bytes) if !bytes.is_empty() => text.extend_from_slice(bytes),
            _ => break,
        }
    }
    Ok(Some(parse(&String::from_utf8_lossy(&text))))
}

/// Parses the lines. Keys of later versions are left out.
fn parse(text: &str) -> Page {
    let mut page = Page::default();

    for line in text.lines() {
        let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words: Vec<_> = rest.split_whitespace().collect();
        match (key, words.as_slice()) {
            ("#", _) => page.incomplete = Some(rest.to_string()),
            ("folio", words) => page.folio = folio(words),
            ("slot", [area, offset, place, ..]) => {
                page.slot = slot(area, offset);
                page.swap_where = Some(place.to_string());
            }
            ("mapped", [pid, address, ..]) => {
                page.mapped_by.extend(pid.parse().ok().map(|pid| MappedBy {
                    pid,
                    address: address.trim_start_matches("0x").to_string(),
                }))
            }
            ("next-write", [action, reason @ ..]) => {
                page.next_write = Some(prediction(action, reason));
            }
            ("next-fork", [action, reason @ ..]) => {
                page.next_fork = Some(prediction(action, reason));
            }
            _ => {}
        }
    }
    page
}

fn prediction(action: &str, reason: &[&str]) -> Prediction {
    Prediction {
        action: action.to_string(),
        reason: reason.join(" "),
    }
}

fn slot(area: &str, offset: &str) -> Option<SwapSlot> {
    Some(SwapSlot {
        area: area.parse().ok()?,
        offset: offset.parse().ok()?,
    })
}

fn folio(words: &[&str]) -> Option<Folio> {
    let [frame, order, index, references, mappings, pins, ..] = words else {
        return None;
    };

    Some(Folio {
        frame: frame.parse().ok()?,
        order: order.parse().ok()?,
        index: index.parse().ok()?,
        references: references.parse().ok()?,
        mappings: mappings.parse().ok()?,
        pins: pins.parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_page_in_memory() {
        let page = parse(
            "address 7f00\nvma 7000-8000 rw-p\nfolio 512 9 3 514 2 -\nanon_vma\n\
             mapped 7 7f00\nmapped 9 8f00\nnext-write copy mapped by 2 processes\n\
             next-fork share\nnew-key 1\n",
        );
        let folio = page.folio.expect("a folio");
        assert_eq!((folio.order, folio.references, folio.pins), (9, 514, None));
        let pids: Vec<_> = page.mapped_by.iter().map(|one| one.pid).collect();
        assert_eq!(pids, [7, 9]);
        let write = page.next_write.expect("a prediction");
        assert_eq!(write.action, "copy");
        assert_eq!(write.reason, "mapped by 2 processes");
        assert_eq!(page.next_fork.expect("a prediction").reason, "");
    }

    #[test]
    fn slot_and_nothing() {
        let page = parse("slot 0 12 zswap\n");
        assert_eq!(page.swap_where.as_deref(), Some("zswap"));
        assert_eq!(
            page.slot.map(|slot| (slot.area, slot.offset)),
            Some((0, 12))
        );
        assert_eq!(parse("# changed\n").incomplete.as_deref(), Some("changed"));
        assert_eq!(parse("folio 1 2\nmapped x y\n"), Page::default());
    }
}
