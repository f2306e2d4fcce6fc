// SPDX-License-Identifier: GPL-2.0

//! A line of the balance sheet: an owner of slots, or a cgroup or user.

use crate::commands::columns::{Column, Row};
use crate::commands::table::number;
use crate::swap::groups::Group;
use crate::swap::sheet::{Owner, Share};

/// The cells that a line has; those of lines of other kinds are empty.
#[derive(Default)]
pub struct Line {
    /// Proportional share.
    pub pswap: String,
    /// Slots of this owner alone.
    pub alone: String,
    /// Slots shared by fork.
    pub shared: String,
    /// Slots that pages in memory keep.
    pub cached: String,
    /// Slots of files, of a cgroup or user.
    pub files: String,
    /// The cgroup's own count.
    pub current: String,
    /// The owner's parts.
    pub parts: Parts,
    /// The owner in words.
    pub owner: String,
}

/// Parts of an owner that are columns of their own.
#[derive(Default)]
pub struct Parts {
    /// `process`, `file`, or empty.
    pub kind: &'static str,
    /// PID of a process.
    pub pid: String,
    /// ID of a file.
    pub id: String,
    /// PIDs of those that map a file.
    pub mapped_by: String,
    /// Name of the process, the file, the cgroup or the user.
    pub name: String,
}

impl Parts {
    /// The parts of an owner.
    pub fn of(owner: &Owner) -> Self {
        match owner {
            Owner::Process { pid, name } => Self {
                kind: "process",
                pid: pid.to_string(),
                name: name.clone(),
                ..Self::default()
            },
            Owner::File {
                id,
                name,
                mapped_by,
            } => {
                let pids: Vec<_> = mapped_by.iter().map(ToString::to_string).collect();
                Self {
                    kind: "file",
                    id: id.clone(),
                    mapped_by: pids.join(","),
                    name: name.replace(char::is_control, "?"),
                    ..Self::default()
                }
            }
        }
    }
}

/// The columns of an owner's parts, and of the owner in words.
pub fn owner_columns<R: Row>(parts: fn(&R) -> &Parts, owner: fn(&R) -> String) -> Vec<Column<R>> {
    vec![
        Column::text("kind", move |row| parts(row).kind.to_string()),
        Column::number("pid", move |row| parts(row).pid.clone()),
        Column::text("id", move |row| parts(row).id.clone()),
        Column::text("mapped-by", move |row| parts(row).mapped_by.clone()),
        Column::text("name", move |row| parts(row).name.clone()),
        Column::text("owner", owner).fields(&["kind", "pid", "id", "name", "mapped_by"]),
    ]
}

impl Row for Line {
    fn columns() -> Vec<Column<Self>> {
        let mut columns = vec![
            Column::number("pswap", |line: &Self| line.pswap.clone())
                .fields(&["pswap", "at_least"]),
            Column::number("alone", |line: &Self| line.alone.clone()),
            Column::number("shared", |line: &Self| line.shared.clone()),
            Column::number("cached", |line: &Self| line.cached.clone()),
            Column::number("files", |line: &Self| line.files.clone()),
            Column::number("current", |line: &Self| line.current.clone()),
        ];

        columns.extend(owner_columns(
            |line: &Self| &line.parts,
            |line| line.owner.clone(),
        ));
        columns
    }
}

impl Line {
    /// The line of an owner.
    pub fn of_share(share: &Share, owner: String) -> Self {
        Self {
            pswap: format!("{:.1}", share.pswap),
            alone: share.alone.to_string(),
            shared: share.shared.to_string(),
            cached: share.cached.to_string(),
            parts: Parts::of(&share.owner),
            owner,
            ..Self::default()
        }
    }

    /// The line of a cgroup or user.
    pub fn of_group(group: &Group) -> Self {
        let name = group.name.replace(char::is_control, "?");
        let owner = match name.is_empty() {
            true => "files that no process maps".to_string(),
            false => name.clone(),
        };

        Self {
            pswap: format!("{:.1}", group.pswap),
            alone: group.alone.to_string(),
            shared: group.shared.to_string(),
            files: format!("{:.1}", group.files),
            current: number(group.current),
            parts: Parts {
                name,
                ..Parts::default()
            },
            owner,
            ..Self::default()
        }
    }
}

/// Columns of owners, unless others are chosen.
pub const OWNERS: [&str; 5] = ["pswap", "alone", "shared", "cached", "owner"];

/// Columns of cgroups and users.
pub const GROUPS: [&str; 6] = ["pswap", "alone", "shared", "files", "current", "owner"];

/// Columns of owners without the module.
pub const PROC_OWNERS: [&str; 2] = ["pswap", "owner"];

/// Columns of cgroups and users without the module.
pub const PROC_GROUPS: [&str; 3] = ["pswap", "current", "owner"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::columns::tests::{check, output};

    #[test]
    fn owners_have_parts() {
        for usual in [&OWNERS[..], &GROUPS, &PROC_OWNERS, &PROC_GROUPS] {
            check::<Line>(usual);
        }
        let owner = Owner::File {
            id: "0:1:2".to_string(),
            name: "/memfd:a\n".to_string(),
            mapped_by: vec![7, 8],
        };
        let share = Share {
            owner,
            alone: 5,
            shared: 0,
            pswap: 5.0,
            cached: 2,
        };
        let columns = output("id,alone,mapped-by,pid,name").or_usual(&OWNERS);
        let lines = columns
            .table(&[Line::of_share(&share, String::new())])
            .lines(0);
        assert_eq!(lines[1], "0:1:2      5  7,8             /memfd:a?");
        let lines = output("current,files,kind,owner").or_usual(&GROUPS);
        let lines = lines.table(&[Line::of_group(&Group::default())]).lines(0);
        assert_eq!(lines[1], "?          0.0        files that no process maps");
    }
}
