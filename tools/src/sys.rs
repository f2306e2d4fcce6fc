// SPDX-License-Identifier: GPL-2.0

//! The system calls no crate we use wraps; the only unsafe code of this program.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::ptr;
use std::slice;

/// Maps `bytes` bytes of new memory, shared with future children, for as long as the process
/// lives.
pub fn map_shared(bytes: usize) -> io::Result<&'static mut [u8]> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;

    // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
    let start = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: mmap returned `bytes` readable, writable, zeroed bytes, which nobody else has a
    // pointer to and which are never unmapped.
    Ok(unsafe { slice::from_raw_parts_mut(start.cast(), bytes) })
}

/// What the page cache holds of a range of a file: `struct cachestat`.
#[repr(C)]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CacheStat {
    /// Pages in the cache.
    pub cache: u64,
    /// Of them, dirty.
    pub dirty: u64,
    /// Of them, being written.
    pub writeback: u64,
    /// Pages that were in the cache; for shared memory, pages on swap.
    pub evicted: u64,
    /// Of them, evicted a short time ago.
    pub recently_evicted: u64,
}

#[repr(C)]
struct CacheStatRange {
    offset: u64,
    bytes: u64,
}

/// cachestat(2) has this number on every architecture but alpha.
const SYS_CACHESTAT: libc::c_long = 451;

/// cachestat(2) on `bytes` bytes of `file` from `offset`.
pub fn cachestat(file: &File, offset: u64, bytes: u64) -> io::Result<CacheStat> {
    let range = CacheStatRange { offset, bytes };
    let mut stat = CacheStat::default();

    // SAFETY: the kernel reads a cachestat_range and writes a cachestat, which these two are laid
    // out as; both outlive the call.
    let status = unsafe {
        libc::syscall(
            SYS_CACHESTAT,
            file.as_raw_fd(),
            &raw const range,
            &raw mut stat,
            0,
        )
    };
    match status {
        0 => Ok(stat),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The events that a traced process stops at besides signals.
const TRACED: libc::c_int = libc::PTRACE_O_TRACEEXEC | libc::PTRACE_O_TRACEEXIT;

/// Starts a program that the calling thread traces. It stops with SIGTRAP before its first
/// instruction, but for a signal that arrives earlier.
pub fn spawn_traced(command: &mut Command) -> io::Result<Child> {
    let trace_me = || ptrace(libc::PTRACE_TRACEME, 0, 0);

    // SAFETY: in the child, this makes a system call and nothing else; it takes no lock and no
    // memory that another thread may have been in the midst of changing.
    unsafe { command.pre_exec(trace_me) }.spawn()
}

/// Lets a stopped process stop at the start of further programs and at its end too.
pub fn trace_events(pid: i32) -> io::Result<()> {
    ptrace(libc::PTRACE_SETOPTIONS, pid, TRACED)
}

/// Lets a stopped process go on, with a signal unless that is 0.
pub fn resume(pid: i32, signal: i32) -> io::Result<()> {
    ptrace(libc::PTRACE_CONT, pid, signal)
}

/// A request of ptrace(2) whose data is a number.
fn ptrace(request: libc::c_uint, pid: i32, data: libc::c_int) -> io::Result<()> {
    let none = ptr::null_mut::<libc::c_void>();
    let data = ptr::without_provenance_mut::<libc::c_void>(data.unsigned_abs() as usize);

    // SAFETY: these requests read and write no memory of this process; both arguments have the
    // size that they are taken with.
    check(unsafe { libc::ptrace(request, pid, none, data) })
}

/// How a child stopped or ended, if it did and that was not told before.
pub fn wait(pid: i32) -> io::Result<Option<ExitStatus>> {
    let mut status = 0;

    // SAFETY: the kernel writes an int to `status`, which outlives the call.
    match unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } {
        0 => Ok(None),
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(Some(ExitStatus::from_raw(status))),
    }
}

/// Kills a process.
pub fn kill(pid: i32) -> io::Result<()> {
    // SAFETY: kill takes no pointers.
    check(unsafe { libc::kill(pid, libc::SIGKILL) }.into())
}

fn check(status: libc::c_long) -> io::Result<()> {
    match status {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_shared_memory_is_zeroed_and_writable() {
        let memory = map_shared(8192).expect("two pages");
        assert!(memory.iter().all(|byte| *byte == 0));
        memory.fill(7);
        assert_eq!(memory[8191], 7);
    }

    #[test]
    fn no_memory_of_no_size() {
        let error = map_shared(0).expect_err("an empty mapping");
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    }
}
