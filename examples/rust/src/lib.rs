// SPDX-License-Identifier: GPL-2.0

//! Common parts of the examples: the system calls in [`sys`], and the [`Runs`] that they print.

pub mod sys;

use std::env;
use std::fs::File;

use anyhow::{Context, Result, bail};

/// Bytes of a page.
pub const PAGE: u64 = 4096;

/// The file on the command line, and its size, rounded up to whole pages.
///
/// # Errors
///
/// There is no argument or more than one, or the file cannot be opened.
pub fn file() -> Result<(File, u64)> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [path] = arguments.as_slice() else {
        bail!("usage: FILE, such as /dev/shm/NAME or /proc/PID/fd/N");
    };
    let context = || path.display().to_string();
    let file = File::open(path).with_context(context)?;
    let size = file.metadata().with_context(context)?.len();
    Ok((file, size.next_multiple_of(PAGE)))
}

/// Prints runs of pages, in ascending order, neighbours as one run.
#[derive(Debug, Default)]
pub struct Runs {
    start: u64,
    end: u64,
    pages: u64,
}

impl Runs {
    /// Adds the bytes from `start` to `end` of the file.
    pub fn add(&mut self, start: u64, end: u64) {
        if start != self.end {
            self.flush();
            self.start = start;
        }
        self.end = end;
        self.pages += (end - start) / PAGE;
    }

    /// Prints the last run, and the number of pages.
    pub fn done(mut self) {
        self.flush();
        println!("total {} pages", self.pages);
    }

    fn flush(&mut self) {
        if self.end > self.start {
            println!("{:x}-{:x}", self.start, self.end);
        }
        self.start = self.end;
    }
}
