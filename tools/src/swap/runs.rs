// SPDX-License-Identifier: GPL-2.0

//! Lines of the module's `swapmap` and `shmem` files.

use anyhow::{Context, Result};

/// Location of a page's bytes: WHERE of `swapmap`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// In the slot, on the device.
    Disk,
    /// All zero; the device does not hold them.
    Zero,
    /// In zswap.
    Zswap,
    /// In memory, in the swap cache, which may be newer than the device.
    Cache,
    /// Lost by a read that failed.
    Lost,
    /// Not told by this version of the module.
    #[default]
    Untold,
}

impl Place {
    fn of(word: Option<&str>) -> Self {
        match word {
            Some("disk") => Self::Disk,
            Some("zero") => Self::Zero,
            Some("zswap") => Self::Zswap,
            Some("cache") => Self::Cache,
            Some("none") => Self::Lost,
            _ => Self::Untold,
        }
    }
}

/// Consecutive pages in consecutive slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRun {
    /// Address of the first page; of a file, its number.
    pub start: u64,
    /// Swap type.
    pub area: u64,
    /// Slot of the first page.
    pub offset: u64,
    /// Number of pages.
    pub pages: u64,
    /// True for shared memory, whose file has the slots.
    pub is_shared: bool,
    /// Location of the bytes.
    pub place: Place,
}

impl SlotRun {
    /// Its slots: swap type and offset.
    pub fn slots(&self) -> impl Iterator<Item = (u64, u64)> + use<> {
        let area = self.area;
        let slots = self.offset..self.offset.saturating_add(self.pages);

        slots.map(move |offset| (area, offset))
    }
}

/// Parses `START-END TYPE OFFSET PAGES KIND WHERE`; older modules have no sixth column.
///
/// # Errors
///
/// A line is no such line.
pub fn swapmap(text: &str) -> Result<Vec<SlotRun>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));

    lines
        .map(|line| parse(line).with_context(|| format!("swapmap line {line:?}")))
        .collect()
}

fn parse(line: &str) -> Option<SlotRun> {
    let mut words = line.split_whitespace();
    let (start, _) = words.next()?.split_once('-')?;

    Some(SlotRun {
        start: u64::from_str_radix(start, 16).ok()?,
        area: words.next()?.parse().ok()?,
        offset: words.next()?.parse().ok()?,
        pages: words.next()?.parse().ok()?,
        is_shared: words.next()? == "shmem",
        place: Place::of(words.next()),
    })
}

/// The ID and the name of each file in `shmem`.
pub fn shmem(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));

    lines
        .filter_map(|line| {
            let mut words = line.splitn(6, ' ');
            let id = words.next()?;
            Some((id.to_string(), words.nth(4)?.to_string()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_and_six_columns() {
        let text = "10000-13000 1 7 3 shmem\n7f00-7f01 0 9 1 anon disk\n";
        let runs = swapmap(text).expect("two lines");
        assert_eq!(
            (runs[0].start, runs[0].area, runs[0].offset),
            (0x10000, 1, 7)
        );
        assert_eq!((runs[0].pages, runs[0].is_shared), (3, true));
        assert_eq!((runs[1].offset, runs[1].is_shared), (9, false));
        assert_eq!((runs[0].place, runs[1].place), (Place::Untold, Place::Disk));
        let slots: Vec<_> = runs[0].slots().collect();
        assert_eq!(slots, [(1, 7), (1, 8), (1, 9)]);
        assert!(swapmap("7f00 0 9 1 anon\n").is_err());
        assert_eq!(swapmap("# gone\n").expect("none"), []);
    }

    #[test]
    fn names_of_files_may_have_spaces() {
        let text = "# file pages cached swapped links name\n\
                    0:1:1027 600 200 400 0 /memfd:a b (deleted)\n0:1:3:9 1 0 1 1 /x\n";
        let files = shmem(text);
        assert_eq!(files[0].0, "0:1:1027");
        assert_eq!(files[0].1, "/memfd:a b (deleted)");
        assert_eq!(files[1], ("0:1:3:9".to_string(), "/x".to_string()));
    }
}
