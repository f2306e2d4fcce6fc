// SPDX-License-Identifier: GPL-2.0

//! Processes by PID, by name, by cgroup, or all; files by path, or as a descriptor of a process.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::file;

/// Mount point of cgroup2.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Processes to look at.
#[derive(clap::Args, Debug, Default)]
pub struct Targets {
    /// Processes: PIDs, or names as in /proc/PID/comm
    #[arg(value_name = "PID|NAME", value_parser = name(), required_unless_present_any = ["all", "cgroup"])]
    pub targets: Vec<OsString>,
    /// All processes of this cgroup and those below it: a path, from /sys/fs/cgroup on or whole
    #[arg(long, value_name = "PATH", conflicts_with_all = ["targets", "all"])]
    pub cgroup: Option<PathBuf>,
    /// All processes
    #[arg(long, conflicts_with = "targets")]
    pub all: bool,
}

/// A process that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its PID.
    pub pid: i32,
    /// Its name, from `/proc/PID/comm`.
    pub name: String,
}

/// The processes that were chosen at one moment.
pub struct Selection {
    /// In order of their PIDs, each once.
    pub processes: Vec<Process>,
    /// True if they were not all named by PID: one that exits meanwhile is left out then.
    pub may_go: bool,
}

impl Targets {
    /// The processes that there are now.
    ///
    /// # Errors
    ///
    /// A PID, a name or a cgroup does not exist, or has no process with memory.
    pub fn now(&self) -> Result<Selection> {
        if self.all {
            return found(everyone()?, "with memory of its own");
        }
        if let Some(path) = &self.cgroup {
            return found(
                in_cgroup(&cgroup_directory(path))?,
                &format!("in cgroup {}", path.display()),
            );
        }

        let mut processes = Vec::new();
        let mut may_go = false;
        for target in &self.targets {
            match pid_of(target) {
                Some(pid) => {
                    let name =
                        name_of(pid).with_context(|| format!("no process has the PID {pid}"))?;
                    processes.push(Process { pid, name });
                }
                None => {
                    may_go = true;
                    processes.extend(named(target)?);
                }
            }
        }
        processes.sort_by_key(|process| process.pid);
        processes.dedup();
        Ok(Selection { processes, may_go })
    }
}

/// The parser of a PID or a name, which can have any bytes. A number is a PID, and must be one.
pub fn name() -> impl TypedValueParser<Value = OsString> {
    OsStringValueParser::new().try_map(checked)
}

fn checked(name: OsString) -> Result<OsString, &'static str> {
    let bytes = name.as_bytes();
    let is_number = bytes.iter().all(u8::is_ascii_digit);

    // An empty one is a number here, and no PID.
    if is_number && pid_of(&name).is_none_or(|pid| pid <= 0) {
        return Err("expected a PID, or a name as in /proc/PID/comm");
    }
    Ok(name)
}

/// The number that `target` is, if it is one.
fn pid_of(target: &OsStr) -> Option<i32> {
    target.to_str()?.parse().ok()
}

/// The processes of this name: by its bytes, or as it is printed.
fn named(name: &OsStr) -> Result<Vec<Process>> {
    let mut all = everyone()?;

    all.retain(|process| {
        comm(process.pid).is_some_and(|comm| comm == name.as_bytes())
            || name == process.name.as_str()
    });
    ensure!(
        !all.is_empty() || !is_file(name),
        "{} is a file, and a process is expected; `xpagemap file`, `plot` and `swap read` take files",
        name.display()
    );
    Ok(found(all, &format!("named {}", name.display()))?.processes)
}

/// Returns true if `name` is a file's: a path, or PID:FD.
fn is_file(name: &OsStr) -> bool {
    name.as_bytes().contains(&b'/') || file::descriptor(name).is_some() || Path::new(name).exists()
}

/// The one process that has this PID or name.
///
/// # Errors
///
/// There is none, or several have the name.
pub fn one(target: &OsStr) -> Result<Process> {
    let targets = Targets {
        targets: vec![target.to_os_string()],
        ..Targets::default()
    };
    let mut processes = targets.now()?.processes;

    match (processes.pop(), &processes[..]) {
        (Some(process), []) => Ok(process),
        (last, others) => {
            let pids: Vec<_> = others.iter().chain(&last).map(|one| one.pid).collect();
            bail!("several processes have this name, take one of {pids:?}")
        }
    }
}

/// A process or a file.
pub enum Subject {
    /// A process that there is.
    Process(Process),
    /// The name of a file: a path, or PID:FD. It may not be there.
    File(OsString),
}

impl Subject {
    /// Tells the two apart: a number is a PID; a name with a slash or of a file that is there, and
    /// PID:FD, is a file; all else is the name of a process.
    ///
    /// # Errors
    ///
    /// There is no such process, or several have the name.
    pub fn of(target: &OsStr) -> Result<Self> {
        if pid_of(target).is_none() && is_file(target) {
            return Ok(Self::File(target.to_os_string()));
        }
        Ok(Self::Process(one(target)?))
    }
}

fn found(processes: Vec<Process>, kind: &str) -> Result<Selection> {
    ensure!(
        !processes.is_empty(),
        "there is no process {kind}; `ps -e` lists PIDs and names"
    );
    Ok(Selection {
        processes,
        may_go: true,
    })
}

/// The name of a process, from `/proc/PID/comm`, as it is printed; [`None`] if there is no such process.
pub fn name_of(pid: i32) -> Option<String> {
    let name = comm(pid)?;

    Some(String::from_utf8_lossy(&name).replace(char::is_control, "?"))
}

/// The bytes of a process's name. The kernel ends the file with a newline; the name can have some, too.
fn comm(pid: i32) -> Option<Vec<u8>> {
    let mut name = fs::read(format!("/proc/{pid}/comm")).ok()?;

    name.pop();
    Some(name)
}

/// Returns true if the process has pages: kernel threads, zombies and exiting processes have none.
pub fn has_memory(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/statm"))
        .is_ok_and(|text| !text.starts_with("0 ") && !text.is_empty())
}

/// Times that a process or a file is read which changes meanwhile.
pub const ATTEMPTS: usize = 10;

/// Reads a process, and again if it executed another program meanwhile, or another caller detached
/// it. [`None`] if it has exited: its memory goes before its PID does.
///
/// # Errors
///
/// Each attempt failed; the error is that of the last.
pub fn while_running<T>(pid: i32, read: impl Fn() -> Result<T>) -> Result<Option<T>> {
    let mut attempts = ATTEMPTS;

    loop {
        attempts -= 1;
        match read() {
            Ok(told) => return Ok(Some(told)),
            Err(_) if !has_memory(pid) => return Ok(None),
            Err(error) if attempts == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

/// All processes with memory of their own, but for this one.
fn everyone() -> Result<Vec<Process>> {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let pids = fs::read_dir("/proc")
        .context("cannot read /proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let mut processes: Vec<_> = pids
        .filter(|pid| *pid != own && has_memory(*pid))
        .filter_map(|pid| {
            Some(Process {
                pid,
                name: name_of(pid)?,
            })
        })
        .collect();

    processes.sort_by_key(|process| process.pid);
    Ok(processes)
}

fn cgroup_directory(path: &Path) -> PathBuf {
    if path.starts_with(CGROUPS) {
        return path.to_path_buf();
    }
    Path::new(CGROUPS).join(path.strip_prefix("/").unwrap_or(path))
}

fn in_cgroup(directory: &Path) -> Result<Vec<Process>> {
    let mut directories = vec![directory.to_path_buf()];
    let mut processes = Vec::new();

    while let Some(directory) = directories.pop() {
        let list = directory.join("cgroup.procs");
        let text = match fs::read_to_string(&list) {
            Ok(text) => text,
            // A cgroup below may have been removed meanwhile; one in threaded mode has no list.
            Err(_) if !processes.is_empty() => continue,
            Err(error) => bail!("cannot read {}: {error}", list.display()),
        };
        let pids = text.lines().filter_map(|line| line.parse::<i32>().ok());
        processes.extend(pids.filter(|pid| has_memory(*pid)).filter_map(|pid| {
            Some(Process {
                pid,
                name: name_of(pid)?,
            })
        }));
        let below = fs::read_dir(&directory).into_iter().flatten().flatten();
        directories.extend(
            below
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
    }
    processes.sort_by_key(|process| process.pid);
    Ok(processes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn targets(names: &[&str]) -> Targets {
        Targets {
            targets: names.iter().map(OsString::from).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn own_process_by_pid_once() {
        let own = std::process::id().to_string();
        let found = targets(&[&own, &own]).now().expect("own process");
        assert_eq!(found.processes.len(), 1);
        assert_eq!(found.processes[0].pid.to_string(), own);
        assert!(!found.may_go);
    }

    #[test]
    fn processes_by_name_may_go() {
        let start = || Command::new("sleep").arg("600").spawn().expect("sleep");
        let mut children = [start(), start()];
        let pids = children.each_ref().map(|child| child.id().cast_signed());

        let found = targets(&["sleep"]).now();
        let one = one("sleep".as_ref());
        let all = everyone();
        for child in &mut children {
            child.kill().expect("a child");
            child.wait().expect("a child");
        }

        let found = found.expect("two at least");
        let one = one.expect_err("several").to_string();
        let all = all.expect("all processes");
        assert!(found.may_go);
        for pid in pids {
            assert!(found.processes.iter().any(|process| process.pid == pid));
            assert!(all.iter().any(|process| process.pid == pid));
            assert!(one.contains(&pid.to_string()), "{one}");
        }
        let own = std::process::id().cast_signed();
        assert!(all.iter().all(|process| process.pid != own));
    }

    #[test]
    fn nobody_is_an_error() {
        for name in ["0", "no such name at all"] {
            let error = targets(&[name]).now().err().expect("nobody");
            assert!(error.to_string().contains(name), "{error}");
        }
        let is_ok = |name: &str| checked(name.into()).is_ok();
        assert!(!is_ok("") && !is_ok("0") && !is_ok("4294967297"));
        assert!(is_ok("7") && is_ok("7zip"));
    }

    #[test]
    fn files_are_told_from_processes() {
        let own = std::process::id().to_string();
        assert!(
            matches!(Subject::of(own.as_ref()), Ok(Subject::Process(one)) if one.pid.to_string() == own)
        );
        for name in ["/no such file", "./7", "12:3", "src"] {
            assert!(
                matches!(Subject::of(name.as_ref()), Ok(Subject::File(_))),
                "{name}"
            );
        }
        for name in ["12:3", "/proc/self/exe"] {
            let error = one(name.as_ref()).expect_err("a file");
            assert!(error.to_string().contains("is a file"), "{error}");
        }
        let error = Subject::of("no such name".as_ref()).err().expect("neither");
        assert!(
            error.to_string().contains("no process named no such name"),
            "{error}"
        );
    }

    #[test]
    fn everyone_is_in_order_and_kernel_threads_are_not() {
        let all = everyone().expect("/proc");
        assert!(all.windows(2).all(|pair| pair[0].pid < pair[1].pid));
        assert!(all.iter().all(|process| process.name != "kthreadd"));
    }

    #[test]
    fn cgroups_are_named_in_either_form() {
        for path in ["a/b", "/a/b", "/sys/fs/cgroup/a/b"] {
            let directory = cgroup_directory(Path::new(path));
            assert_eq!(directory, Path::new("/sys/fs/cgroup/a/b"));
        }
    }
}
