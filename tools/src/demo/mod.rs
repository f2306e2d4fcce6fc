// SPDX-License-Identifier: GPL-2.0

//! `xpagemap demo`: the kernel swaps out shared memory, xpagemap reports the slots, and the demo checks
//! them against the disk.

mod cgroup;
mod check;
mod counts;
mod disk;
mod picture;
mod report;
mod scenario;
mod snapshot;
pub mod writer;

use std::fs::File;
use std::io::{Read, Write};

use anyhow::{Context, Result, ensure};

use disk::SwapDisk;
use report::Tally;
use scenario::Scenario;

use crate::interrupt;

/// Bytes of a page, in memory and on the swap disk.
const PAGE_BYTES: usize = 4096;

const SCENARIOS: [Scenario; 2] = [
    Scenario {
        pages: 256,
        limit: 512 << 10,
    },
    Scenario {
        pages: 4096,
        limit: 8 << 20,
    },
];

/// Runs the scenarios and prints their results.
///
/// # Errors
///
/// A scenario could not be run, or a check failed.
pub fn main(out: &mut dyn Write) -> Result<()> {
    ensure!(
        procfs::page_size() == PAGE_BYTES as u64,
        "the demo is made for pages of {PAGE_BYTES} bytes"
    );
    let mut disk = SwapDisk::open()?;
    let mut total = Tally::default();

    interrupt::install()?;
    writeln!(out, "{}", report::INTRODUCTION)?;
    for (number, scenario) in (1..).zip(SCENARIOS) {
        out.flush()?;
        let outcome = scenario.run(run_number()?, &mut disk)?;
        let samples_on = (number == 1).then(|| disk.path());
        report::print(out, number, scenario, &outcome, samples_on)?;
        total.add(&outcome);
    }
    writeln!(out, "{}\n{total}", report::CLOSE)?;
    ensure!(total.verified(), "a check failed, see FAILED above");
    Ok(())
}

/// Returns a random number: tells this run's text from what earlier runs left on the disk.
fn run_number() -> Result<u32> {
    let mut bytes = [0; 4];

    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(u32::from_ne_bytes(bytes))
}
