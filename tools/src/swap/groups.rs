// SPDX-License-Identifier: GPL-2.0

//! The balance sheet by cgroup or by user.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::sheet::{Entry, Owner};

/// Mount point of cgroup2.
const CGROUPS: &str = "/sys/fs/cgroup";

/// A property that processes have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The cgroup.
    Cgroup,
    /// The user.
    User,
}

/// Slots of the processes of one cgroup or user.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Group {
    /// The path of the cgroup, or the user; empty for files that no process maps.
    pub name: String,
    /// Slots of anonymous memory that only its processes refer to.
    pub alone: u64,
    /// Slots that others refer to as well, by fork.
    pub shared: u64,
    /// Slots of files, divided among the processes that map pages of theirs.
    pub files: f64,
    /// Proportional share, with `files`.
    pub pswap: f64,
    /// The kernel's count of the cgroup and those below it, `memory.swap.current`.
    pub current: Option<u64>,
}

/// Adds up the slots by group, the largest first.
pub fn groups(entries: &[Entry], by: By) -> Vec<Group> {
    let mut of_process: HashMap<i32, String> = HashMap::new();
    let mut references: HashMap<(u64, u64), u32> = HashMap::new();
    let mut own: BTreeMap<String, HashMap<(u64, u64), u32>> = BTreeMap::new();
    let mut files: BTreeMap<String, f64> = BTreeMap::new();

    for entry in entries {
        if let Owner::Process { pid, .. } = entry.owner {
            let name = match by {
                By::Cgroup => &entry.origin.cgroup,
                By::User => &entry.origin.user,
            };
            of_process.insert(pid, name.clone());
            let slots = own.entry(name.clone()).or_default();
            for slot in entry.runs.iter().flat_map(|run| run.slots()) {
                *references.entry(slot).or_default() += 1;
                *slots.entry(slot).or_default() += 1;
            }
        }
    }
    for entry in entries {
        if let Owner::File { mapped_by, .. } = &entry.owner {
            let pages: u64 = entry.runs.iter().map(|run| run.pages).sum();
            let names: Vec<_> = match mapped_by.is_empty() {
                true => vec![String::new()],
                false => mapped_by
                    .iter()
                    .map(|pid| of_process.get(pid).cloned().unwrap_or_default())
                    .collect(),
            };
            for name in &names {
                *files.entry(name.clone()).or_default() += pages as f64 / names.len() as f64;
                own.entry(name.clone()).or_default();
            }
        }
    }
    let groups = own.into_iter().map(|(name, slots)| {
        let mut group = Group {
            files: files.get(&name).copied().unwrap_or_default(),
            current: match by {
                By::Cgroup => current(&name),
                By::User => None,
            },
            name,
            ..Default::default()
        };
        group.pswap = group.files;
        for (slot, count) in slots {
            let all = references.get(&slot).copied().unwrap_or(count).max(1);
            match count == all {
                true => group.alone += 1,
                false => group.shared += 1,
            }
            group.pswap += f64::from(count) / f64::from(all);
        }
        group
    });
    let mut groups: Vec<_> = groups.filter(|group| group.pswap > 0.0).collect();
    groups.sort_by(|a, b| b.pswap.total_cmp(&a.pswap));
    groups
}

/// `memory.swap.current` in pages.
pub fn current(cgroup: &str) -> Option<u64> {
    let path = Path::new(CGROUPS).join(cgroup.strip_prefix('/')?);
    let text = fs::read_to_string(path.join("memory.swap.current")).ok()?;

    Some(text.trim().parse::<u64>().ok()? / procfs::page_size())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swap::sheet::tests::{file, process};

    #[test]
    fn shares_of_groups_add_up() {
        let mut entries = vec![
            process(1, &[(10, 8)]),
            process(2, &[(14, 8)]),
            process(3, &[(14, 4)]),
            file(&[1, 3], 100, 6),
            file(&[], 200, 5),
        ];
        for (entry, cgroup) in entries.iter_mut().zip(["/a", "/b", "/b"]) {
            entry.origin.cgroup = cgroup.to_string();
        }
        let groups = groups(&entries, By::Cgroup);
        let sum: f64 = groups.iter().map(|group| group.pswap).sum();
        assert!((sum - 23.0).abs() < 1e-9, "{groups:?}");
        let names: Vec<_> = groups.iter().map(|group| &*group.name).collect();
        assert_eq!(names, ["/b", "/a", ""]);
        assert_eq!((groups[0].alone, groups[0].shared), (4, 4));
        assert_eq!((groups[1].alone, groups[1].shared), (4, 4));
        assert!((groups[1].files - 3.0).abs() < 1e-9);
    }
}
