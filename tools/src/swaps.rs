// SPDX-License-Identifier: GPL-2.0

//! The swap devices, from `/proc/swaps`.

use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;

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
    let text = fs::read_to_string("/proc/swaps").context("cannot read /proc/swaps")?;

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

/// The path of the device with swap type `area`, if it is known.
pub fn path(devices: &[Device], area: u64) -> Option<&str> {
    let found = devices.iter().find(|device| device.area == area)?;

    Some(&found.path)
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
        assert_eq!(path(&found, 1), Some("/swap file"));
        assert_eq!(path(&found, 2), None);
    }
}
