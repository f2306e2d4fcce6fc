// SPDX-License-Identifier: GPL-2.0

//! One scenario: a process shares more memory than its cgroup may hold.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::PAGE_BYTES;
use super::cgroup::Cgroup;
use super::check::{self, Check, Snapshot};
use super::disk::SwapDisk;
use super::evidence::{self, Evidence};
use super::writer::{Writer, page_text};
use crate::entry::SwapSlot;
use crate::pagemap::Both;
use crate::target::Target;

/// How long pages may take to reach the disk.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much memory, and how much of it may stay.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Pages the process writes.
    pub pages: u64,
    /// Bytes its cgroup may hold.
    pub limit: u64,
}

/// A page on the swap disk.
pub struct Sample {
    /// Which page of the mapping.
    pub page: usize,
    /// Where xpagemap located it.
    pub slot: SwapSlot,
    /// What the disk holds there.
    pub bytes: [u8; PAGE_BYTES],
}

/// What was seen.
pub struct Outcome {
    /// The process.
    pub pid: i32,
    /// Both files' entries.
    pub snapshot: Snapshot,
    /// A few located pages.
    pub samples: Vec<Sample>,
    /// What was compared.
    pub checks: Vec<Check>,
    /// Pages on swap, by the independent count.
    pub swapped: usize,
    /// Pages found on the disk, where xpagemap located them.
    pub found: usize,
    /// Pages on swap that `/proc/PID/pagemap` shows as such.
    pub in_proc: usize,
}

impl Scenario {
    /// Runs it; `run` is the number that tells its text from any other run's.
    pub fn run(self, run: u32, disk: &mut SwapDisk) -> Result<Outcome> {
        // Dropped last to first: the process is detached and ended before its cgroup goes.
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
        let mut checks = check::compare(&snapshot, found, &evidence);
        checks.push(check::unchanged(
            &snapshot,
            &self.snapshot(&mut both, address)?,
        ));

        Ok(Outcome {
            pid,
            samples: samples(&snapshot, disk)?,
            checks,
            swapped: evidence.swapped(),
            found,
            in_proc: check::shown_as_swapped(&snapshot.proc, &evidence),
            snapshot,
        })
    }

    fn snapshot(self, both: &mut Both, address: u64) -> Result<Snapshot> {
        let first = address / PAGE_BYTES as u64;
        let mut snapshot = Snapshot::default();

        both.for_each(first..first + self.pages, |_, pair| {
            snapshot.proc.push(pair.proc);
            snapshot.xpagemap.push(pair.xpagemap);
            Ok(())
        })?;
        Ok(snapshot)
    }
}

/// The first of the located pages and the one in the middle.
fn samples(snapshot: &Snapshot, disk: &mut SwapDisk) -> Result<Vec<Sample>> {
    let located: Vec<_> = snapshot.located().collect();
    let middle = located.len() / 2;

    located
        .iter()
        .take(1)
        .chain(located.get(middle).filter(|_| middle > 0))
        .map(|&(page, slot)| {
            let bytes = *disk.read(slot)?;
            Ok(Sample { page, slot, bytes })
        })
        .collect()
}
