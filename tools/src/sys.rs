// SPDX-License-Identifier: GPL-2.0

//! System calls that no dependency wraps. All unsafe code of this crate is here.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::ptr;
use std::slice;

use crate::abi::{
    PAGEMAP_READ, PAGEMAP_SCAN, PageRegion, PmReadArg, PmScanArg, SHMEM_SCAN, ShmemRegion,
    ShmemScanArg,
};

/// Maps `bytes` bytes of new shared memory, until the process exits.
pub fn map_shared(bytes: usize) -> io::Result<&'static mut [u8]> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;

    // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
    let start = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: mmap returned `bytes` readable, writable, zeroed bytes, to which there is no other
    // pointer and which are never unmapped.
    Ok(unsafe { slice::from_raw_parts_mut(start.cast(), bytes) })
}

/// Page cache counts for a range of a file: `struct cachestat`.
#[repr(C)]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CacheStat {
    /// Pages in the cache.
    pub cache: u64,
    /// Dirty pages among these.
    pub dirty: u64,
    /// Pages under writeback among these.
    pub writeback: u64,
    /// Pages evicted from the cache; of shared memory, pages on swap.
    pub evicted: u64,
    /// Recently evicted pages among these.
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

    // SAFETY: the kernel reads a cachestat_range and writes a cachestat; `range` and `stat` have
    // their layouts and outlive the call.
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

/// `TMPFS_MAGIC`: shared memory of all kinds has this in `f_type` of fstatfs(2).
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// Returns true if `file` is shared memory.
pub fn is_shared_memory(file: &File) -> io::Result<bool> {
    let mut stat = std::mem::MaybeUninit::<libc::statfs>::zeroed();

    // SAFETY: the kernel writes a statfs to `stat`, which outlives the call.
    check(unsafe { libc::fstatfs(file.as_raw_fd(), stat.as_mut_ptr()) }.into())?;
    // SAFETY: all of it was zeroed, and zero bits are a valid statfs.
    Ok(unsafe { stat.assume_init() }.f_type == TMPFS_MAGIC)
}

/// ioctl(PAGEMAP_SCAN): sets the size and the array of `arg`, and returns the regions found.
/// `arg.flags` must not ask for write protection.
pub fn pagemap_scan<'a>(
    pagemap: &File,
    arg: &mut PmScanArg,
    regions: &'a mut [PageRegion],
) -> io::Result<&'a [PageRegion]> {
    arg.size = size_of::<PmScanArg>() as u64;
    arg.vec = regions.as_mut_ptr().expose_provenance() as u64;
    arg.vec_len = regions.len() as u64;
    // SAFETY: the kernel reads and writes a pm_scan_arg, and writes at most `vec_len` regions to
    // `vec`; `arg` and `regions` are borrowed mutably, and any bits are valid in them.
    let found = unsafe { ioctl(pagemap, PAGEMAP_SCAN, (&raw mut *arg).cast()) }?;

    Ok(regions.get(..found).unwrap_or_default())
}

/// ioctl(PAGEMAP_READ): reads entries from address `start` on. Returns the number of entries.
pub fn pagemap_read(
    pagemap: &File,
    flags: u64,
    start: u64,
    end: u64,
    entries: &mut [u64],
) -> io::Result<usize> {
    let mut arg = PmReadArg {
        size: size_of::<PmReadArg>() as u64,
        flags,
        start,
        end,
        vec: entries.as_mut_ptr().expose_provenance() as u64,
        vec_len: entries.len() as u64,
        walk_end: 0,
    };

    // SAFETY: the kernel reads and writes a pm_read_arg, and writes at most `vec_len` entries to
    // `vec`; both outlive the call, and any bits are valid in them.
    let read = unsafe { ioctl(pagemap, PAGEMAP_READ, (&raw mut arg).cast()) }?;
    Ok(read)
}

/// ioctl(SHMEM_SCAN): sets the size and the array of `arg`, and returns the regions found.
pub fn shmem_scan<'a>(
    file: &File,
    arg: &mut ShmemScanArg,
    regions: &'a mut [ShmemRegion],
) -> io::Result<&'a [ShmemRegion]> {
    arg.size = size_of::<ShmemScanArg>() as u64;
    arg.vec = regions.as_mut_ptr().expose_provenance() as u64;
    arg.vec_len = regions.len() as u64;
    // SAFETY: as in `pagemap_scan`, with a shmem_scan_arg.
    let found = unsafe { ioctl(file, SHMEM_SCAN, (&raw mut *arg).cast()) }?;

    Ok(regions.get(..found).unwrap_or_default())
}

/// ioctl(2). Restarted after a signal that interrupts it.
///
/// # Safety
///
/// `arg` must point to what the request reads and writes, and so must addresses in that.
unsafe fn ioctl(file: &File, request: u32, arg: *mut libc::c_void) -> io::Result<usize> {
    loop {
        // SAFETY: the caller's promise.
        let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::Ioctl::from(request), arg) };

        match usize::try_from(result) {
            Ok(result) => return Ok(result),
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
}

/// The width of the terminal that standard output is, in columns: [`None`] if it is none.
pub fn terminal_columns() -> Option<u16> {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };

    // SAFETY: the kernel writes a winsize to `size`, which outlives the call.
    let status = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    (status == 0 && size.ws_col > 0).then_some(size.ws_col)
}

/// lseek(2) with SEEK_DATA or SEEK_HOLE from `offset` on: [`None`] if there is no more data.
fn seek(file: &File, offset: u64, whence: libc::c_int) -> io::Result<Option<u64>> {
    let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
    // SAFETY: lseek takes no pointers.
    let found = unsafe { libc::lseek(file.as_raw_fd(), offset, whence) };

    match u64::try_from(found) {
        Ok(found) => Ok(Some(found)),
        Err(_) => match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ENXIO) => Ok(None),
            error => Err(error),
        },
    }
}

/// The next run of bytes with data from `offset` on, by lseek(2): [`None`] if there is none.
pub fn next_data(file: &File, offset: u64) -> io::Result<Option<(u64, u64)>> {
    let Some(start) = seek(file, offset, libc::SEEK_DATA)? else {
        return Ok(None);
    };
    let end = seek(file, start, libc::SEEK_HOLE)?;

    Ok(end.map(|end| (start, end)))
}

/// Events besides signals at which a traced process stops.
const TRACED: libc::c_int = libc::PTRACE_O_TRACEEXEC | libc::PTRACE_O_TRACEEXIT;

/// Starts a program traced by the calling thread. It stops with SIGTRAP before its first
/// instruction, unless a signal arrives earlier.
pub fn spawn_traced(command: &mut Command) -> io::Result<Child> {
    let trace_me = || ptrace(libc::PTRACE_TRACEME, 0, 0);

    // SAFETY: `trace_me` only makes a system call: it takes no lock and allocates nothing, so it
    // may run between fork and exec.
    unsafe { command.pre_exec(trace_me) }.spawn()
}

/// Makes a stopped process also stop at each execve and before it exits.
pub fn trace_events(pid: i32) -> io::Result<()> {
    ptrace(libc::PTRACE_SETOPTIONS, pid, TRACED)
}

/// Resumes a stopped process and delivers `signal`, unless that is 0.
pub fn resume(pid: i32, signal: i32) -> io::Result<()> {
    ptrace(libc::PTRACE_CONT, pid, signal)
}

/// Makes a ptrace(2) request whose data is a number.
fn ptrace(request: libc::c_uint, pid: i32, data: libc::c_int) -> io::Result<()> {
    let none = ptr::null_mut::<libc::c_void>();
    let data = ptr::without_provenance_mut::<libc::c_void>(data.unsigned_abs() as usize);

    // SAFETY: these requests access no memory of this process; both arguments have the size that
    // libc's variadic ptrace() reads.
    check(unsafe { libc::ptrace(request, pid, none, data) })
}

/// Returns how a child stopped or ended, if it has since the last call.
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
