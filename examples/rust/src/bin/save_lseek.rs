// SPDX-License-Identifier: GPL-2.0

//! Pages of shared memory that a checkpoint must save, as today: two calls of lseek() for each
//! run of data, in memory or in swap. Pages that were only read, or written with zeroes, are data.

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::unistd::{Whence, lseek};
use save_examples::{PAGE, Runs, file};

fn main() -> Result<()> {
    let (file, size) = file()?;
    let mut runs = Runs::default();
    let mut end = 0;

    while end < size {
        let start = match lseek(&file, end.cast_signed(), Whence::SeekData) {
            Err(Errno::ENXIO) => break,
            start => start.context("lseek")?,
        };
        let hole = lseek(&file, start, Whence::SeekHole).context("lseek")?;
        // The hole behind the last page begins where the file ends.
        end = hole.cast_unsigned().next_multiple_of(PAGE);
        runs.add(start.cast_unsigned(), end);
    }
    runs.done();
    Ok(())
}
