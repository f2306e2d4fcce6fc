// SPDX-License-Identifier: GPL-2.0

//! The balance sheet: used slots by owner, each counted once.

use std::collections::HashMap;

use serde::Serialize;

use super::runs::SlotRun;
use crate::swaps::Device;

/// A process or a file that has slots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Owner {
    /// Anonymous memory of a process.
    Process {
        /// Its PID.
        pid: i32,
        /// Its name.
        name: String,
    },
    /// A file of shared memory.
    File {
        /// MAJOR:MINOR:INODE, and a generation if that is not unique.
        id: String,
        /// Its name.
        name: String,
        /// Processes that map pages of it that are in swap.
        mapped_by: Vec<i32>,
    },
}

/// An owner and its slots.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The owner.
    pub owner: Owner,
    /// Its slots.
    pub runs: Vec<SlotRun>,
}

/// Slots of an owner.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    /// The owner.
    #[serde(flatten)]
    pub owner: Owner,
    /// Slots that it alone refers to.
    pub alone: u64,
    /// Slots that others refer to as well, by fork.
    pub shared: u64,
    /// Proportional share: slots, each divided by the number of those that refer to it.
    pub pswap: f64,
}

/// A device and its used slots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Swap type.
    #[serde(rename = "type")]
    pub area: u64,
    /// Path of the device.
    pub path: String,
    /// Slots that it has.
    pub slots: u64,
    /// Of these, used ones.
    pub used: u64,
    /// Used by anonymous memory of one process.
    pub anonymous: u64,
    /// Used by anonymous memory of several processes, each slot counted once.
    pub shared: u64,
    /// Used by files of shared memory.
    pub files: u64,
    /// Used, and none of these. Negative if slots were freed while the owners were read.
    pub unexplained: i64,
}

/// References to a slot: by how many owners, and whether one is a file.
#[derive(Clone, Copy, Default)]
struct Slot {
    references: u32,
    is_file: bool,
}

/// Adds up the slots of all owners. `devices` have the used slots.
pub fn add_up(devices: &[Device], entries: &[Entry]) -> (Vec<Balance>, Vec<Share>) {
    let mut slots: HashMap<(u64, u64), Slot> = HashMap::new();
    let each = |run: &SlotRun| {
        let SlotRun { area, offset, .. } = *run;
        (offset..offset.saturating_add(run.pages)).map(move |offset| (area, offset))
    };

    for entry in entries {
        for key in entry.runs.iter().flat_map(each) {
            let slot = slots.entry(key).or_default();
            slot.references += 1;
            slot.is_file |= matches!(entry.owner, Owner::File { .. });
        }
    }
    let shares = entries.iter().map(|entry| {
        let mut share = Share {
            owner: entry.owner.clone(),
            alone: 0,
            shared: 0,
            pswap: 0.0,
        };
        for key in entry.runs.iter().flat_map(each) {
            let references = slots.get(&key).map_or(1, |slot| slot.references).max(1);
            match references {
                1 => share.alone += 1,
                _ => share.shared += 1,
            }
            share.pswap += 1.0 / f64::from(references);
        }
        share
    });
    let mut shares: Vec<_> = shares
        .filter(|share| share.alone + share.shared > 0)
        .collect();
    shares.sort_by(|a, b| b.pswap.total_cmp(&a.pswap));
    (balances(devices, &slots), shares)
}

fn balances(devices: &[Device], slots: &HashMap<(u64, u64), Slot>) -> Vec<Balance> {
    let page_size = procfs::page_size();
    let mut all: Vec<_> = devices
        .iter()
        .map(|device| Balance {
            area: device.area,
            path: device.path.clone(),
            slots: device.size / page_size,
            used: device.used / page_size,
            ..Default::default()
        })
        .collect();

    for ((area, _), slot) in slots {
        let Some(balance) = all.iter_mut().find(|balance| balance.area == *area) else {
            continue;
        };
        match (slot.is_file, slot.references) {
            (true, _) => balance.files += 1,
            (false, 1) => balance.anonymous += 1,
            (false, _) => balance.shared += 1,
        }
    }
    for balance in &mut all {
        let explained = balance.anonymous + balance.shared + balance.files;
        balance.unexplained = balance.used.cast_signed() - explained.cast_signed();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(offset: u64, pages: u64, is_shared: bool) -> SlotRun {
        SlotRun {
            start: 0,
            area: 0,
            offset,
            pages,
            is_shared,
        }
    }

    #[test]
    fn slots_shared_by_fork_are_counted_once() {
        let process = |pid, runs| Entry {
            owner: Owner::Process {
                pid,
                name: String::new(),
            },
            runs,
        };
        let file = Entry {
            owner: Owner::File {
                id: "0:1:2".to_string(),
                name: "/memfd:a".to_string(),
                mapped_by: vec![1, 2],
            },
            runs: vec![run(100, 4, true)],
        };
        let devices = [Device {
            area: 0,
            path: "/dev/vdb".to_string(),
            size: 1000 * procfs::page_size(),
            used: 17 * procfs::page_size(),
        }];
        let entries = [
            process(1, vec![run(10, 8, false)]),
            process(2, vec![run(14, 8, false)]),
            process(3, Vec::new()),
            file,
        ];
        let (balances, shares) = add_up(&devices, &entries);
        let [balance] = &balances[..] else {
            panic!("{balances:?}");
        };
        assert_eq!(
            (balance.anonymous, balance.shared, balance.files),
            (8, 4, 4)
        );
        assert_eq!(
            (balance.slots, balance.used, balance.unexplained),
            (1000, 17, 1)
        );
        assert_eq!(shares.len(), 3);
        assert_eq!((shares[0].alone, shares[0].shared), (4, 4));
        assert!((shares[0].pswap - 6.0).abs() < 1e-9);
    }
}
