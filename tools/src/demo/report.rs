// SPDX-License-Identifier: GPL-2.0

//! What the demo prints.

use std::fmt;
use std::io::Write;

use anyhow::Result;

use super::PAGE_BYTES;
use super::check::{self, Snapshot};
use super::disk::SwapDisk;
use super::picture;
use super::scenario::{Outcome, Scenario};

/// Bytes shown of a page on the disk.
const EXCERPT: usize = 48;

/// What a reader needs to know before anything else.
pub const INTRODUCTION: &str = "\
The kernel deals with memory in pages of 4096 bytes. /proc/PID/pagemap has an entry
for every page of a process: it is in memory, or it was moved out to the swap disk,
and where to. But for memory that processes share, the entry turns blank as soon as
the page is swapped out, as though nobody had ever written to it. xpagemap fills
those entries in.
";

/// What to do after the demo.
pub const CLOSE: &str = "\
Next: `make check` runs the tests; `make shell` opens a shell in this machine, where
`build/tools/release/xpagemap show PID` prints the pages of any process.
";

/// Prints one scenario; the samples only if the disk they are on is named.
pub fn print(
    out: &mut dyn Write,
    number: u32,
    scenario: Scenario,
    outcome: &Outcome,
    disk: Option<&str>,
) -> Result<()> {
    let Outcome { pid, snapshot, .. } = outcome;
    let Scenario { pages, limit } = scenario;
    let (size, limit) = ((pages * PAGE_BYTES as u64) >> 10, limit >> 10);

    writeln!(
        out,
        "{number}. Process {pid} wrote a text of its own to each of its {pages} shared pages: {size} KiB.\n   \
         Its cgroup may hold {limit} KiB, so the kernel had to swap. Where are the pages?\n"
    )?;
    print_picture(out, snapshot)?;
    print_counts(out, snapshot)?;
    if let Some(disk) = disk {
        print_samples(out, outcome, disk)?;
    }
    writeln!(out, "Checked:")?;
    for check in &outcome.checks {
        writeln!(out, "  {check}")?;
    }
    writeln!(out)?;
    Ok(())
}

fn print_picture(out: &mut dyn Write, snapshot: &Snapshot) -> Result<()> {
    let Snapshot { proc, xpagemap } = snapshot;
    let text = picture::side_by_side(
        ("/proc/PID/pagemap says", proc),
        ("xpagemap says", xpagemap),
    );
    let scale = match picture::pages_per_sign(proc.len()) {
        1 => "One sign a page".to_string(),
        pages => format!("One sign for {pages} pages"),
    };

    writeln!(out, "{text}\n{scale}:  {}\n", picture::legend())?;
    Ok(())
}

fn print_counts(out: &mut dyn Write, snapshot: &Snapshot) -> Result<()> {
    let rows = [
        ("in memory", check::in_memory as fn(&[_]) -> usize),
        ("on the swap disk", check::on_swap),
        ("blank", check::blank),
    ];
    let mut row = |name: &str, proc: &dyn fmt::Display, xpagemap: &dyn fmt::Display| {
        writeln!(out, "  {name:16}  {proc:>17}  {xpagemap:>8}")
    };

    row("pages", &"/proc/PID/pagemap", &"xpagemap")?;
    for (name, count) in rows {
        row(name, &count(&snapshot.proc), &count(&snapshot.xpagemap))?;
    }
    writeln!(out)?;
    Ok(())
}

fn print_samples(out: &mut dyn Write, outcome: &Outcome, disk: &str) -> Result<()> {
    for sample in &outcome.samples {
        let (page, slot) = (sample.page, sample.slot.offset);
        let proc = outcome.snapshot.proc[page];
        let xpagemap = outcome.snapshot.xpagemap[page];
        let position = SwapDisk::position(sample.slot);
        let dump = picture::hexdump(&sample.bytes[..EXCERPT], position);

        writeln!(out, "Page {page}")?;
        writeln!(out, "  /proc/PID/pagemap  {proc:016x}  {proc}")?;
        writeln!(out, "  xpagemap           {xpagemap:016x}  {xpagemap}")?;
        writeln!(
            out,
            "  {disk}, slot {slot}, that is byte {position}:\n{dump}"
        )?;
    }
    Ok(())
}

/// The numbers of all scenarios.
#[derive(Default)]
pub struct Tally {
    swapped: usize,
    found: usize,
    in_proc: usize,
    failed: usize,
}

impl Tally {
    /// Adds a scenario's numbers.
    pub fn add(&mut self, outcome: &Outcome) {
        self.swapped += outcome.swapped;
        self.found += outcome.found;
        self.in_proc += outcome.in_proc;
        self.failed += outcome.checks.iter().filter(|check| !check.holds).count();
    }

    /// Whether every swapped page was found and nothing else was wrong.
    pub fn verified(&self) -> bool {
        self.swapped > 0 && self.found == self.swapped && self.failed == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { swapped, found, .. } = self;
        write!(
            f,
            "{found} of {swapped} swapped pages located and verified on disk; "
        )?;
        write!(f, "/proc/PID/pagemap shows {} of them", self.in_proc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(swapped: usize, found: usize, failed: usize) -> Tally {
        Tally {
            swapped,
            found,
            failed,
            in_proc: 0,
        }
    }

    #[test]
    fn all_found_and_nothing_failed_is_verified() {
        assert!(tally(254, 254, 0).verified());
        assert!(!tally(254, 253, 0).verified());
        assert!(!tally(254, 254, 1).verified());
        assert!(!tally(0, 0, 0).verified());
    }

    #[test]
    fn the_closing_line_has_the_numbers() {
        let line = "253 of 254 swapped pages located and verified on disk; \
                    /proc/PID/pagemap shows 0 of them";
        assert_eq!(tally(254, 253, 1).to_string(), line);
    }
}
