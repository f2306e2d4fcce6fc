// SPDX-License-Identifier: GPL-2.0

//! An address space that is followed: its recording, its birth, and its end.

use anyhow::Result;

use super::birth::Birth;
use super::recording::{KEPT, Recording};
use super::tracee;
use crate::maps::{Maps, Names};
use crate::target::Target;

/// An address space.
pub struct Process {
    /// The PID of the process.
    pub pid: i32,
    /// The birth, of a child, and the index of its parent's address space.
    pub birth: Option<(Birth, usize)>,
    /// The text of the log, once it is stopped.
    pub text: String,
    /// The names of its mappings, at its start and when it was stopped.
    pub names: Names,
    /// Nanoseconds of `CLOCK_MONOTONIC` of its end, and how it ended; none while it goes on.
    pub end: Option<(u64, &'static str)>,
    recording: Option<Recording>,
    recorded: bool,
}

impl Process {
    /// Starts a recording. `parent` is given of a child that stands before its first instruction.
    ///
    /// # Errors
    ///
    /// The process has been killed, or cannot be attached.
    pub fn start(pid: i32, parent: Option<usize>) -> Result<Self> {
        let recording = Recording::start(Target::attach(pid)?, KEPT)?;
        let birth = match parent {
            Some(parent) => Some((Birth::of(&recording)?, parent)),
            None => None,
        };
        let mut process = Self {
            birth,
            recording: Some(recording),
            recorded: true,
            ..Self::borrowing(pid)
        };

        process.note_names();
        Ok(process)
    }

    /// A process without an address space of its own, which has no log.
    pub fn borrowing(pid: i32) -> Self {
        Self {
            pid,
            birth: None,
            text: String::new(),
            names: Names::default(),
            end: None,
            recording: None,
            recorded: false,
        }
    }

    /// Returns true if it has a log.
    pub fn is_recorded(&self) -> bool {
        self.recorded
    }

    fn note_names(&mut self) {
        if let Ok(maps) = Maps::of(self.pid) {
            self.names.push(maps);
        }
    }

    /// Stops the recording and reads the log.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut recording) = self.recording.take() {
            recording.stop()?;
            self.text = recording.read()?;
            self.note_names();
        }
        Ok(())
    }

    /// Does the same, and notes the end.
    pub fn finish(&mut self, how: &'static str) -> Result<()> {
        if self.end.is_none() {
            self.end = Some((tracee::now()?, how));
        }
        self.stop()
    }
}
