// SPDX-License-Identifier: GPL-2.0

//! The demo's output.

use std::fmt;
use std::io::Write;

use anyhow::Result;

use super::PAGE_BYTES;
use super::disk::SwapDisk;
use super::picture;
use super::scenario::{Outcome, Scenario};
use super::snapshot::{self, Snapshot};

/// Bytes printed of a page on the disk.
const EXCERPT: usize = 48;

/// Text before the first scenario.
pub const INTRODUCTION: &str = "\
/proc/PID/pagemap has an entry for every page (4096 bytes) of a process: in memory,
or on the swap disk, and in which slot. For memory that processes share, the entry
turns blank when the page is swapped out, as if it had never been written. xpagemap
fills those entries in.
";

/// Text after the last scenario.
pub const CLOSE: &str = "\
Next: `make check` runs the tests; `make shell` opens a shell in this guest, where
`build/tools/release/xpagemap show PID` prints the pages of any process.
";

/// Prints one scenario, with samples if `disk`, the path of the swap disk, is given.
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
        "{number}. Process {pid} wrote a different text to each of its {pages} shared pages: {size} KiB.\n   \
         The limit of its cgroup is {limit} KiB, so the kernel had to swap. Where are the pages?\n"
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
        ("in memory", snapshot::in_memory as fn(&[_]) -> usize),
        ("on the swap disk", snapshot::on_swap),
        ("blank", snapshot::blank),
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
        writeln!(out, "  {disk}, slot {slot}, at byte {position}:\n{dump}")?;
    }
    Ok(())
}

/// Totals of all scenarios.
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

    /// Returns true if every swapped page was found and no check failed.
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
