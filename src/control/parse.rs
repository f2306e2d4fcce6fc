// SPDX-License-Identifier: GPL-2.0

//! The arguments of commands: numbers and file identities.

use kernel::{
    prelude::*,
    uaccess::UserSliceReader, //
};

use crate::{
    files::{
        line,
        LINE_MAX, //
    },
    identity::FileId, //
};

/// Reads all of `reader` as a decimal number; a newline may follow it.
///
/// # Errors
///
/// - [`EINVAL`]: not a decimal number, or larger than [`i32::MAX`].
/// - [`EFAULT`]: the user's memory cannot be read.
pub(super) fn number(reader: &mut UserSliceReader) -> Result<i32> {
    let mut buffer = [0; LINE_MAX];

    i32::try_from(decimal(line(reader, &mut buffer)?).ok_or(EINVAL)?).map_err(|_| EINVAL)
}

/// Reads all of `reader` as `MAJOR:MINOR:INODE` or `MAJOR:MINOR:INODE:GENERATION`; a newline may
/// follow it.
///
/// # Errors
///
/// - [`EINVAL`]: not three or four decimal numbers, or one is too large.
/// - [`EFAULT`]: the user's memory cannot be read.
pub(super) fn file_id(reader: &mut UserSliceReader) -> Result<FileId> {
    let mut buffer = [0; LINE_MAX];

    identity(line(reader, &mut buffer)?).ok_or(EINVAL)
}

/// Parses three or four decimal numbers with colons between them.
fn identity(text: &[u8]) -> Option<FileId> {
    let mut parts = text.split(|&byte| byte == b':').map(decimal);
    let id = FileId {
        major: parts.next()??.try_into().ok()?,
        minor: parts.next()??.try_into().ok()?,
        inode: parts.next()??,
        generation: match parts.next() {
            Some(generation) => Some(generation?.try_into().ok()?),
            None => None,
        },
    };

    parts.next().is_none().then_some(id)
}

/// Parses a decimal number; digits only.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[kunit_tests(xpagemap_parse)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(decimal(b"1"), Some(1));
        assert_eq!(decimal(b"4194304"), Some(4_194_304));
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
    }

    #[test]
    fn everything_else() {
        let malformed: &[&[u8]] = &[
            b"",
            b"\n",
            b"-1",
            b"+1",
            b" 1",
            b"1 ",
            b"1\n",
            b"1\n2",
            b"0x10",
            b"12a",
            b"1\0",
            b"18446744073709551616",
            b"99999999999999999999999",
        ];
        for text in malformed {
            assert_eq!(decimal(text), None);
        }
    }

    #[test]
    fn identities() {
        let mut id = FileId {
            major: 0,
            minor: 25,
            inode: 1234,
            generation: None,
        };
        assert_eq!(identity(b"0:25:1234").as_ref(), Some(&id));
        id.generation = Some(u32::MAX);
        assert_eq!(identity(b"0:25:1234:4294967295"), Some(id));
        let malformed: &[&[u8]] = &[
            b"",
            b"1",
            b"0:25",
            b"0:25:",
            b"::",
            b"0:25:1234:",
            b"0:25:1234:5:6",
            b"0:25:1234:4294967296",
            b"0:25:1234:-1",
            b"0:4294967296:1",
            b"0: 25:1",
        ];
        for text in malformed {
            assert_eq!(identity(text), None);
        }
    }
}
