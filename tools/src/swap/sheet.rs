// SPDX-License-Identifier: GPL-2.0

//! The balance sheet: used slots by owner, each counted once.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::origin::Origin;
use super::runs::SlotRun;
use crate::swaps::Device;

/// A slot: swap type and offset.
pub type Key = (u64, u64);

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
    /// Slots that its entries refer to.
    pub runs: Vec<SlotRun>,
    /// Slots that pages of it keep, which are in memory.
    pub kept: Vec<Key>,
    /// The process's cgroup and user; of files, empty.
    pub origin: Origin,
    /// True if `start` of the runs is a page's number in the file.
    pub has_indexes: bool,
}

impl Entry {
    /// An owner of `runs`, of which no more is known.
    pub fn new(owner: Owner, runs: Vec<SlotRun>) -> Self {
        Self {
            owner,
            runs,
            kept: Vec::new(),
            origin: Origin::default(),
            has_indexes: false,
        }
    }

    /// Leaves the slots of one swap type.
    pub fn retain(&mut self, area: u64) {
        self.runs.retain(|run| run.area == area);
        self.kept.retain(|slot| slot.0 == area);
    }
}

/// Used slots without an owner, and used ones at all.
#[derive(Debug, Default)]
pub struct Rest {
    /// All used slots.
    pub used: HashSet<Key>,
    /// In the swap cache at each look, and nothing refers to them.
    pub cache: HashSet<Key>,
    /// Freed, or found with an owner, at a later look.
    pub transient: HashSet<Key>,
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
    /// Slots that its pages in memory keep, and that nothing refers to.
    pub cached: u64,
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
    /// Used by pages in memory, which keep their slot, and nothing refers to it.
    pub cached: u64,
    /// Used by pages in the swap cache, and nothing refers to the slot; no process was found to map them.
    pub swap_cache: u64,
    /// Used, without an owner at first; at a later look it had one, or was free.
    pub transient: u64,
    /// Used, and none of these. Negative if slots were freed while the owners were read.
    pub unexplained: i64,
    /// Free when the used slots were counted, after an owner had been read that referred to them.
    pub freed: u64,
}

/// A used slot.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slot {
    /// Owners that refer to it: 0 if pages in memory keep it.
    pub references: u32,
    /// True if one of them is a file.
    pub is_file: bool,
}

/// Used slots, by swap type and offset.
pub type Slots = HashMap<Key, Slot>;

/// The slots of all owners.
pub fn slots(entries: &[Entry]) -> Slots {
    let mut slots = Slots::new();

    for entry in entries {
        for key in entry.runs.iter().flat_map(SlotRun::slots) {
            let slot = slots.entry(key).or_default();
            slot.references += 1;
            slot.is_file |= matches!(entry.owner, Owner::File { .. });
        }
        for key in &entry.kept {
            slots.entry(*key).or_default();
        }
    }
    slots
}

/// Adds up the slots of all owners. `devices` have the number of used slots, `rest` has which these
/// are, if that is known.
pub fn add_up(
    devices: &[Device],
    entries: &[Entry],
    rest: Option<&Rest>,
) -> (Vec<Balance>, Vec<Share>) {
    let mut slots = slots(entries);
    let freed: Vec<_> = match rest {
        Some(rest) => slots
            .extract_if(|key, _| !rest.used.contains(key))
            .map(|(key, _)| key)
            .collect(),
        None => Vec::new(),
    };
    let shares = entries.iter().map(|entry| {
        let mut share = Share {
            owner: entry.owner.clone(),
            alone: 0,
            shared: 0,
            pswap: 0.0,
            cached: 0,
        };
        let references = |key: &Key| slots.get(key).map(|slot| slot.references);
        let kept = entry.kept.iter().filter(|key| references(key) == Some(0));

        share.cached = kept.count() as u64;
        for references in entry
            .runs
            .iter()
            .flat_map(SlotRun::slots)
            .filter_map(|key| references(&key))
        {
            match references {
                1 => share.alone += 1,
                _ => share.shared += 1,
            }
            share.pswap += 1.0 / f64::from(references);
        }
        share
    });
    let mut shares: Vec<_> = shares
        .filter(|share| share.alone + share.shared + share.cached > 0)
        .collect();
    shares.sort_by(|a, b| b.pswap.total_cmp(&a.pswap));
    let mut balances = balances(devices, &slots, rest);
    for (area, _) in freed {
        if let Some(balance) = balances.iter_mut().find(|balance| balance.area == area) {
            balance.freed += 1;
        }
    }
    (balances, shares)
}

fn balances(devices: &[Device], slots: &Slots, rest: Option<&Rest>) -> Vec<Balance> {
    let page_size = procfs::page_size();
    let mut all: Vec<_> = devices
        .iter()
        .map(|device| Balance {
            area: device.area,
            path: device.name(),
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
            (_, 0) => balance.cached += 1,
            (true, _) => balance.files += 1,
            (false, 1) => balance.anonymous += 1,
            (false, _) => balance.shared += 1,
        }
    }
    for balance in &mut all {
        if let Some(rest) = rest {
            let here = |slot: &&Key| slot.0 == balance.area;
            balance.swap_cache = rest.cache.iter().filter(here).count() as u64;
            balance.transient = rest.transient.iter().filter(here).count() as u64;
        }
        let owned = balance.anonymous + balance.shared + balance.files + balance.cached;
        let explained = owned + balance.swap_cache + balance.transient;
        balance.unexplained = balance.used.cast_signed() - explained.cast_signed();
    }
    all
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::swap::runs::Place;

    fn runs(all: &[(u64, u64)], is_shared: bool) -> Vec<SlotRun> {
        let run = |(offset, pages): &(u64, u64)| SlotRun {
            start: 0,
            area: 0,
            offset: *offset,
            pages: *pages,
            is_shared,
            place: Place::Disk,
        };

        all.iter().map(run).collect()
    }

    /// A process with slots of type 0: offsets and numbers.
    pub fn process(pid: i32, all: &[(u64, u64)]) -> Entry {
        let name = String::new();

        Entry::new(Owner::Process { pid, name }, runs(all, false))
    }

    /// A file with `pages` slots of type 0.
    pub fn file(mapped_by: &[i32], offset: u64, pages: u64) -> Entry {
        let owner = Owner::File {
            id: format!("0:1:{offset}"),
            name: "/memfd:a".to_string(),
            mapped_by: mapped_by.to_vec(),
        };

        Entry::new(owner, runs(&[(offset, pages)], true))
    }

    #[test]
    fn slots_shared_by_fork_are_counted_once() {
        let devices = [Device {
            area: 0,
            path: "/dev/vdb".into(),
            size: 1000 * procfs::page_size(),
            used: 19 * procfs::page_size(),
        }];
        let mut entries = [
            process(1, &[(10, 8)]),
            process(2, &[(14, 8)]),
            process(3, &[]),
            file(&[1, 2], 100, 4),
        ];
        // One is referred to as well; two processes keep the others.
        entries[0].kept = vec![(0, 14), (0, 50)];
        entries[1].kept = vec![(0, 50), (0, 51)];
        let (balances, shares) = add_up(&devices, &entries, None);
        let [balance] = &balances[..] else {
            panic!("{balances:?}");
        };
        assert_eq!(
            (balance.anonymous, balance.shared, balance.files),
            (8, 4, 4)
        );
        assert_eq!(
            (balance.used, balance.cached, balance.unexplained),
            (19, 2, 1)
        );
        assert_eq!(shares.len(), 3);
        assert_eq!((shares[0].alone, shares[0].shared), (4, 4));
        assert_eq!((shares[0].cached, shares[1].cached), (1, 2));
        assert!((shares[0].pswap - 6.0).abs() < 1e-9);
        entries[3].retain(1);
        assert!(entries[3].runs.is_empty());
    }

    #[test]
    fn freed_slots_are_no_owners() {
        let devices = [Device {
            area: 0,
            path: "/dev/vdb".into(),
            size: 1000 * procfs::page_size(),
            used: 7 * procfs::page_size(),
        }];
        let mut entries = [process(1, &[(10, 4)])];
        entries[0].kept = vec![(0, 20), (0, 21)];
        let rest = Rest {
            used: [10, 11, 20, 30, 31, 32, 33].map(|at| (0, at)).into(),
            cache: [(0, 30), (1, 5)].into(),
            transient: [(0, 31), (0, 32)].into(),
        };
        let (balances, shares) = add_up(&devices, &entries, Some(&rest));
        let balance = &balances[0];
        assert_eq!((balance.anonymous, balance.cached), (2, 1));
        assert_eq!((balance.swap_cache, balance.transient), (1, 2));
        assert_eq!((balance.unexplained, balance.freed), (1, 3));
        assert_eq!((shares[0].alone, shares[0].cached), (2, 1));
        assert!((shares[0].pswap - 2.0).abs() < 1e-9);
    }
}
