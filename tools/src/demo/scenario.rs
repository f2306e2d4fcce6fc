// SPDX-License-Identifier: GPL-2.0

//! One scenario: a process writes more shared memory than its cgroup's limit.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::PAGE_BYTES;
use super::cgroup::Cgroup;
use super::check::{self, Check};
use super::counts::{self, KernelCounts};
use super::disk::SwapDisk;
use super::snapshot::{self, Snapshot};
use super::writer::{Writer, page_text};
use crate::entry::SwapSlot;
use crate::pagemap::Both;
use crate::target::Target;

/// Time limit for writeback.
const WRITEBACK_LIMIT: Duration = Duration::from_secs(20);

/// Sizes of a scenario.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Pages the process writes.
    pub pages: u64,
    /// The cgroup's memory limit, in bytes.
    pub limit: u64,
}

/// A page on the swap disk.
pub struct Sample {
    /// Index of the page in the mapping.
    pub page: usize,
    /// The slot that xpagemap reports.
    pub slot: SwapSlot,
    /// The bytes in that slot.
    pub bytes: [u8; PAGE_BYTES],
}

/// Results of a scenario.
pub struct Outcome {
    /// The PID of the process.
    pub pid: i32,
    /// Both files' entries.
    pub snapshot: Snapshot,
    /// A few located pages.
    pub samples: Vec<Sample>,
    /// The comparisons.
    pub checks: Vec<Check>,
    /// Pages on swap by cachestat(2).
    pub swapped: usize,
    /// Pages found on the disk, in the slots that xpagemap reports.
    pub found: usize,
    /// Pages on swap that `/proc/PID/pagemap` shows as swapped.
    pub in_proc: usize,
}

impl Scenario {
    /// Runs the scenario. `run` is a random number, part of the text in each page.
    pub fn run(self, run: u32, disk: &mut SwapDisk) -> Result<Outcome> {
        // Drop order: the process is detached, then ended, then its cgroup is removed.
        let cgroup = Cgroup::new(self.limit)?;
        let mut writer = Writer::start(self.pages, run)?;
        let pid = writer.pid();

        cgroup.add(pid)?;
        let address = writer.write_memory()?;
        let target = Target::attach(pid)?;
        let mut both = Both::of_target(&target)?;
        let deadline = Instant::now() + WRITEBACK_LIMIT;
        counts::wait_for_writeback(deadline)?;

        let snapshot = self.snapshot(&mut both, address)?;
        let counts = KernelCounts::read(pid, address, self.pages, &cgroup)?;
        let text = |page| page_text(page, self.pages, run);
        let found = check::found_on_disk(&snapshot, disk, text, deadline)?;
        let mut checks = check::compare(&snapshot, found, &counts);
        checks.push(check::unchanged(
            &snapshot,
            &self.snapshot(&mut both, address)?,
        ));

        Ok(Outcome {
            pid,
            samples: samples(&snapshot, disk)?,
            checks,
            swapped: counts.swapped(),
            found,
            in_proc: snapshot::shown_as_swapped(&snapshot.proc, &counts),
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

/// Samples the first located page and the middle one.
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
