// SPDX-License-Identifier: GPL-2.0

//! All that is known of the used slots at one time.

use anyhow::Result;

use super::sheet::{Entry, Rest};
use super::{areas, collect, rest, slots};
use crate::json::Unknown;
use crate::swaps::{self, Device};

/// Owners, devices, and the slots that no owner was found for.
pub struct Found {
    /// The owners.
    pub entries: Vec<Entry>,
    /// The devices when the owners had been read, with their swap types.
    pub devices: Vec<Device>,
    /// [`None`] if this version of the module has no `slots`.
    pub rest: Option<Rest>,
}

/// Finds the owners of all slots, or tells why the module cannot tell them.
///
/// # Errors
///
/// The processes or slots cannot be read, or a signal arrived.
pub fn all(unknown: &mut Vec<Unknown>) -> Result<std::result::Result<Found, String>> {
    let entries = match collect::owners(unknown)? {
        Ok(entries) => entries,
        Err(why) => return Ok(Err(why)),
    };
    let Some(now) = slots::now()? else {
        unknown.push(Unknown::new(
            "slots that only the swap cache has, and which changed meanwhile",
            "this version of the module has no `slots`",
        ));
        let mut devices = swaps::devices()?;
        name_types(&mut devices, &areas::uses(&entries), unknown);
        return Ok(Ok(Found {
            entries,
            devices,
            rest: None,
        }));
    };
    let rest = rest::tell(&entries, &now.used)?;
    let (uses, counts) = (now.uses(), now.counts());
    let mut devices = now.devices;

    name_types(&mut devices, &uses, unknown);
    if now.is_moving {
        for device in &mut devices {
            let count = counts.get(&device.area).copied().unwrap_or(0);
            device.used = count * procfs::page_size();
        }
    }
    Ok(Ok(Found {
        entries,
        devices,
        rest: Some(rest),
    }))
}

/// Gives the devices the swap types that have slots in use.
pub fn name_types(devices: &mut [Device], uses: &areas::Uses, unknown: &mut Vec<Unknown>) {
    if let Some(why) = areas::assign(devices, uses) {
        unknown.push(Unknown::new("the swap types of the devices", why));
    }
}
