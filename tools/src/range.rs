// SPDX-License-Identifier: GPL-2.0

//! Address ranges in the format of `/proc/PID/maps`: `START-END`, in hex.

use std::ops::Range;
use std::str::FromStr;

/// A range of addresses; `end` is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    start: u64,
    end: u64,
}

impl AddressRange {
    /// The numbers of the virtual pages that the range overlaps.
    pub fn pages(self, page_size: u64) -> Range<u64> {
        self.start / page_size..self.end.div_ceil(page_size)
    }
}

impl FromStr for AddressRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (start, end) = text
            .split_once('-')
            .ok_or("expected START-END, in hex, as in /proc/PID/maps")?;
        let (start, end) = (address(start)?, address(end)?);

        if start >= end {
            return Err(format!("{start:x} is not below {end:x}"));
        }
        Ok(Self { start, end })
    }
}

fn address(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);

    u64::from_str_radix(digits, 16).map_err(|error| format!("address {text:?}: {error}"))
}

/// The intersection of `a` and `b`.
pub fn overlap(a: &Range<u64>, b: &Range<u64>) -> Range<u64> {
    let start = a.start.max(b.start);

    start..a.end.min(b.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_pages_are_covered() {
        let range: AddressRange = "7f0000001fff-0x7f0000003001".parse().expect("valid");
        assert_eq!(range.pages(4096), 0x7f0000001..0x7f0000004);
    }

    #[test]
    fn malformed_ranges_are_refused() {
        for text in [
            "",
            "1000",
            "2000-1000",
            "1000-1000",
            "x-1000",
            "1000-",
            "-1000",
            "1000-1ffffffffffffffff",
            "0x-1",
        ] {
            assert!(text.parse::<AddressRange>().is_err(), "{text:?} passed");
        }
    }

    #[test]
    fn overlaps() {
        assert_eq!(overlap(&(2..8), &(5..9)), 5..8);
        assert_eq!(overlap(&(2..8), &(0..99)), 2..8);
        assert!(overlap(&(2..8), &(8..9)).is_empty());
        assert!(overlap(&(5..8), &(1..3)).is_empty());
    }
}
