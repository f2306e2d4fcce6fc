// SPDX-License-Identifier: GPL-2.0

//! Reads the swap disk, bypassing the page cache.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use anyhow::{Context, Result, bail};

use super::PAGE_BYTES;
use crate::entry::SwapSlot;

/// Environment variable that names the swap disk.
const VARIABLE: &str = "XPAGEMAP_SWAPDEV";

/// Swap type of the only swap device.
const AREA: u64 = 0;

/// Reads Y if zswap may keep swapped pages in memory.
const ZSWAP: &str = "/sys/module/zswap/parameters/enabled";

/// A page, aligned for O_DIRECT.
#[repr(align(4096))]
struct Buffer([u8; PAGE_BYTES]);

/// The only swap device.
pub struct SwapDisk {
    file: File,
    path: String,
    buffer: Box<Buffer>,
}

impl SwapDisk {
    /// Opens the disk that `XPAGEMAP_SWAPDEV` names, else the only one the kernel swaps to.
    ///
    /// # Errors
    ///
    /// There is no swap device, or more than one, or zswap is on: it keeps swapped pages in memory.
    pub fn open() -> Result<Self> {
        if fs::read_to_string(ZSWAP).is_ok_and(|enabled| enabled.trim_end() == "Y") {
            bail!("zswap keeps pages from the disk; run `echo N > {ZSWAP}` first");
        }
        let swaps = fs::read_to_string("/proc/swaps").context("cannot read /proc/swaps")?;
        let path = match env::var(VARIABLE) {
            Ok(path) => path,
            Err(_) => only_device(&swaps)?,
        };
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECT)
            .open(&path)
            .with_context(|| format!("cannot open the swap disk {path}"))?;

        Ok(Self {
            file,
            path,
            buffer: Box::new(Buffer([0; PAGE_BYTES])),
        })
    }

    /// The disk's path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The byte offset of a slot on the disk.
    pub fn position(slot: SwapSlot) -> u64 {
        slot.offset * PAGE_BYTES as u64
    }

    /// Reads the page in `slot` from the disk.
    ///
    /// # Errors
    ///
    /// The slot is of another area, or the read failed.
    pub fn read(&mut self, slot: SwapSlot) -> Result<&[u8; PAGE_BYTES]> {
        let (path, position) = (&self.path, Self::position(slot));

        if slot.area != AREA {
            bail!(
                "swap area {} is reported, but {path} is area {AREA} and the only one",
                slot.area
            );
        }
        self.file
            .read_exact_at(&mut self.buffer.0, position)
            .with_context(|| format!("cannot read {path} at byte {position}"))?;
        Ok(&self.buffer.0)
    }
}

/// Returns the only swap device in the text of `/proc/swaps`.
fn only_device(swaps: &str) -> Result<String> {
    let mut areas = swaps.lines().skip(1).map(|line| line.split_whitespace());

    match (areas.next(), areas.next()) {
        (None, _) => bail!("there is no swap device; run `swapon DEVICE` first"),
        (Some(mut words), None) => match (words.next(), words.next()) {
            (Some(path), Some("partition")) => Ok(path.to_string()),
            _ => bail!("the swap area is a file; the demo needs a device, to read pages from it"),
        },
        _ => bail!("there are several swap areas; run `swapoff` on all but one device"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Filename Type Size Used Priority\n";

    fn pick(lines: &str) -> Result<String> {
        only_device(&format!("{HEADER}{lines}"))
    }

    #[test]
    fn the_only_device_is_found() {
        let path = pick("/dev/vda  partition  1048572  0  -2\n").expect("one device");
        assert_eq!(path, "/dev/vda");
    }

    #[test]
    fn anything_else_is_refused() {
        assert!(pick("").is_err());
        assert!(pick("/swapfile file 1 0 -2\n").is_err());
        assert!(pick("/dev/vda partition 1 0 -2\n/dev/vdb partition 1 0 -3\n").is_err());
    }

    #[test]
    fn a_slot_is_a_page_of_the_disk() {
        let slot = SwapSlot { area: 0, offset: 3 };
        assert_eq!(SwapDisk::position(slot), 12288);
    }
}
