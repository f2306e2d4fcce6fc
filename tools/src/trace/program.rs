// SPDX-License-Identifier: GPL-2.0

//! A program that is run to be traced: it stops, by ptrace(2), when its address space is new and
//! before that is lost.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::thread::sleep;

use anyhow::{Context, Result, bail};

use super::TICK;
use crate::{interrupt, sys};

/// What a program is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Running,
    /// It has become another program, and stopped before that begins.
    Executed,
    /// It has stopped before it loses its memory.
    Exiting,
    Ended(ExitStatus),
}

/// A program; killed on drop if it has not begun. When this process ends, the kernel lets it go on
/// by itself.
///
/// Job control has no hold on it: SIGSTOP and its like do not stop what is traced in this way.
pub struct Program {
    pid: i32,
    state: State,
    begun: bool,
}

impl Program {
    /// Starts a program, stopped before its first instruction.
    pub fn start(words: &[OsString]) -> Result<Self> {
        let [name, arguments @ ..] = words else {
            bail!("no program is named");
        };
        let child = sys::spawn_traced(Command::new(name).args(arguments))
            .with_context(|| format!("cannot run {}", name.display()))?;
        let mut program = Self {
            pid: i32::try_from(child.id())?,
            state: State::Running,
            begun: false,
        };

        // Until it is asked to tell of it otherwise, the start of a program is a SIGTRAP.
        loop {
            interrupt::check()?;
            match sys::wait(program.pid).context("cannot wait for the program")? {
                None => sleep(TICK),
                Some(status) if status.stopped_signal() == Some(libc::SIGTRAP) => break,
                Some(status) => match status.stopped_signal() {
                    Some(signal) => sys::resume(program.pid, signal)?,
                    None => bail!("the program ended before it began, {status}"),
                },
            }
        }
        sys::trace_events(program.pid).context("cannot trace the program")?;
        program.state = State::Executed;
        Ok(program)
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Lets it go on, if it is stopped.
    pub fn resume(&mut self) -> Result<()> {
        if matches!(self.state, State::Executed | State::Exiting) {
            self.state = State::Running;
            self.begun = true;
            self.pass(0)?;
        }
        Ok(())
    }

    /// What it is doing; the signals that it gets meanwhile, it gets.
    pub fn state(&mut self) -> Result<State> {
        while self.state == State::Running {
            let Some(status) = sys::wait(self.pid).context("cannot wait for the program")? else {
                break;
            };
            self.state = match (status.stopped_signal(), status.into_raw() >> 16) {
                (None, _) => State::Ended(status),
                (_, libc::PTRACE_EVENT_EXEC) => State::Executed,
                (_, libc::PTRACE_EVENT_EXIT) => State::Exiting,
                (Some(signal), _) => {
                    self.pass(signal)?;
                    State::Running
                }
            };
        }
        Ok(self.state)
    }

    /// Waits for its end, unless a signal ends that; returns how it ended.
    pub fn wait(&mut self) -> Result<Option<ExitStatus>> {
        loop {
            match self.state()? {
                State::Ended(status) => return Ok(Some(status)),
                State::Running if interrupt::raised() => return Ok(None),
                State::Running => sleep(TICK),
                State::Executed | State::Exiting => self.resume()?,
            }
        }
    }

    fn pass(&self, signal: i32) -> Result<()> {
        match sys::resume(self.pid, signal) {
            // Somebody killed it: that it has ended is told next.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            result => result.context("cannot let the program go on"),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !self.begun
            && let Err(error) = sys::kill(self.pid)
        {
            eprintln!("xpagemap: cannot kill process {}: {error}", self.pid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(words: &[&str]) -> Program {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        Program::start(&words).expect("a program that is there")
    }

    /// The states it stops in, one by one.
    fn states(mut program: Program) -> Vec<State> {
        let mut states = Vec::new();
        loop {
            match program.state().expect("a child") {
                State::Running => sleep(TICK),
                State::Ended(status) => {
                    states.push(State::Ended(status));
                    return states;
                }
                state => {
                    states.push(state);
                    program.resume().expect("a child");
                }
            }
        }
    }

    #[test]
    fn it_stops_at_its_start_and_at_its_end() {
        let ended = State::Ended(ExitStatus::from_raw(3 << 8));
        assert_eq!(
            states(program(&["sh", "-c", "exit 3"])),
            [State::Executed, State::Exiting, ended]
        );
    }

    #[test]
    fn it_stops_where_it_becomes_another() {
        let ended = State::Ended(ExitStatus::from_raw(0));
        assert_eq!(
            states(program(&["sh", "-c", "exec true"])),
            [State::Executed, State::Executed, State::Exiting, ended]
        );
    }

    #[test]
    fn signals_arrive() {
        let script = "trap 'exit 7' USR1; kill -USR1 $$; exit 8";
        let ended = State::Ended(ExitStatus::from_raw(7 << 8));
        assert_eq!(states(program(&["sh", "-c", script])).last(), Some(&ended));

        // One that has no name in most tables, deadly unless it is handled.
        let ended = State::Ended(ExitStatus::from_raw(40));
        let script = "kill -40 $$";
        assert_eq!(states(program(&["sh", "-c", script])).last(), Some(&ended));
    }

    #[test]
    fn one_that_has_not_begun_is_killed() {
        let stopped = program(&["sleep", "1000"]);
        let pid = stopped.pid();
        drop(stopped);
        let status = loop {
            match sys::wait(pid).expect("a child") {
                None => sleep(TICK),
                Some(status) if status.stopped_signal().is_some() => {
                    sys::resume(pid, 0).expect("a child");
                }
                Some(status) => break status,
            }
        };
        assert_eq!(status.signal(), Some(libc::SIGKILL));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Program::start(&["/no/such".into()]).err().expect("fails");
        assert!(format!("{error:#}").contains("cannot run /no/such"));
    }
}
