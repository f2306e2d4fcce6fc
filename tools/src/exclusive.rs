// SPDX-License-Identifier: GPL-2.0

//! One entry of `xpagemap/PID/exclusive`: eight bytes about one virtual page.
//!
//! The layout is that of `Documentation/exclusive.md`. This file is the only one in this crate that
//! knows it.

use std::fmt;

use crate::entry::ENTRY_BYTES;

const PRESENT: u64 = 1 << 63;
const SWAP: u64 = 1 << 62;
const FILE: u64 = 1 << 61;
const EXCLUSIVE: u64 = 1 << 60;
const MAYBE_PINNED: u64 = 1 << 59;
const WRITABLE: u64 = 1 << 58;
const KSM: u64 = 1 << 57;
const LARGE: u64 = 1 << 56;
const PMD: u64 = 1 << 55;
const SWAP_CACHE: u64 = 1 << 54;
const MIGRATION: u64 = 1 << 53;
const ZERO: u64 = 1 << 52;

const COUNT: u64 = 0xffff;
const REFERENCES_SHIFT: u32 = 16;

/// Flags in the order they are printed.
const NAMES: [(u64, &str); 10] = [
    (EXCLUSIVE, "exclusive"),
    (MAYBE_PINNED, "maybe-pinned"),
    (WRITABLE, "writable"),
    (KSM, "ksm"),
    (LARGE, "large"),
    (PMD, "pmd"),
    (SWAP_CACHE, "swap-cache"),
    (MIGRATION, "migration"),
    (ZERO, "zero"),
    (FILE, "file"),
];

#[cfg(test)]
pub(crate) const C_NAMES: [(&str, u64); 12] = [
    ("EX_PRESENT", PRESENT),
    ("EX_SWAP", SWAP),
    ("EX_FILE", FILE),
    ("EX_EXCLUSIVE", EXCLUSIVE),
    ("EX_MAYBE_PINNED", MAYBE_PINNED),
    ("EX_WRITABLE", WRITABLE),
    ("EX_KSM", KSM),
    ("EX_LARGE", LARGE),
    ("EX_PMD", PMD),
    ("EX_SWAP_CACHE", SWAP_CACHE),
    ("EX_MIGRATION", MIGRATION),
    ("EX_ZERO", ZERO),
];

/// An entry as the module wrote it. True at some moment during the read, under the lock of the
/// page table; stale as soon as it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exclusive(u64);

impl Exclusive {
    /// An entry of these bits.
    pub fn from_raw(bits: u64) -> Self {
        Self(bits)
    }

    /// Decodes an entry from the bytes of the file.
    pub fn from_bytes(bytes: [u8; ENTRY_BYTES]) -> Self {
        Self(u64::from_ne_bytes(bytes))
    }

    /// The bits.
    pub fn raw(self) -> u64 {
        self.0
    }

    /// The bits without the counts, which differ among pages that are otherwise alike.
    pub fn flags(self) -> u64 {
        self.0 >> (2 * REFERENCES_SHIFT)
    }

    /// Returns true if the page is in memory and mapped.
    pub fn is_present(self) -> bool {
        self.0 & PRESENT != 0
    }

    /// Returns true if the page table has a swap entry of anonymous memory.
    pub fn is_swapped(self) -> bool {
        self.0 & SWAP != 0
    }

    /// Returns true if the page is of a file, or shared: it has no exclusive bit then.
    pub fn is_file(self) -> bool {
        self.0 & FILE != 0
    }

    /// Returns true if PG_anon_exclusive is set, or its mark in a swap or migration entry.
    pub fn is_exclusive(self) -> bool {
        self.0 & EXCLUSIVE != 0
    }

    /// Returns true if the page may be pinned for DMA. Exact for large folios; of others, many
    /// references look like a pin.
    pub fn may_be_pinned(self) -> bool {
        self.0 & MAYBE_PINNED != 0
    }

    /// Returns true if the process may write without a fault.
    pub fn is_writable(self) -> bool {
        self.0 & WRITABLE != 0
    }

    /// Returns true if KSM merged the page.
    pub fn is_ksm(self) -> bool {
        self.0 & KSM != 0
    }

    /// Returns true if the page is part of a large folio.
    pub fn is_large(self) -> bool {
        self.0 & LARGE != 0
    }

    /// Returns true if the page is in the swap cache: it keeps its slot.
    pub fn is_in_swap_cache(self) -> bool {
        self.0 & SWAP_CACHE != 0
    }

    /// Returns true if this is the zero page.
    pub fn is_zero(self) -> bool {
        self.0 & ZERO != 0
    }

    /// References to the folio, at most 65535.
    pub fn references(self) -> u64 {
        self.0 >> REFERENCES_SHIFT & COUNT
    }

    /// Mappings of the page, at most 65535; of its folio, where the kernel has none of the page.
    pub fn mappings(self) -> u64 {
        self.0 & COUNT
    }

    /// Returns true if the page is anonymous memory in memory, in swap or in migration: one that
    /// the exclusive bit says something about.
    pub fn is_anonymous(self) -> bool {
        self.0 & (PRESENT | SWAP | MIGRATION) != 0 && self.0 & (FILE | ZERO) == 0
    }
}

/// Prints the flags: `-` if there are none.
impl fmt::Display for Exclusive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = NAMES.iter().filter(|(bit, _)| self.0 & bit != 0);
        let words: Vec<_> = names.map(|(_, name)| *name).collect();

        f.pad(&match words.is_empty() {
            true => "-".to_string(),
            false => words.join(" "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_of_the_readme() {
        let entry = Exclusive::from_bytes(0x9c00_0000_0401_0001_u64.to_ne_bytes());
        assert_eq!(entry.to_string(), "exclusive maybe-pinned writable");
        assert_eq!((entry.references(), entry.mappings()), (1025, 1));
        assert!(entry.is_present() && entry.is_anonymous() && entry.may_be_pinned());

        let shared = Exclusive::from_raw(0x8000_0000_0002_0002);
        assert!(!shared.is_exclusive() && shared.is_anonymous());
        assert_eq!(shared.to_string(), "-");
    }

    #[test]
    fn files_and_zero_pages_are_not_anonymous() {
        assert!(!Exclusive::from_raw(PRESENT | FILE | WRITABLE).is_anonymous());
        assert!(!Exclusive::from_raw(PRESENT | ZERO).is_anonymous());
        assert!(!Exclusive::default().is_anonymous());
        assert!(Exclusive::from_raw(SWAP | EXCLUSIVE).is_anonymous());
    }
}
