// SPDX-License-Identifier: GPL-2.0

//! The swap devices, from `/proc/swaps`.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Serialize, Serializer};

/// A swap device or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Device {
    /// Swap type, as entries of pagemap have it: the device's place in `/proc/swaps`. That is wrong
    /// for those behind a device that was switched off and not replaced, which the list does not tell.
    #[serde(rename = "type")]
    pub area: u64,
    /// Its path.
    #[serde(serialize_with = "printed")]
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Bytes of it that are in use.
    pub used: u64,
}

impl Device {
    /// Its path as it is printed: bytes that are no UTF-8 become U+FFFD.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }
}

fn printed<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// The devices, by type.
///
/// # Errors
///
/// `/proc/swaps` cannot be read.
pub fn devices() -> Result<Vec<Device>> {
    let text = fs::read("/proc/swaps").context("cannot read /proc/swaps")?;

    Ok(parse(&text))
}

fn parse(text: &[u8]) -> Vec<Device> {
    let lines = text.split(|byte| *byte == b'\n').skip(1).enumerate();

    lines
        .filter_map(|(area, line)| {
            let words = line.split(u8::is_ascii_whitespace);
            let mut words = words.filter(|word| !word.is_empty());
            let path = unescaped(words.next()?);
            let mut kib = words
                .skip(1)
                .map(|word| std::str::from_utf8(word).ok()?.parse::<u64>().ok());

            Some(Device {
                area: area as u64,
                path,
                size: kib.next()?? * 1024,
                used: kib.next()?? * 1024,
            })
        })
        .collect()
}

/// A path without the escapes of seq_file_path(): a space, tab, newline or backslash is a backslash
/// and three octal digits.
fn unescaped(word: &[u8]) -> PathBuf {
    let mut path = Vec::new();
    let mut rest = word;

    while let Some((byte, after)) = rest.split_first() {
        let digits = after.first_chunk::<3>().filter(|_| *byte == b'\\');
        let escaped = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                path.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                path.push(*byte);
                rest = after;
            }
        }
    }
    OsString::from_vec(path).into()
}

/// The path of the device that has slot `offset` of swap type `area`, and whether that is certain.
///
/// The list is in the order of types, and leaves some out: a device can have a type above its place.
/// It is certain if one device alone can have the slot, which is in use; else the place decides.
pub fn path(devices: &[Device], area: u64, offset: u64) -> Option<(&Path, bool)> {
    let may_have = |device: &&Device| {
        device.area <= area && device.used > 0 && offset <= device.size / procfs::page_size()
    };
    let mut candidates = devices.iter().filter(may_have);
    let first = candidates.next()?;

    match candidates.next() {
        None => Some((&first.path, true)),
        Some(_) => {
            let found = devices.iter().filter(may_have).find(|d| d.area == area)?;
            Some((&found.path, false))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn devices_have_types_sizes_and_uses() {
        let text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n\
                    /dev/vdb                                partition\t1048572\t\t8\t\t-2\n\
                    /swap\\040file                          file\t\t4092\t\t0\t\t-3\n";
        let found = parse(text.as_bytes());
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].path, Path::new("/swap file"));
        assert_eq!((found[0].size, found[0].used), (1048572 * 1024, 8192));
    }

    #[test]
    fn paths_have_any_bytes() {
        for (word, path) in [
            (&b"/caf\xe9"[..], &b"/caf\xe9"[..]),
            (b"/a\\134\\012\\040\\011b", b"/a\\\n \tb"),
            (b"/a\\1", b"/a\\1"),
            (b"/a\\899\\", b"/a\\899\\"),
        ] {
            assert_eq!(unescaped(word).as_os_str().as_bytes(), path);
        }
    }

    fn device(area: u64, pages: u64, used: u64) -> Device {
        Device {
            area,
            path: format!("/dev/{area}").into(),
            size: pages * procfs::page_size(),
            used: used * procfs::page_size(),
        }
    }

    #[test]
    fn one_candidate_is_certain() {
        let large_and_small = [device(0, 1000, 3), device(1, 10, 3)];
        assert_eq!(
            path(&large_and_small, 1, 500),
            Some((Path::new("/dev/0"), true))
        );
        assert_eq!(
            path(&large_and_small, 1, 5),
            Some((Path::new("/dev/1"), false))
        );
        assert_eq!(
            path(&large_and_small, 0, 5),
            Some((Path::new("/dev/0"), true))
        );
        // Type 0 was switched off: the place in the list is not the type.
        assert_eq!(
            path(&[device(0, 10, 3)], 1, 5),
            Some((Path::new("/dev/0"), true))
        );
        assert_eq!(
            path(&[device(0, 10, 0), device(1, 10, 3)], 1, 5),
            Some((Path::new("/dev/1"), true))
        );
        assert_eq!(path(&[device(0, 10, 3), device(1, 10, 3)], 2, 5), None);
        assert_eq!(path(&[device(0, 10, 3)], 0, 500), None);
    }
}
