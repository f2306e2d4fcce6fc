// SPDX-License-Identifier: GPL-2.0

//! Follows a process and all children born meanwhile, by ptrace(2): each is recorded from before
//! its first instruction until it ends or executes another program.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::process::Process;
use super::{TICK, tracee};
use crate::interrupt;

/// The first pause between two looks for stopped threads; it doubles up to [`TICK`].
const SHORTEST: Duration = Duration::from_micros(50);

/// The stop of a thread attached by [`tracee::seize`]: at its birth, or by job control.
const EVENT_STOP: i32 = 128;

/// All threads and address spaces that are followed.
#[derive(Default)]
pub struct Followed {
    /// The address spaces, oldest first.
    pub processes: Vec<Process>,
    /// The address space of each thread.
    threads: HashMap<i32, usize>,
    /// New tasks that have not stopped yet, and the address space that made them.
    awaited: HashMap<i32, usize>,
    /// New tasks that stopped before their makers said so.
    early: HashSet<i32>,
    /// The PID of the first process.
    root: i32,
    /// The exit status of the first process, once it ended.
    pub ended: Option<ExitStatus>,
}

impl Followed {
    /// Follows a child that is traced and stopped before its first instruction, and resumes it.
    pub fn child(pid: i32) -> Result<Self> {
        let mut followed = Self {
            root: pid,
            ..Self::default()
        };

        followed.add(pid, Process::start(pid, None)?);
        tracee::follow(pid).context("cannot trace the program's children")?;
        tracee::resume(pid, 0).context("cannot resume the program")?;
        Ok(followed)
    }

    /// Follows a process that runs, with all its threads.
    pub fn running(pid: i32) -> Result<Self> {
        let mut followed = Self {
            root: pid,
            ..Self::default()
        };

        followed.add(pid, Process::start(pid, None)?);
        // A thread that is made meanwhile is seen in the next round, unless its maker is traced:
        // then it is traced too, and the request is refused.
        let mut seen = HashSet::new();
        loop {
            let new: Vec<_> = threads(pid)?
                .into_iter()
                .filter(|tid| seen.insert(*tid))
                .collect();
            if new.is_empty() {
                return Ok(followed);
            }
            for tid in new {
                match tracee::seize(tid) {
                    Ok(()) => _ = followed.threads.insert(tid, 0),
                    Err(error) if tid == pid => {
                        return Err(error).with_context(|| {
                            format!("cannot trace process {pid}, which may have a tracer")
                        });
                    }
                    Err(_) => {}
                }
            }
        }
    }

    fn add(&mut self, tid: i32, process: Process) {
        self.threads.insert(tid, self.processes.len());
        self.processes.push(process);
    }

    /// Waits until all have ended, the time is up, or a signal arrives; then reads the logs.
    pub fn watch(&mut self, limit: Option<Duration>) -> Result<()> {
        let start = Instant::now();
        let mut pause = SHORTEST;

        while !self.threads.is_empty() {
            let left = limit.map_or(TICK, |limit| limit.saturating_sub(start.elapsed()));
            if left.is_zero() || interrupt::raised() {
                break;
            }
            match tracee::wait_any() {
                Ok(Some((tid, status))) => {
                    self.handle(tid, status)?;
                    pause = SHORTEST;
                }
                Ok(None) => {
                    sleep(pause.min(left));
                    pause = TICK.min(pause * 2);
                }
                Err(error) if error.raw_os_error() == Some(libc::ECHILD) => break,
                Err(error) => return Err(error).context("cannot wait for the processes"),
            }
        }
        for process in &mut self.processes {
            process.finish("goes on")?;
        }
        Ok(())
    }

    fn handle(&mut self, tid: i32, status: ExitStatus) -> Result<()> {
        let Some(signal) = status.stopped_signal() else {
            return self.gone(tid, status);
        };
        let known = self.threads.contains_key(&tid);

        match status.into_raw() >> 16 {
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                self.made(tid)?;
                resume(tid, 0)
            }
            libc::PTRACE_EVENT_EXEC => {
                self.executed(tid)?;
                resume(tid, 0)
            }
            libc::PTRACE_EVENT_EXIT => {
                if let Some(process) = self.process(tid)
                    && process.pid == tid
                {
                    process.stop()?;
                }
                resume(tid, 0)
            }
            _ if !known => self.first_stop(tid),
            EVENT_STOP if signal != libc::SIGTRAP => match tracee::listen(tid) {
                Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
                    Err(error).context("cannot leave a process stopped")
                }
                _ => Ok(()),
            },
            EVENT_STOP => resume(tid, 0),
            _ => resume(tid, signal),
        }
    }

    fn process(&mut self, tid: i32) -> Option<&mut Process> {
        self.processes.get_mut(*self.threads.get(&tid)?)
    }

    /// A thread has made a new task.
    fn made(&mut self, tid: i32) -> Result<()> {
        let Some(&maker) = self.threads.get(&tid) else {
            return Ok(());
        };
        // The maker was killed: so is the new task.
        let Ok(new) = tracee::new_task(tid) else {
            return Ok(());
        };

        if self.early.remove(&new) {
            return self.born(new, maker);
        }
        if !self.threads.contains_key(&new) {
            self.awaited.insert(new, maker);
        }
        Ok(())
    }

    /// A task has stopped that was not seen before.
    fn first_stop(&mut self, tid: i32) -> Result<()> {
        match self.awaited.remove(&tid) {
            Some(maker) => self.born(tid, maker),
            None => {
                self.early.insert(tid);
                Ok(())
            }
        }
    }

    /// A task stands before its first instruction.
    fn born(&mut self, tid: i32, maker: usize) -> Result<()> {
        let parent = self.processes[maker].pid;

        if fs::exists(format!("/proc/{parent}/task/{tid}")).unwrap_or(false) {
            self.threads.insert(tid, maker);
        } else if tracee::share_memory(parent, tid).unwrap_or(false) {
            // After vfork(): it runs in its parent's memory until it executes a program.
            self.add(tid, Process::borrowing(tid));
        } else {
            match Process::start(tid, Some(maker)) {
                Ok(process) => self.add(tid, process),
                Err(error) => {
                    eprintln!("xpagemap: process {tid} is not recorded: {error:#}");
                    self.add(tid, Process::borrowing(tid));
                }
            }
        }
        resume(tid, 0)
    }

    /// A process has executed a program: it has another address space.
    fn executed(&mut self, tid: i32) -> Result<()> {
        let before = self.threads.get(&tid).copied();

        if let Some(before) = before
            && self.processes[before].pid == tid
        {
            self.processes[before].finish("executed a program")?;
            // The other threads are gone.
            self.threads.retain(|_, process| *process != before);
        }
        match Process::start(tid, None) {
            Ok(process) => self.add(tid, process),
            Err(error) => {
                eprintln!("xpagemap: process {tid} is not recorded: {error:#}");
                self.add(tid, Process::borrowing(tid));
            }
        }
        Ok(())
    }

    fn gone(&mut self, tid: i32, status: ExitStatus) -> Result<()> {
        self.early.remove(&tid);
        self.awaited.remove(&tid);
        if tid == self.root {
            self.ended = Some(status);
        }
        if let Some(index) = self.threads.remove(&tid)
            && self.processes[index].pid == tid
        {
            self.processes[index].finish(match status.signal() {
                Some(_) => "was killed",
                None => "exited",
            })?;
        }
        Ok(())
    }
}

fn threads(pid: i32) -> Result<Vec<i32>> {
    let mut threads = Vec::new();

    for entry in fs::read_dir(format!("/proc/{pid}/task"))
        .with_context(|| format!("cannot read the threads of process {pid}"))?
    {
        let name = entry?.file_name();
        let Some(tid) = name.to_str().and_then(|name| name.parse().ok()) else {
            bail!("/proc/{pid}/task has {name:?}, which is no thread");
        };
        threads.push(tid);
    }
    Ok(threads)
}

fn resume(tid: i32, signal: i32) -> Result<()> {
    match tracee::resume(tid, signal) {
        // It was killed meanwhile.
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        result => result.context("cannot resume a process"),
    }
}
