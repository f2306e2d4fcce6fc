// SPDX-License-Identifier: GPL-2.0

//! Text files of the kernel. Names in them, of files and processes, can have any bytes.

use std::fs;
use std::io;
use std::path::Path;

/// Reads a whole file; bytes that are no UTF-8 become U+FFFD.
///
/// # Errors
///
/// The file cannot be read.
pub fn read(path: impl AsRef<Path>) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}
