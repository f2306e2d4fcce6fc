// SPDX-License-Identifier: GPL-2.0

//! `xpagemap demo`: the kernel swaps shared memory out, xpagemap says where to, the disk proves it.

mod cgroup;
mod check;
mod disk;
mod evidence;
mod picture;
mod report;
mod scenario;
pub mod writer;

use std::fs::File;
use std::io::{Read, Write};

use anyhow::{Context, Result, ensure};

use disk::SwapDisk;
use report::Tally;
use scenario::Scenario;

use crate::interrupt;

/// Bytes of a page; the demo's own sizes and the swap disk's layout rest on it.
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

/// Runs the scenarios and prints what came of them.
///
/// # Errors
///
/// A scenario could not be run, or anything it shows turned out wrong.
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
    ensure!(
        total.verified(),
        "not everything shown above could be verified"
    );
    Ok(())
}

/// A number that no earlier run is likely to have had: what those left on the disk looks different.
fn run_number() -> Result<u32> {
    let mut bytes = [0; 4];

    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(u32::from_ne_bytes(bytes))
}
