// SPDX-License-Identifier: GPL-2.0

//! One scenario: a process shares more memory than its cgroup may hold.

use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::PAGE_BYTES;
use super::cgroup::Cgroup;
use super::check::{self, Snapshot};
use super::disk::SwapDisk;
use super::evidence::{self, Evidence};
use super::picture;
use super::writer::{Writer, page_text};
use crate::pagemap::Both;
use crate::target::Target;

/// How long pages may take to reach the disk.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes shown of a page on the disk.
const EXCERPT: usize = 48;

/// How much memory, and how much of it may stay.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Pages the process writes.
    pub pages: u64,
    /// Bytes its cgroup may hold.
    pub limit: u64,
}

/// What came of scenarios.
#[derive(Default)]
pub struct Tally {
    swapped: usize,
    found: usize,
    in_proc: usize,
    failed: usize,
}

impl Scenario {
    /// Runs it and prints what is seen; `run` tells its text from any other run's.
    pub fn run(
        self,
        out: &mut dyn Write,
        number: u32,
        run: u32,
        disk: &mut SwapDisk,
    ) -> Result<Tally> {
        // Dropped in reverse: detached, ended, then removed.
        let cgroup = Cgroup::new(self.limit)?;
        let mut writer = Writer::start(self.pages, run)?;
        let pid = writer.pid();

        cgroup.add(pid)?;
        let address = writer.write_memory()?;
        let target = Target::attach(pid)?;
        let mut both = target.open()?;
        let deadline = Instant::now() + PATIENCE;
        evidence::wait_for_writeback(deadline)?;

        let snapshot = self.snapshot(&mut both, address)?;
        let evidence = Evidence::gather(pid, address, self.pages, &cgroup)?;
        let text = |page| page_text(page, self.pages, run);
        let found = check::found_on_disk(&snapshot, disk, text, deadline)?;

        self.describe(out, number, pid)?;
        show_picture(out, pid, &snapshot)?;
        if number == 1 {
            show_samples(out, &snapshot, disk)?;
        }
        let mut checks = check::compare(&snapshot, found, &evidence);
        checks.push(check::Check {
            holds: self.snapshot(&mut both, address)? == snapshot,
            finding: "read again after all that: both files still say the same".to_string(),
        });
        writeln!(out, "Checked:")?;
        for check in &checks {
            writeln!(out, "  {check}")?;
        }
        Ok(Tally {
            swapped: evidence.on_swap.iter().filter(|swapped| **swapped).count(),
            found,
            in_proc: check::on_swap(&snapshot.proc),
            failed: checks.iter().filter(|check| !check.holds).count(),
        })
    }

    fn snapshot(self, both: &mut Both, address: u64) -> Result<Snapshot> {
        let first = address / PAGE_BYTES as u64;
        let (mut proc, mut xpagemap) = (Vec::new(), Vec::new());

        both.for_each(first..first + self.pages, |_, pair| {
            proc.push(pair.proc);
            xpagemap.push(pair.xpagemap);
            Ok(())
        })?;
        Ok(Snapshot { proc, xpagemap })
    }

    fn describe(self, out: &mut dyn Write, number: u32, pid: i32) -> Result<()> {
        let (pages, limit) = (self.pages, self.limit >> 10);
        let size = (pages * PAGE_BYTES as u64) >> 10;

        writeln!(
            out,
            "{number}. Process {pid} shares {pages} pages ({size} KiB) and wrote to every one a text of its own."
        )?;
        writeln!(
            out,
            "   Its cgroup may hold {limit} KiB, so the kernel moved pages out to the swap disk.\n"
        )?;
        Ok(())
    }
}

fn show_picture(out: &mut dyn Write, pid: i32, snapshot: &Snapshot) -> Result<()> {
    let (proc, xpagemap) = (&snapshot.proc, &snapshot.xpagemap);
    let pages = picture::pages_per_sign(proc.len());
    let scale = match pages {
        1 => "a page".to_string(),
        _ => format!("{pages} pages"),
    };
    let titles = (format!("/proc/{pid}/pagemap says"), "xpagemap says");

    writeln!(
        out,
        "{}",
        picture::side_by_side((&titles.0, proc), (titles.1, xpagemap))
    )?;
    writeln!(out, "each sign {scale}: {}\n", picture::legend())?;
    writeln!(out, "{:>22}  {:>20}  {:>10}", "", titles.0, titles.1)?;
    for (name, count) in [
        ("in memory", check::in_memory as fn(&[_]) -> usize),
        ("on the swap disk", check::on_swap),
        ("blank", |entries| {
            entries.len() - check::in_memory(entries) - check::on_swap(entries)
        }),
    ] {
        writeln!(
            out,
            "{name:>22}  {:>20}  {:>10}",
            count(proc),
            count(xpagemap)
        )?;
    }
    writeln!(out)?;
    Ok(())
}

fn show_samples(out: &mut dyn Write, snapshot: &Snapshot, disk: &mut SwapDisk) -> Result<()> {
    let located: Vec<_> = snapshot.located().collect();
    let first_and_middle = [located.first(), located.get(located.len() / 2)];

    for (page, slot) in first_and_middle.into_iter().flatten() {
        let (proc, xpagemap) = (snapshot.proc[*page], snapshot.xpagemap[*page]);

        writeln!(out, "Page {page}: /proc     {proc:016x}  {proc}")?;
        writeln!(out, "{:10} xpagemap  {xpagemap:016x}  {xpagemap}", "")?;
        writeln!(
            out,
            "{} at slot {}, byte {}, holds:",
            disk.path(),
            slot.offset,
            SwapDisk::position(*slot)
        )?;
        let excerpt = &disk.read(*slot)?[..EXCERPT];
        writeln!(
            out,
            "{}",
            picture::hexdump(excerpt, SwapDisk::position(*slot))
        )?;
    }
    Ok(())
}

impl Tally {
    /// Adds another's numbers.
    pub fn add(&mut self, other: Self) {
        self.swapped += other.swapped;
        self.found += other.found;
        self.in_proc += other.in_proc;
        self.failed += other.failed;
    }

    /// Whether every swapped page was found and nothing else was wrong.
    pub fn verified(&self) -> bool {
        self.swapped > 0 && self.found == self.swapped && self.failed == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} swapped pages located and verified on disk; /proc/PID/pagemap shows {} of them",
            self.found, self.swapped, self.in_proc
        )
    }
}
