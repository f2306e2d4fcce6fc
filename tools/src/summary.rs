// SPDX-License-Identifier: GPL-2.0

//! Numbers of pages of a process by kind, for each mapping, from the best source there is.

mod collect;
mod module;

use serde::Serialize;

pub use collect::of;

/// Numbers of pages. [`None`]: the source does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All pages of the address range.
    pub pages: u64,
    /// In memory and mapped.
    pub resident: Option<u64>,
    /// In swap, of private memory: the page table has the slot.
    pub swap_private: Option<u64>,
    /// In swap, of shared memory: the file has the slot.
    pub swap_shared: Option<u64>,
    /// In the page cache of a shared memory file, and not mapped here.
    pub cached: Option<u64>,
    /// Anonymous pages with PG_anon_exclusive, or with its mark in a swap or migration entry.
    pub exclusive: Option<u64>,
    /// Anonymous pages without it.
    pub shared: Option<u64>,
    /// Anonymous pages that may be pinned for DMA.
    pub maybe_pinned: Option<u64>,
    /// Pages that KSM merged.
    pub ksm: Option<u64>,
    /// Pages of large folios.
    pub large: Option<u64>,
    /// Zero pages.
    pub zero: Option<u64>,
    /// Pages that break a rule of the exclusive bit, or are suspected to.
    pub violations: Option<u64>,
}

/// A column: its name, and its number of pages.
pub type Column = (
    &'static str,
    fn(&Counts) -> Option<u64>,
    fn(&mut Counts) -> &mut Option<u64>,
);

/// All columns but the number of pages. Names are those of the JSON, with `-` for `_`.
pub const COLUMNS: [Column; 11] = [
    ("resident", |c| c.resident, |c| &mut c.resident),
    ("swap-private", |c| c.swap_private, |c| &mut c.swap_private),
    ("swap-shared", |c| c.swap_shared, |c| &mut c.swap_shared),
    ("cached", |c| c.cached, |c| &mut c.cached),
    ("exclusive", |c| c.exclusive, |c| &mut c.exclusive),
    ("shared", |c| c.shared, |c| &mut c.shared),
    ("maybe-pinned", |c| c.maybe_pinned, |c| &mut c.maybe_pinned),
    ("ksm", |c| c.ksm, |c| &mut c.ksm),
    ("large", |c| c.large, |c| &mut c.large),
    ("zero", |c| c.zero, |c| &mut c.zero),
    ("violations", |c| c.violations, |c| &mut c.violations),
];

impl Counts {
    /// Adds the counts of another range. What only one of them knows is that one's.
    pub fn add(&mut self, other: &Self) {
        self.pages += other.pages;
        for (_, of, field) in COLUMNS {
            add(field(self), of(other));
        }
    }
}

/// Adds `count` to `sum`, if it is known.
fn add(sum: &mut Option<u64>, count: Option<u64>) {
    if let Some(count) = count {
        *sum = Some(sum.unwrap_or(0) + count);
    }
}

/// A mapping and its counts.
#[derive(Clone, Debug, Serialize)]
pub struct MappingCounts {
    /// Its addresses.
    #[serde(flatten)]
    pub addresses: crate::json::Addresses,
    /// Its permissions, as in `/proc/PID/maps`.
    pub permissions: String,
    /// Its name, as there; empty if it has none.
    pub name: String,
    /// Its pages.
    #[serde(flatten)]
    pub counts: Counts,
}

/// A process and its counts.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Its PID.
    pub pid: i32,
    /// Its name, from `/proc/PID/comm`.
    pub name: String,
    /// Origin of the counts: `module`, `PAGEMAP_SCAN`, or `/proc` with smaps.
    pub source: &'static str,
    /// All mappings together.
    pub total: Counts,
    /// Each mapping; left out where only totals were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<MappingCounts>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_know_what_a_part_knows() {
        let mut sum = Counts {
            pages: 3,
            resident: Some(1),
            ..Default::default()
        };
        sum.add(&Counts {
            pages: 4,
            resident: Some(2),
            cached: Some(0),
            ..Default::default()
        });
        assert_eq!((sum.pages, sum.resident), (7, Some(3)));
        assert_eq!((sum.cached, sum.ksm), (Some(0), None));
    }

    #[test]
    fn columns_are_the_fields_of_the_json() {
        let json = serde_json::to_value(Counts::default()).expect("JSON");
        let fields = json.as_object().expect("an object");
        assert_eq!(fields.len(), COLUMNS.len() + 1);
        for (name, ..) in COLUMNS {
            assert!(fields.contains_key(&name.replace('-', "_")), "{name}");
        }
    }
}
