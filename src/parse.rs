// SPDX-License-Identifier: GPL-2.0

//! Numbers that users write.

use kernel::{
    prelude::*,
    uaccess::UserSliceReader, //
};

/// More than the digits of any number that fits, and a newline.
const MAX_LEN: usize = 16;

/// Reads a decimal number, with or without a newline behind it, from all that `reader` holds.
///
/// # Errors
///
/// - [`EINVAL`]: that is not what it is, or the number is too large.
/// - [`EFAULT`]: the memory cannot be read.
pub(crate) fn number(reader: &mut UserSliceReader) -> Result<i32> {
    let mut buffer = [0; MAX_LEN];
    let text = buffer.get_mut(..reader.len()).ok_or(EINVAL)?;

    reader.read_slice(text)?;
    decimal(text).ok_or(EINVAL)
}

/// Reads a decimal number; digits only, but for a newline at the end.
fn decimal(text: &[u8]) -> Option<i32> {
    let digits = text.strip_suffix(b"\n").unwrap_or(text);

    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0i32, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| i32::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[kunit_tests(xpagemap_parse)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(decimal(b"1"), Some(1));
        assert_eq!(decimal(b"4194304\n"), Some(4_194_304));
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"2147483647"), Some(i32::MAX));
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
            b"1\n\n",
            b"1\n2",
            b"0x10",
            b"12a",
            b"1\0",
            b"2147483648",
            b"99999999999",
        ];
        for text in malformed {
            assert_eq!(decimal(text), None);
        }
    }
}
