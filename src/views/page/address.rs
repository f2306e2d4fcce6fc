// SPDX-License-Identifier: GPL-2.0

//! The address that is written to `PID/page`.

use kernel::prelude::*;

/// Parses a hexadecimal number, with or without `0x`.
pub(super) fn parse(text: &[u8]) -> Option<usize> {
    let digits = text.strip_prefix(b"0x").unwrap_or(text);

    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0usize, |number, &digit| {
        let digit = char::from(digit).to_digit(16)?;

        number
            .checked_mul(16)?
            .checked_add(usize::try_from(digit).ok()?)
    })
}

#[kunit_tests(xpagemap_page_address)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(parse(b"0"), Some(0));
        assert_eq!(parse(b"7f12aBcD3000"), Some(0x7f12_abcd_3000));
        assert_eq!(parse(b"0x1000"), Some(0x1000));
        assert_eq!(parse(b"ffffffffffffffff"), Some(usize::MAX));
    }

    #[test]
    fn everything_else() {
        let malformed: &[&[u8]] = &[
            b"",
            b"0x",
            b"0x0x1",
            b"-1",
            b"+1",
            b" 1",
            b"1 ",
            b"1\n",
            b"g",
            b"1\0",
            b"10000000000000000",
        ];
        for text in malformed {
            assert_eq!(parse(text), None);
        }
    }
}
