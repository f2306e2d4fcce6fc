// SPDX-License-Identifier: GPL-2.0

//! The totals at the end of `xpagemap show`.

use std::fmt;

use serde::Serialize;

use crate::entry::{Entry, Place};
use crate::runs::Pair;

/// Numbers of pages by location, in both files.
#[derive(Default)]
pub struct Counts {
    /// All pages.
    pub pages: u64,
    /// Locations in `/proc/PID/pagemap`.
    pub proc: Places,
    /// Locations in the other file.
    pub xpagemap: Places,
}

/// Numbers of pages by location. Migration entries and markers count as swap, as in `/proc`.
#[derive(Default, Serialize)]
pub struct Places {
    memory: u64,
    swap: u64,
}

impl Counts {
    /// Counts a page.
    pub fn add(&mut self, pair: Pair) {
        self.pages += 1;
        self.proc.add(pair.proc);
        self.xpagemap.add(pair.xpagemap);
    }
}

impl Places {
    fn add(&mut self, entry: Entry) {
        match entry.place() {
            Place::Memory { .. } => self.memory += 1,
            Place::Swap(_) => self.swap += 1,
            Place::Nowhere => {}
        }
    }
}

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("memory {}, swap {}", self.memory, self.swap))
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pages = self.pages;
        write!(
            f,
            "{:<14} {pages:>9}  {:<39}  {}",
            "total", self.proc, self.xpagemap
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::swapped;

    #[test]
    fn counts_keep_the_two_files_apart() {
        let mut counts = Counts::default();
        counts.add(Pair {
            proc: Entry::default(),
            xpagemap: swapped(0, 7),
            exclusive: None,
        });
        let text = counts.to_string();
        assert!(text.contains("memory 0, swap 0"), "{text}");
        assert!(text.ends_with("memory 0, swap 1"), "{text}");
    }
}
