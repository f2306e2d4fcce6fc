// SPDX-License-Identifier: GPL-2.0

//! The swap devices, from `/proc/swaps`.

use anyhow::{Context, Result};
use serde::Serialize;

use crate::text;

/// A swap device or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Device {
    /// Swap type, as entries of pagemap have it: the device's place in `/proc/swaps`. That is wrong
    /// for those behind a device that was switched off and not replaced, which the list does not tell.
    #[serde(rename = "type")]
    pub area: u64,
    /// Its path.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Bytes of it that are in use.
    pub used: u64,
}

/// The devices, by type.
///
/// # Errors
///
/// `/proc/swaps` cannot be read.
pub fn devices() -> Result<Vec<Device>> {
    let text = text::read("/proc/swaps").context("cannot read /proc/swaps")?;

    Ok(parse(&text))
}

fn parse(text: &str) -> Vec<Device> {
    let lines = text.lines().skip(1).enumerate();

    lines
        .filter_map(|(area, line)| {
            let mut words = line.split_whitespace();
            let path = words.next()?.replace("\\040", " ");
            let mut kib = words.skip(1).map(|word| word.parse::<u64>().ok());

            Some(Device {
                area: area as u64,
                path,
                size: kib.next()?? * 1024,
                used: kib.next()?? * 1024,
            })
        })
        .collect()
}

/// The path of the device that has slot `offset` of swap type `area`, and whether that is certain.
///
/// The list is in the order of types, and leaves some out: a device can have a type above its place.
/// It is certain if one device alone can have the slot, which is in use; else the place decides.
pub fn path(devices: &[Device], area: u64, offset: u64) -> Option<(&str, bool)> {
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

    #[test]
    fn devices_have_types_sizes_and_uses() {
        let text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n\
                    /dev/vdb                                partition\t1048572\t\t8\t\t-2\n\
                    /swap\\040file                          file\t\t4092\t\t0\t\t-3\n";
        let found = parse(text);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].size, found[0].used), (1048572 * 1024, 8192));
    }

    fn device(area: u64, pages: u64, used: u64) -> Device {
        Device {
            area,
            path: format!("/dev/{area}"),
            size: pages * procfs::page_size(),
            used: used * procfs::page_size(),
        }
    }

    #[test]
    fn one_candidate_is_certain() {
        let large_and_small = [device(0, 1000, 3), device(1, 10, 3)];
        assert_eq!(path(&large_and_small, 1, 500), Some(("/dev/0", true)));
        assert_eq!(path(&large_and_small, 1, 5), Some(("/dev/1", false)));
        assert_eq!(path(&large_and_small, 0, 5), Some(("/dev/0", true)));
        // Type 0 was switched off: the place in the list is not the type.
        assert_eq!(path(&[device(0, 10, 3)], 1, 5), Some(("/dev/0", true)));
        assert_eq!(
            path(&[device(0, 10, 0), device(1, 10, 3)], 1, 5),
            Some(("/dev/1", true))
        );
        assert_eq!(path(&[device(0, 10, 3), device(1, 10, 3)], 2, 5), None);
        assert_eq!(path(&[device(0, 10, 3)], 0, 500), None);
    }
}
