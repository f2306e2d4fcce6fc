// SPDX-License-Identifier: GPL-2.0

//! The mappings of a process, with the names of `/proc/PID/maps`.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use procfs::FromRead;
use procfs::process::{MMPermissions, MemoryMap, MemoryMaps};

use crate::text;

/// The name of the vsyscall page's mapping.
pub const VSYSCALL: &str = "[vsyscall]";

/// Reads `/proc/PID/FILE`, where FILE is `maps` or `smaps`: the mappings, each with its name as it
/// stands there.
///
/// # Errors
///
/// There is no such process, or it belongs to another user.
pub fn read(pid: i32, file: &str) -> Result<Vec<(MemoryMap, String)>> {
    let path = format!("/proc/{pid}/{file}");
    let text = text::read(&path).with_context(|| format!("cannot read {path}"))?;

    parse(&text).with_context(|| format!("cannot read {path}"))
}

/// Parses all but the names by `procfs`, which refuses some names of files, and panics at others.
fn parse(text: &str) -> Result<Vec<(MemoryMap, String)>> {
    let mut names = Vec::new();
    let mut others = String::with_capacity(text.len());

    for line in text.split_terminator('\n') {
        let (fields, name) = split_name(line);
        names.extend(name.map(ToString::to_string));
        others.push_str(fields);
        others.push('\n');
    }
    let maps = MemoryMaps::from_read(others.as_bytes())?;
    ensure!(maps.len() == names.len(), "a line is not understood");

    Ok(maps.into_iter().zip(names).collect())
}

/// Splits the name from the first line of a mapping; other lines, which begin with a capital, have
/// none.
fn split_name(line: &str) -> (&str, Option<&str>) {
    let blank = line.match_indices(' ').nth(4);

    match blank {
        Some((blank, _)) if !line.starts_with(|c: char| c.is_ascii_uppercase()) => {
            let (fields, name) = line.split_at(blank + 1);
            (fields, Some(name.trim_start_matches(' ')))
        }
        _ => (line, None),
    }
}

/// The name of a mapping as it is printed; empty if it has none.
fn printed(name: &str) -> String {
    let key = name
        .strip_prefix("/SYSV")
        .and_then(|rest| rest.strip_suffix(" (deleted)"))
        .filter(|key| key.len() == 8)
        .and_then(|key| u32::from_str_radix(key, 16).ok());

    match key {
        Some(key) => format!("SysV shared memory, key {key:#x}"),
        // A file's name can have control characters, which a terminal would obey.
        None => name.replace(char::is_control, "?"),
    }
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
    fn of((map, name): &(MemoryMap, String)) -> Self {
        Self {
            start: map.address.0,
            end: map.address.1,
            permissions: letters(map.perms),
            has_file: map.inode != 0,
            file: format!("{}:{}:{}", map.dev.0, map.dev.1, map.inode),
            name: printed(name),
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
    let maps = read(pid, "maps")?;
    let own = maps.iter().filter(|(_, name)| name != VSYSCALL);

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
        let maps = read(pid, "maps")?;

        Ok(Self(
            maps.iter()
                .map(|(map, name)| (map.address.0..map.address.1, printed(name)))
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

    /// Names of files that have the form of others, are too short for it, or have blanks.
    #[test]
    fn names_of_any_form() {
        let names = [
            "",
            "/a b  c",
            "/SYSV",
            "/SYSV-not-a-key (deleted)",
            "/trailing ",
            "/\u{fffd}\r",
            "[heap]",
        ];
        let mut text = String::new();
        for name in names {
            text += &format!("7f00-8f00 rw-s 00000000 00:1a 77                 {name}\n");
            text += "Swap:  8 kB\nVmFlags: rd wr sh mr mw me ms ac sd\n";
        }
        let found = parse(&text).expect("mappings");
        let swap = |(map, _): &(MemoryMap, String)| map.extension.map["Swap"] == 8192;
        assert!(found.iter().all(swap));
        let found: Vec<_> = found.into_iter().map(|(_, name)| name).collect();
        assert_eq!(found, names);
    }

    #[test]
    fn printed_names() {
        assert_eq!(
            printed("/SYSV0000162e (deleted)"),
            "SysV shared memory, key 0x162e"
        );
        assert_eq!(printed("/SYSV0000162e"), "/SYSV0000162e");
        assert_eq!(printed("/a\x1b[31m"), "/a?[31m");
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
