// SPDX-License-Identifier: GPL-2.0

//! One entry of a pagemap file: eight bytes about one virtual page.
//!
//! The layout is that of `/proc/PID/pagemap`, described in the kernel's pagemap.rst. This file
//! is the only one in this crate that knows it.

use std::fmt;

use crate::continues::Continues;

const SOFT_DIRTY: u64 = 1 << 55;
/// PM_MMAP_EXCLUSIVE: mapped once. Not PG_anon_exclusive, which pagemap does not report.
const MMAP_EXCLUSIVE: u64 = 1 << 56;
const UFFD: u64 = 1 << 57;
const GUARD: u64 = 1 << 58;
const FILE: u64 = 1 << 61;
const SWAP: u64 = 1 << 62;
const PRESENT: u64 = 1 << 63;

#[cfg(test)]
pub(crate) const C_NAMES: [(&str, u64); 7] = [
    ("PM_PRESENT", PRESENT),
    ("PM_SWAP", SWAP),
    ("PM_FILE", FILE),
    ("PM_GUARD", GUARD),
    ("PM_UFFD", UFFD),
    ("PM_MMAP_EXCLUSIVE", MMAP_EXCLUSIVE),
    ("PM_SOFT_DIRTY", SOFT_DIRTY),
];

/// Bits 0 to 54: the page frame number, or the swap type and offset.
const LOCATION: u64 = (1 << 55) - 1;
const SWAP_TYPE_BITS: u32 = 5;

/// Flags that any state can have, in the order they are printed.
const FLAG_NAMES: [(u64, &str); 5] = [
    (FILE, "file"),
    (SOFT_DIRTY, "soft-dirty"),
    (MMAP_EXCLUSIVE, "mmap-exclusive"),
    (UFFD, "uffd"),
    (GUARD, "guard"),
];

/// Bytes of an entry. Virtual page V is at file offset `V * ENTRY_BYTES`.
pub const ENTRY_BYTES: usize = size_of::<u64>();

/// An entry as the kernel wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry(u64);

/// A page's swap slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapSlot {
    /// Swap type: the number of the swap area.
    pub area: u64,
    /// Page offset in that area.
    pub offset: u64,
}

/// Location of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory and mapped.
    Memory {
        /// Page frame number; 0 for readers without CAP_SYS_ADMIN.
        frame: u64,
    },
    /// Swapped out. Migration entries and markers have the same bit, with a type above those of
    /// swap areas.
    Swap(SwapSlot),
    /// Neither present nor swapped.
    Nowhere,
}

impl SwapSlot {
    /// Decodes bits 0 to 54 of an entry in swap, or the location that SHMEM_SCAN tells.
    pub fn from_location(location: u64) -> Self {
        Self {
            area: location & ((1 << SWAP_TYPE_BITS) - 1),
            offset: location >> SWAP_TYPE_BITS,
        }
    }
}

impl Entry {
    /// An entry of these bits.
    pub fn from_raw(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits.
    pub fn raw(self) -> u64 {
        self.0
    }

    /// The flags, as [`Display`](fmt::Display) has them: `file`, `soft-dirty`, `mmap-exclusive`,
    /// `uffd`, `guard`.
    pub fn flags(self) -> Vec<&'static str> {
        let set = FLAG_NAMES.iter().filter(|(bit, _)| self.0 & bit != 0);

        set.map(|(_, name)| *name).collect()
    }

    /// Returns true if the page is of a file, or shared.
    pub fn is_file(self) -> bool {
        self.0 & FILE != 0
    }

    /// Decodes an entry from the bytes of a pagemap file.
    pub fn from_bytes(bytes: [u8; ENTRY_BYTES]) -> Self {
        Self(u64::from_ne_bytes(bytes))
    }

    /// The page's location.
    pub fn place(self) -> Place {
        let location = self.0 & LOCATION;

        if self.0 & PRESENT != 0 {
            Place::Memory { frame: location }
        } else if self.0 & SWAP != 0 {
            Place::Swap(SwapSlot::from_location(location))
        } else {
            Place::Nowhere
        }
    }

    /// The entry of the page that is `pages` pages later in a run: of a page in swap, the slot is
    /// that much further.
    pub fn slots_later(self, pages: u64) -> Self {
        match self.place() {
            Place::Swap(slot) => {
                let offset = slot.offset.wrapping_add(pages);
                let location = (offset << SWAP_TYPE_BITS | slot.area) & LOCATION;
                Self(self.0 & !LOCATION | location)
            }
            _ => self,
        }
    }

    /// The slot of a swapped-out page of a file or of shared memory.
    pub fn shared_swap(self) -> Option<SwapSlot> {
        match self.place() {
            Place::Swap(slot) if self.0 & FILE != 0 => Some(slot),
            _ => None,
        }
    }

    /// The entry without the bits that xpagemap adds for a swapped-out shared page.
    pub fn without_shared_swap(self) -> Self {
        match self.shared_swap() {
            Some(_) => Self(self.0 & !(SWAP | FILE | LOCATION)),
            None => self,
        }
    }
}

impl Continues for Entry {
    /// Same flags, and for swapped pages the next slot of the same area.
    fn continues(self, previous: Self) -> bool {
        let same_flags = (self.0 ^ previous.0) & !LOCATION == 0;

        same_flags
            && match (previous.place(), self.place()) {
                (Place::Swap(a), Place::Swap(b)) => {
                    a.area == b.area && a.offset.checked_add(1) == Some(b.offset)
                }
                _ => true,
            }
    }
}

impl fmt::LowerHex for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

/// Prints location and flags. The alternate form (`{:#}`) adds the page frame number.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = match self.place() {
            Place::Memory { frame } if f.alternate() => format!("memory {frame:x}"),
            Place::Memory { .. } => "memory".to_string(),
            Place::Swap(SwapSlot { area, offset }) => format!("swap {area}:{offset}"),
            Place::Nowhere => "-".to_string(),
        };

        for name in self.flags() {
            words.push(' ');
            words.push_str(name);
        }
        f.pad(&words)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A shared page on swap, as xpagemap reports it.
    pub fn swapped(area: u64, offset: u64) -> Entry {
        Entry(SWAP | FILE | offset << SWAP_TYPE_BITS | area)
    }

    /// A shared page in memory.
    pub fn in_memory(frame: u64) -> Entry {
        Entry(PRESENT | FILE | frame)
    }

    #[test]
    fn bits_are_those_of_pagemap_rst() {
        let entry = Entry::from_bytes(0x6000_0000_0000_0a43_u64.to_ne_bytes());
        let slot = SwapSlot {
            area: 3,
            offset: 0x52,
        };
        assert_eq!(entry.place(), Place::Swap(slot));
        assert_eq!(entry.shared_swap(), Some(slot));

        let entry = Entry::from_bytes(0x8180_0000_0012_3456_u64.to_ne_bytes());
        assert_eq!(entry.place(), Place::Memory { frame: 0x123456 });
        assert_eq!(
            format!("{entry:#}"),
            "memory 123456 soft-dirty mmap-exclusive"
        );
    }

    #[test]
    fn the_location_takes_55_bits_and_no_more() {
        let entry = Entry(PRESENT | LOCATION);
        let frame = 0x7f_ffff_ffff_ffff;
        assert_eq!(entry.place(), Place::Memory { frame });

        let Place::Swap(slot) = Entry(SWAP | LOCATION).place() else {
            panic!("bit 62 alone is a swap entry");
        };
        assert_eq!((slot.area, slot.offset), (31, 0x3_ffff_ffff_ffff));
    }

    #[test]
    fn soft_dirty_alone_is_nowhere() {
        let entry = Entry(SOFT_DIRTY);
        assert_eq!(entry.place(), Place::Nowhere);
        assert_eq!(entry.to_string(), "- soft-dirty");
    }

    #[test]
    fn private_swap_is_not_shared_swap() {
        let entry = Entry(SWAP | 0x40);
        assert_eq!(entry.shared_swap(), None);
        assert_eq!(entry.without_shared_swap(), entry);
        assert_eq!(entry.to_string(), "swap 0:2");
    }

    #[test]
    fn without_shared_swap_keeps_the_other_flags() {
        let entry = Entry(swapped(1, 99).0 | SOFT_DIRTY | UFFD);
        assert_eq!(entry.without_shared_swap(), Entry(SOFT_DIRTY | UFFD));
    }

    #[test]
    fn every_flag_has_its_word() {
        let entry = Entry(!LOCATION & !PRESENT);
        let words = "swap 0:0 file soft-dirty mmap-exclusive uffd guard";
        assert_eq!(entry.to_string(), words);
    }

    #[test]
    fn consecutive_slots_continue_and_others_do_not() {
        assert!(swapped(0, 8).continues(swapped(0, 7)));
        assert!(!swapped(0, 7).continues(swapped(0, 7)));
        assert!(!swapped(0, 6).continues(swapped(0, 7)));
        assert!(!swapped(1, 8).continues(swapped(0, 7)));
        assert!(!in_memory(8).continues(swapped(0, 7)));
    }

    #[test]
    fn pages_in_memory_continue_in_any_frame() {
        assert!(in_memory(3).continues(in_memory(900)));
        assert!(!Entry(in_memory(3).0 | GUARD).continues(in_memory(2)));
        assert!(Entry(0).continues(Entry(0)));
    }
}
