// SPDX-License-Identifier: GPL-2.0

//! The cgroup and the user of a process.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::text;

/// Owners of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Path of its cgroup; empty if it cannot be read.
    pub cgroup: String,
    /// User: number and name.
    pub user: String,
}

impl Origin {
    /// The owners of process `pid`.
    pub fn of(pid: i32) -> Self {
        let text = text::read(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let cgroup = text.lines().find_map(|line| line.strip_prefix("0::"));
        // The directory has the effective user.
        let user = fs::metadata(format!("/proc/{pid}")).map(|process| process.uid());

        Self {
            cgroup: cgroup.unwrap_or_default().to_string(),
            user: user.map(named).unwrap_or_default(),
        }
    }
}

fn named(user: u32) -> String {
    let text = text::read("/etc/passwd").unwrap_or_default();
    let name = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == user.to_string()).then(|| name.to_string())
    });

    match name {
        Some(name) => format!("{user} ({name})"),
        None => user.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_origin() {
        let own = Origin::of(i32::try_from(std::process::id()).expect("a PID"));
        let uid = fs::metadata("/proc/self").expect("metadata").uid();
        assert!(own.user.starts_with(&uid.to_string()), "{own:?}");
    }
}
