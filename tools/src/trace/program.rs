// SPDX-License-Identifier: GPL-2.0

//! A child that is traced with ptrace(2): it stops after each execve and before it loses its
//! address space.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::thread::sleep;

use anyhow::{Context, Result, bail};

use super::TICK;
use crate::{interrupt, sys};

/// State of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Running.
    Running,
    /// Stopped after execve, before the first instruction.
    Executed,
    /// Stopped before it loses its address space.
    Exiting,
    /// Ended, with this status.
    Ended(ExitStatus),
}

/// A traced program. Drop kills it if it was never resumed. When this process ends, the kernel
/// detaches the program, which goes on.
///
/// Job control has no effect: SIGSTOP and the other stop signals do not stop it.
pub struct Program {
    pid: i32,
    state: State,
    begun: bool,
}

impl Program {
    /// Starts a program and leaves it stopped before its first instruction.
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

        // Without PTRACE_O_TRACEEXEC, execve stops with a plain SIGTRAP.
        loop {
            interrupt::check()?;
            match sys::wait(program.pid).context("cannot wait for the program")? {
                None => sleep(TICK),
                Some(status) if status.stopped_signal() == Some(libc::SIGTRAP) => break,
                Some(status) => match status.stopped_signal() {
                    Some(signal) => sys::resume(program.pid, signal)?,
                    None => bail!("the program ended before its first instruction, {status}"),
                },
            }
        }
        sys::trace_events(program.pid).context("cannot trace the program")?;
        program.state = State::Executed;
        Ok(program)
    }

    /// Leaves waiting for it, and resuming it, to the caller.
    pub fn hand_over(&mut self) {
        self.begun = true;
    }

    /// Its PID.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Resumes it if it is stopped.
    pub fn resume(&mut self) -> Result<()> {
        if matches!(self.state, State::Executed | State::Exiting) {
            self.state = State::Running;
            self.begun = true;
            self.pass(0)?;
        }
        Ok(())
    }

    /// Its state. Passes on signals that arrive meanwhile.
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

    /// Waits until it ends and returns its status, or None if a signal interrupts the wait.
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
            // It was killed meanwhile; the next wait() returns its status.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            result => result.context("cannot resume the program"),
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

    /// The states in which it stops, in order, and its end.
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

        // A real-time signal, without a name in most tables; its default action is to kill.
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
