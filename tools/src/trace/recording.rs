// SPDX-License-Identifier: GPL-2.0

//! Starts, reads and stops the recording of a target's events.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, ensure};

use crate::entry::ENTRY_BYTES;
use crate::target::{Target, write_line};

/// The mode of a recording, a line for the file `trace`: events alone.
pub const PLAIN: &str = "1";

/// With the instruction pointer of user mode.
pub const WITH_IP: &str = "2";

/// The log outlives the address space.
pub const KEPT: &str = "1 keep";

/// A recording. Drop stops it if this program started it, and drops the target.
pub struct Recording {
    target: Target,
    /// True if it had been started before.
    pub found: bool,
    started: bool,
    pagemap: File,
}

impl Recording {
    /// Starts a recording in this mode, unless one is on already.
    pub fn start(target: Target, mode: &str) -> Result<Self> {
        let path = target.file("trace");
        let state = fs::read_to_string(&path)
            .map_err(explain)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let found = state.trim_end() != "0";
        let pagemap = target.file("pagemap");
        let pagemap =
            File::open(&pagemap).with_context(|| format!("cannot open {}", pagemap.display()))?;

        let mut recording = Self {
            target,
            found,
            started: false,
            pagemap,
        };
        ensure!(
            !recording.is_gone()?,
            "process {} has exited or executed another program meanwhile",
            recording.target.pid()
        );
        if !found {
            write_line(&path, mode).context("cannot start recording")?;
            recording.started = true;
        }
        Ok(recording)
    }

    /// The PID of the process.
    pub fn pid(&self) -> i32 {
        self.target.pid()
    }

    /// The path of a file of the process's directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.target.file(name)
    }

    /// Returns true if the address space is gone, and with it the log.
    pub fn is_gone(&self) -> Result<bool> {
        let mut entry = [0; ENTRY_BYTES];
        let bytes = self
            .pagemap
            .read_at(&mut entry, 0)
            .with_context(|| format!("cannot read process {}'s pagemap", self.target.pid()))?;

        Ok(bytes == 0)
    }

    /// Reads the log.
    pub fn read(&self) -> Result<String> {
        let path = self.target.file("events");

        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Stops the recording if this program started it.
    pub fn stop(&mut self) -> Result<()> {
        if self.started {
            self.started = false;
            write_line(self.target.file("trace"), "0").context("cannot stop recording")?;
        }
        Ok(())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("xpagemap: process {}: {error:#}", self.target.pid());
        }
    }
}

/// Adds to an error of the file `trace` a hint at what to do about it.
fn explain(error: io::Error) -> anyhow::Error {
    let advice = match error.raw_os_error() {
        Some(libc::ENOENT) => {
            "tracing needs a kernel and a module built with CONFIG_DEBUG_ANON_EXCLUSIVE=y"
        }
        _ => return anyhow!(error),
    };
    anyhow!("{error}: {advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_cannot_trace_comes_with_advice() {
        let text = explain(io::Error::from_raw_os_error(libc::ENOENT)).to_string();
        assert!(text.contains("CONFIG_DEBUG_ANON_EXCLUSIVE"), "{text}");
    }
}
