// SPDX-License-Identifier: GPL-2.0

//! The module's recording of a process: switched on, read, switched off.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, anyhow, ensure};

use crate::entry::ENTRY_BYTES;
use crate::target::{Target, write_line};

/// A recording; stopped on drop, if this program started it, and the process is let go.
pub struct Recording {
    target: Target,
    /// Whether somebody else had started it.
    pub found: bool,
    going_on: bool,
    pagemap: File,
}

impl Recording {
    /// Starts to record what happens to the process, unless somebody else has already.
    pub fn start(target: Target) -> Result<Self> {
        let path = target.file("trace");
        let state = fs::read_to_string(&path)
            .map_err(explain)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let found = state.trim_end() == "1";
        let pagemap = target.file("pagemap");
        let pagemap =
            File::open(&pagemap).with_context(|| format!("cannot open {}", pagemap.display()))?;

        let mut recording = Self {
            target,
            found,
            going_on: false,
            pagemap,
        };
        ensure!(
            !recording.is_gone()?,
            "what is attached as process {pid} is gone: it has exited, or begun another program; \
             `echo {pid} > /sys/kernel/debug/xpagemap/detach` lets it go",
            pid = recording.target.pid()
        );
        if !found {
            write_line(&path, "1").context("cannot start to record")?;
            recording.going_on = true;
        }
        Ok(recording)
    }

    /// The process.
    pub fn pid(&self) -> i32 {
        self.target.pid()
    }

    /// Whether the process lost the address space, and so the log.
    pub fn is_gone(&self) -> Result<bool> {
        let mut entry = [0; ENTRY_BYTES];
        let bytes = self
            .pagemap
            .read_at(&mut entry, 0)
            .with_context(|| format!("cannot read process {}'s pagemap", self.target.pid()))?;

        Ok(bytes == 0)
    }

    /// The log as it is now.
    pub fn read(&self) -> Result<String> {
        let path = self.target.file("events");

        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Stops, unless somebody else had started it.
    pub fn stop(&mut self) -> Result<()> {
        if self.going_on {
            self.going_on = false;
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

/// Adds what a user can do about an error of the file `trace`.
fn explain(error: io::Error) -> anyhow::Error {
    let advice = match error.raw_os_error() {
        Some(libc::ENOENT) => {
            "this kernel, or the module, was built without CONFIG_DEBUG_ANON_EXCLUSIVE=y, \
             which tracing takes"
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
