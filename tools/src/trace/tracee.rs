// SPDX-License-Identifier: GPL-2.0

//! The requests of ptrace(2), and other system calls, that following children takes.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::ptr;

/// Stops besides those for signals: new tasks, execve, and the end of a task.
const FOLLOWED: libc::c_int = libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACEEXIT;

/// Traces a running thread, and its children from now on, without stopping it.
pub fn seize(tid: i32) -> io::Result<()> {
    request(libc::PTRACE_SEIZE, tid, FOLLOWED)
}

/// Traces also the children of a thread that is traced and stopped.
pub fn follow(tid: i32) -> io::Result<()> {
    request(libc::PTRACE_SETOPTIONS, tid, FOLLOWED)
}

/// Resumes a stopped thread and delivers `signal`, unless that is 0.
pub fn resume(tid: i32, signal: i32) -> io::Result<()> {
    request(libc::PTRACE_CONT, tid, signal)
}

/// Leaves a thread, traced by [`seize`], stopped by job control until that continues it.
pub fn listen(tid: i32) -> io::Result<()> {
    request(libc::PTRACE_LISTEN, tid, 0)
}

/// Returns the number of the new task at whose creation a thread is stopped.
pub fn new_task(tid: i32) -> io::Result<i32> {
    let mut message: libc::c_ulong = 0;

    // SAFETY: the kernel writes an unsigned long to `message`, which outlives the call.
    check(unsafe {
        libc::ptrace(
            libc::PTRACE_GETEVENTMSG,
            tid,
            ptr::null_mut::<libc::c_void>(),
            &raw mut message,
        )
    })?;
    i32::try_from(message).map_err(io::Error::other)
}

fn request(request: libc::c_uint, tid: i32, data: libc::c_int) -> io::Result<()> {
    let none = ptr::null_mut::<libc::c_void>();
    let data = ptr::without_provenance_mut::<libc::c_void>(data.unsigned_abs() as usize);

    // SAFETY: these requests access no memory of this process; both arguments have the size that
    // libc's variadic ptrace() reads.
    check(unsafe { libc::ptrace(request, tid, none, data) })
}

/// Returns a traced thread or child that has stopped or ended, and how; [`None`] if there is none.
pub fn wait_any() -> io::Result<Option<(i32, ExitStatus)>> {
    let mut status = 0;

    // SAFETY: the kernel writes an int to `status`, which outlives the call.
    match unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::__WALL) } {
        0 => Ok(None),
        -1 => Err(io::Error::last_os_error()),
        tid => Ok(Some((tid, ExitStatus::from_raw(status)))),
    }
}

/// Returns whether two tasks have one address space, as after vfork().
pub fn share_memory(one: i32, other: i32) -> io::Result<bool> {
    /// `KCMP_VM` of linux/kcmp.h.
    const KCMP_VM: libc::c_int = 1;

    // SAFETY: kcmp() takes no pointers.
    let order = unsafe { libc::syscall(libc::SYS_kcmp, one, other, KCMP_VM, 0_u64, 0_u64) };
    check(order)?;
    Ok(order == 0)
}

/// Nanoseconds of `CLOCK_MONOTONIC`, in which events are timed.
pub fn now() -> io::Result<u64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };

    // SAFETY: the kernel writes a timespec to `time`, which outlives the call.
    check(unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) }.into())?;
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).map_err(io::Error::other)
}

fn check(status: libc::c_long) -> io::Result<()> {
    match status {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
