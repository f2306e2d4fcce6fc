// SPDX-License-Identifier: GPL-2.0

//! The mappings of a process, with the names of `/proc/PID/maps`.

use std::ops::Range;

use anyhow::{Context, Result};
use procfs::process::{MMPermissions, MMapPath, MemoryMap, Process};

/// The name of a mapping; empty if it has none.
pub fn name(map: &MemoryMap) -> String {
    let name = match &map.pathname {
        MMapPath::Path(path) => path.display().to_string(),
        MMapPath::Heap => "[heap]".to_string(),
        MMapPath::Stack => "[stack]".to_string(),
        MMapPath::TStack(thread) => format!("[stack:{thread}]"),
        MMapPath::Vdso => "[vdso]".to_string(),
        MMapPath::Vvar => "[vvar]".to_string(),
        MMapPath::Vsyscall => "[vsyscall]".to_string(),
        MMapPath::Rollup => "[rollup]".to_string(),
        MMapPath::Anonymous => String::new(),
        MMapPath::Vsys(key) => format!("SysV shared memory, key {key:#x}"),
        MMapPath::Other(other) => format!("[{other}]"),
    };
    // A file's name can have control characters, which a terminal would obey.
    name.replace(char::is_control, "?")
}

/// A mapping of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// Address behind the last byte.
    pub end: u64,
    /// Its permissions, as in `/proc/PID/maps`: `rw-s`.
    pub permissions: String,
    /// True if a file is mapped; shared memory is one.
    pub has_file: bool,
    /// The file: MAJOR:MINOR:INODE.
    pub file: String,
    /// Its name; empty if it has none.
    pub name: String,
}

impl Mapping {
    fn of(map: &MemoryMap) -> Self {
        Self {
            start: map.address.0,
            end: map.address.1,
            permissions: letters(map.perms),
            has_file: map.inode != 0,
            file: format!("{}:{}:{}", map.dev.0, map.dev.1, map.inode),
            name: name(map),
        }
    }

    /// Its addresses, permissions and name, as they stand above its pages.
    pub fn heading(&self) -> String {
        let Self {
            start,
            end,
            permissions,
            name,
            ..
        } = self;
        let heading = format!("{start:x}-{end:x} {permissions} {name}");

        heading.trim_end().to_string()
    }

    /// The numbers of its virtual pages.
    pub fn pages(&self, page_size: u64) -> Range<u64> {
        self.start / page_size..self.end / page_size
    }
}

/// The mappings of process `pid`, by address. The vsyscall page is not among them: it is in the
/// kernel's half, above the end of pagemap files.
///
/// # Errors
///
/// There is no such process, or it belongs to another user.
pub fn mappings(pid: i32) -> Result<Vec<Mapping>> {
    let maps = Process::new(pid)
        .and_then(|process| process.maps())
        .with_context(|| format!("cannot read /proc/{pid}/maps"))?;
    let own = maps.iter().filter(|map| map.pathname != MMapPath::Vsyscall);

    Ok(own.map(Mapping::of).collect())
}

fn letters(permissions: MMPermissions) -> String {
    [
        (MMPermissions::READ, 'r', '-'),
        (MMPermissions::WRITE, 'w', '-'),
        (MMPermissions::EXECUTE, 'x', '-'),
        (MMPermissions::SHARED, 's', 'p'),
    ]
    .map(|(flag, yes, no)| if permissions.contains(flag) { yes } else { no })
    .iter()
    .collect()
}

/// The mappings of a process at one time, by address.
pub struct Maps(Vec<(Range<u64>, String)>);

impl Maps {
    /// Reads the mappings of process `pid`.
    ///
    /// # Errors
    ///
    /// There is no such process, or it belongs to another user.
    pub fn of(pid: i32) -> Result<Self> {
        let maps = Process::new(pid)
            .and_then(|process| process.maps())
            .with_context(|| format!("cannot read /proc/{pid}/maps"))?;

        Ok(Self(
            maps.iter()
                .map(|map| (map.address.0..map.address.1, name(map)))
                .collect(),
        ))
    }

    /// The name of the mapping at `address`: [`None`] if nothing is mapped there.
    pub fn name_at(&self, address: u64) -> Option<&str> {
        let Self(maps) = self;
        let next = maps.partition_point(|(range, _)| range.start <= address);
        let (range, name) = maps.get(next.checked_sub(1)?)?;

        range.contains(&address).then_some(name)
    }
}

/// The mappings of a process at several times: the first and the last ones.
#[derive(Default)]
pub struct Names(Vec<Maps>);

/// Number of times that are kept. Bounds the memory of a long recording.
const TIMES: usize = 3;

impl Names {
    /// Adds mappings that are newer than the others.
    pub fn push(&mut self, maps: Maps) {
        if self.0.len() == TIMES {
            self.0.remove(1);
        }
        self.0.push(maps);
    }

    /// The name of the newest mapping at `address`.
    pub fn name_at(&self, address: u64) -> &str {
        match self.0.iter().rev().find_map(|maps| maps.name_at(address)) {
            Some("") => "anonymous",
            Some(name) => name,
            None => "not mapped now",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Mappings of pages of 4096 bytes, by page number.
    pub fn names(maps: &[(Range<u64>, &str)]) -> Names {
        let bytes = |pages: &Range<u64>| pages.start * 4096..pages.end * 4096;
        let maps = maps
            .iter()
            .map(|(pages, name)| (bytes(pages), name.to_string()));

        Names(vec![Maps(maps.collect())])
    }

    #[test]
    fn the_newest_mapping_has_the_name() {
        let mut all = names(&[(1..3, "[heap]"), (3..4, "/a")]);
        all.push(names(&[(2..3, "")]).0.pop().expect("one"));
        let found = [0, 0x1000, 0x1fff, 0x2000, 0x3fff, 0x4000].map(|at| all.name_at(at));
        let expected = [
            "not mapped now",
            "[heap]",
            "[heap]",
            "anonymous",
            "/a",
            "not mapped now",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn own_memory_has_a_name() {
        let maps = Maps::of(std::process::id() as i32).expect("own maps");
        let program = std::env::current_exe()
            .expect("a program")
            .display()
            .to_string();
        assert_eq!(
            maps.name_at(own_memory_has_a_name as *const () as u64),
            Some(&*program)
        );
        assert_eq!(maps.name_at(0), None);
    }
}
