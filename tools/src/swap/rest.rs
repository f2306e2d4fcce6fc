// SPDX-License-Identifier: GPL-2.0

//! Used slots that no owner was found for, told apart by looking again: under load, references move
//! from a process that is not read yet to one that was, and slots are freed and used again.

use std::collections::HashSet;

use anyhow::Result;

use super::collect;
use super::runs::Place;
use super::sheet::{Entry, Key, Rest};
use super::slots::{self, Used};

/// Looks at slots that are on a device or moving. Each leaves those that it missed by chance.
const LOOKS: usize = 16;

/// Tells apart those of `used` that `entries` have not. All of `used` is in the result.
///
/// # Errors
///
/// A signal arrived, or the owners or slots cannot be read.
pub fn tell(entries: &[Entry], used: &Used) -> Result<Rest> {
    let owned = owned(entries);
    let mut left = used.clone();
    let mut transient = HashSet::new();

    left.retain(|key, _| !owned.contains(key));
    for _ in 0..LOOKS {
        if left.is_empty() {
            break;
        }
        let Ok(again) = collect::owners(&mut Vec::new())? else {
            break;
        };
        let Some(now) = slots::now()? else {
            break;
        };
        let gone = changed(&left, &self::owned(&again), &now.used);
        left.retain(|key, _| !gone.contains(key));
        transient.extend(&gone);
        if gone.is_empty() && left.values().all(|place| *place == Place::Cache) {
            break;
        }
    }
    left.retain(|_, place| *place == Place::Cache);
    Ok(Rest {
        used: all(entries, used),
        cache: left.into_keys().collect(),
        transient,
    })
}

/// The slots that owners refer to, or that pages of theirs keep.
fn owned(entries: &[Entry]) -> HashSet<Key> {
    let slots = entries.iter().flat_map(|entry| {
        let referred = entry.runs.iter().flat_map(|run| run.slots());
        referred.chain(entry.kept.iter().copied())
    });

    slots.collect()
}

/// `used`, and slots of pages that were lost: only their owners tell of these.
fn all(entries: &[Entry], used: &Used) -> HashSet<Key> {
    let runs = entries.iter().flat_map(|entry| &entry.runs);
    let lost = runs.filter(|run| run.place == Place::Lost);

    lost.flat_map(|run| run.slots())
        .chain(used.keys().copied())
        .collect()
}

/// Returns the slots of `left` that have an owner now, are free, or are no longer (or newly) in the
/// swap cache.
fn changed(left: &Used, owned: &HashSet<Key>, now: &Used) -> HashSet<Key> {
    let is_cached = |place: &Place| *place == Place::Cache;
    let stays = |key: &Key, place: &Place| {
        !owned.contains(key)
            && now
                .get(key)
                .is_some_and(|now| is_cached(now) == is_cached(place))
    };

    left.iter()
        .filter(|(key, place)| !stays(key, place))
        .map(|(key, _)| *key)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swap::sheet::tests::process;

    #[test]
    fn slots_that_change_are_told_from_those_that_stay() {
        let used = |all: &[(u64, Place)]| -> Used {
            all.iter().map(|(at, place)| ((0, *at), *place)).collect()
        };
        let left = used(&[
            (1, Place::Cache),
            (2, Place::Cache),
            (3, Place::Disk),
            (4, Place::Zswap),
            (5, Place::Cache),
        ]);
        let now = used(&[
            (1, Place::Cache),
            (3, Place::Disk),
            (4, Place::Disk),
            (5, Place::Disk),
        ]);
        let gone = changed(&left, &HashSet::from([(0, 3)]), &now);
        // 1 stays in the swap cache, 4 was written back; 2 is free, 3 has an owner, 5 left the cache.
        assert_eq!(gone, HashSet::from([(0, 2), (0, 3), (0, 5)]));
    }

    #[test]
    fn slots_of_lost_pages_are_used() {
        let mut owner = process(1, &[(5, 2), (9, 1)]);
        owner.runs[0].place = Place::Lost;
        let used = Used::from([((0, 1), Place::Disk)]);
        assert_eq!(
            all(&[owner], &used),
            HashSet::from([(0, 1), (0, 5), (0, 6)])
        );
    }
}
