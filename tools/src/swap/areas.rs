// SPDX-License-Identifier: GPL-2.0

//! Swap types of the devices. `/proc/swaps` lists devices by type, but leaves out types whose device
//! was switched off. Types that have slots in use tell which these are.

use std::collections::BTreeMap;

use super::sheet::Entry;
use crate::swaps::Device;

/// The slots behind the last one that is in use, by swap type.
pub type Uses = BTreeMap<u64, u64>;

/// The types that owners have slots of.
pub fn uses(entries: &[Entry]) -> Uses {
    let mut uses = Uses::new();

    for run in entries.iter().flat_map(|entry| &entry.runs) {
        let end = uses.entry(run.area).or_default();
        *end = run.offset.saturating_add(run.pages).max(*end);
    }
    uses
}

/// Sets the types of the devices. Returns the reason if they are not certain.
///
/// Both lists are in the order of types. If as many devices have slots in use as there are types of
/// such slots, they are the same ones.
pub fn assign(devices: &mut [Device], uses: &Uses) -> Option<String> {
    let busy: Vec<_> = (0..devices.len())
        .filter(|at| devices[*at].used > 0)
        .collect();
    let fits = |device: &Device, end: u64| end <= device.size / procfs::page_size() + 1;
    let pairs: Vec<_> = match busy.len() == uses.len() {
        true => busy.into_iter().zip(uses).collect(),
        // Slots that nothing refers to have no type: the order alone is left.
        false => uses
            .iter()
            .filter_map(|(area, end)| {
                let at = usize::try_from(*area).ok()?;
                Some((at, (area, end)))
            })
            .collect(),
    };
    let all_fit = pairs
        .iter()
        .all(|(at, (_, end))| devices.get(*at).is_some_and(|device| fits(device, **end)));

    if pairs.len() != uses.len() || !all_fit {
        return Some("the devices changed meanwhile, or do not fit the slots in use".to_string());
    }
    let certain = pairs.len() == devices.iter().filter(|device| device.used > 0).count();
    let mut next = 0;
    for (at, device) in devices.iter_mut().enumerate() {
        let found = pairs.iter().find(|pair| pair.0 == at);
        device.area = found.map_or(next, |(_, (area, _))| **area);
        next = device.area + 1;
    }
    (!certain && devices.len() > 1).then(|| {
        "nothing refers to the used slots of a device; the order of /proc/swaps is taken for the types"
            .to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices(used: &[u64]) -> Vec<Device> {
        let each = used.iter().enumerate().map(|(at, used)| Device {
            area: at as u64,
            path: format!("/dev/{at}").into(),
            size: 99 * procfs::page_size(),
            used: used * procfs::page_size(),
        });

        each.collect()
    }

    fn types(devices: &[Device]) -> Vec<u64> {
        devices.iter().map(|device| device.area).collect()
    }

    #[test]
    fn gap_of_a_device_switched_off() {
        let mut all = devices(&[5, 7]);
        assert_eq!(assign(&mut all, &Uses::from([(0, 9), (2, 100)])), None);
        assert_eq!(types(&all), [0, 2]);
        // The first device is empty: only the second can have the slots.
        let mut all = devices(&[0, 7]);
        assert_eq!(assign(&mut all, &Uses::from([(3, 9)])), None);
        assert_eq!(all[1].area, 3);
    }

    #[test]
    fn doubt_is_told() {
        let mut all = devices(&[5, 7]);
        let why = assign(&mut all, &Uses::from([(1, 9)])).expect("a reason");
        assert!(why.contains("order"), "{why}");
        assert_eq!(types(&all), [0, 1]);
        let beyond = assign(&mut all, &Uses::from([(0, 9), (1, 101)])).expect("a reason");
        assert!(beyond.contains("changed"), "{beyond}");
        assert!(assign(&mut all, &Uses::from([(7, 9)])).is_some());
        assert_eq!(assign(&mut devices(&[5]), &Uses::new()), None);
    }
}
