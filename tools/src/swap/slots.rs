// SPDX-License-Identifier: GPL-2.0

//! The used slots of all devices, from the module's `slots`: all of them, whoever refers to them.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};

use super::areas::Uses;
use super::runs::Place;
use super::sheet::Key;
use crate::entry::ENTRY_BYTES;
use crate::interrupt;
use crate::swaps::{self, Device};
use crate::target;

/// Swap types that there can be.
const TYPES: u64 = 32;

/// Slot OFFSET of swap type TYPE is entry TYPE << 32 | OFFSET.
const TYPE_SHIFT: u32 = 32;

/// Entries per read.
const CHUNK: u64 = 4096;

/// Looks at all slots while slots come and go.
const TRIES: usize = 3;

/// Used slots, and where the bytes of their pages are.
pub type Used = HashMap<Key, Place>;

/// All used slots, and the devices of just after.
pub struct Now {
    /// The slots.
    pub used: Used,
    /// The devices. Their swap types are not set.
    pub devices: Vec<Device>,
    /// True if slots came or went while they were read: `/proc/swaps` has another number.
    pub is_moving: bool,
}

impl Now {
    /// The slots behind the last used one, by swap type.
    pub fn uses(&self) -> Uses {
        let mut uses = Uses::new();

        for (area, offset) in self.used.keys() {
            let end = uses.entry(*area).or_default();
            *end = (offset + 1).max(*end);
        }
        uses
    }

    /// Counts the used slots of each swap type.
    pub fn counts(&self) -> BTreeMap<u64, u64> {
        let mut counts = BTreeMap::new();

        for (area, _) in self.used.keys() {
            *counts.entry(*area).or_default() += 1;
        }
        counts
    }
}

/// Reads the used slots: [`None`] if this version of the module has no `slots`.
///
/// # Errors
///
/// A signal arrived, or `slots` cannot be read.
pub fn now() -> Result<Option<Now>> {
    let Some(file) = target::slots()? else {
        return Ok(None);
    };
    let mut before = swaps::devices()?;
    let mut missing = None;

    for _ in 0..TRIES {
        let used = read(&file, &before)?;
        let devices = swaps::devices()?;
        let total = sum(&devices);
        let is_still = sum(&before) == total;
        let differ = total.cast_signed() - (used.len() as u64).cast_signed();
        // Slots whose page was lost are used, and `slots` has none of them.
        let is_moving = !is_still || differ != 0 && missing != Some(differ);
        let now = Now {
            used,
            devices,
            is_moving,
        };

        if !is_moving {
            return Ok(Some(now));
        }
        missing = is_still.then_some(differ);
        before.clone_from(&now.devices);
    }
    let used = read(&file, &before)?;
    let devices = swaps::devices()?;
    Ok(Some(Now {
        is_moving: sum(&devices) != used.len() as u64,
        used,
        devices,
    }))
}

/// Used slots of all devices, by `/proc/swaps`.
fn sum(devices: &[Device]) -> u64 {
    devices.iter().map(|device| device.used).sum::<u64>() / procfs::page_size()
}

/// The slots behind the last used one, by swap type: [`None`] if this version of the module has no
/// `slots`. Takes little memory.
///
/// # Errors
///
/// A signal arrived, or `slots` cannot be read.
pub fn uses(devices: &[Device]) -> Result<Option<Uses>> {
    let Some(file) = target::slots()? else {
        return Ok(None);
    };
    let mut uses = Uses::new();

    for_each(&file, devices, &mut |(area, offset), _| {
        uses.insert(area, offset + 1);
    })?;
    Ok(Some(uses))
}

fn read(file: &File, devices: &[Device]) -> Result<Used> {
    let mut used = Used::new();

    for_each(file, devices, &mut |key, place| {
        used.insert(key, place);
    })?;
    Ok(used)
}

/// Calls `each` with the used slots, in ascending order.
fn for_each(file: &File, devices: &[Device], each: &mut dyn FnMut(Key, Place)) -> Result<()> {
    // The first slot has the header, which /proc/swaps leaves out.
    let slots = devices.iter().map(|device| device.size).max().unwrap_or(0);
    let slots = slots / procfs::page_size() + 1;
    let busy = devices.iter().filter(|device| device.used > 0).count();
    let mut found = 0;

    // A device's type is not known: those of devices that were switched off have no slots.
    for area in 0..TYPES {
        if found == busy {
            break;
        }
        let mut is_used = false;
        read_area(file, area, slots, &mut |key, place| {
            is_used = true;
            each(key, place);
        })?;
        found += usize::from(is_used);
    }
    Ok(())
}

fn read_area(file: &File, area: u64, slots: u64, each: &mut dyn FnMut(Key, Place)) -> Result<()> {
    let mut bytes = vec![0; usize::try_from(CHUNK)? * ENTRY_BYTES];
    let mut first = 0;

    while first < slots {
        interrupt::check()?;
        let at = (area << TYPE_SHIFT | first) * ENTRY_BYTES as u64;
        file.read_exact_at(&mut bytes, at)
            .context("cannot read slots")?;
        let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
        let places = entries
            .iter()
            .map(|entry| place(u64::from_le_bytes(*entry)));
        let slots = places.zip(first..);
        for (place, offset) in slots {
            if let Some(place) = place {
                each((area, offset), place);
            }
        }
        first += CHUNK;
    }
    Ok(())
}

/// [`None`] for a free slot.
fn place(entry: u64) -> Option<Place> {
    Some(match entry {
        0 => return None,
        1 => Place::Disk,
        2 => Place::Zero,
        3 => Place::Zswap,
        4 => Place::Cache,
        _ => Place::Untold,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_those_of_each_type() {
        let used = [(0, 7), (0, 3), (2, 9)].map(|key| (key, Place::Disk));
        let now = Now {
            used: HashMap::from(used),
            devices: Vec::new(),
            is_moving: false,
        };
        assert_eq!(now.uses(), Uses::from([(0, 8), (2, 10)]));
        assert_eq!(now.counts(), BTreeMap::from([(0, 2), (2, 1)]));
        assert_eq!(place(0), None);
        assert_eq!(place(4), Some(Place::Cache));
        assert_eq!(place(9), Some(Place::Untold));
    }
}
