// SPDX-License-Identifier: GPL-2.0

//! Lines of numbers and words, made without the macros for formatting.

use kernel::prelude::*;

/// A short line, made from its end to its beginning, as the digits of numbers are. The macros for
/// formatting would take most of the time that a line takes.
pub(crate) struct Line {
    bytes: [u8; LINE_BYTES],
    start: usize,
}

/// The length of the longest [`Line`].
const LINE_BYTES: usize = 128;

impl Line {
    /// Returns an empty line.
    pub(crate) fn new() -> Self {
        Self {
            bytes: [0; LINE_BYTES],
            start: LINE_BYTES,
        }
    }

    /// Puts bytes in front of the line.
    ///
    /// # Errors
    ///
    /// - [`EOVERFLOW`]: the line is longer than [`LINE_BYTES`].
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result {
        let start = self.start.checked_sub(bytes.len()).ok_or(EOVERFLOW)?;
        let here = self.bytes.get_mut(start..self.start).ok_or(EOVERFLOW)?;

        here.copy_from_slice(bytes);
        self.start = start;
        Ok(())
    }

    /// Puts a number in base `BASE`, 16 at most, in front of the line.
    ///
    /// # Errors
    ///
    /// As for [`Self::put`].
    #[inline]
    pub(crate) fn put_number<const BASE: usize>(&mut self, mut number: usize) -> Result {
        const { assert!(BASE >= 2 && BASE <= 16) };

        loop {
            let start = self.start.checked_sub(1).ok_or(EOVERFLOW)?;

            *self.bytes.get_mut(start).ok_or(EOVERFLOW)? = b"0123456789abcdef"[number % BASE];
            self.start = start;
            number /= BASE;
            if number == 0 {
                return Ok(());
            }
        }
    }

    /// Returns the bytes of the line.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or(&[])
    }
}

#[kunit_tests(xpagemap_line)]
mod tests {
    use super::*;

    use crate::files::Text;

    #[test]
    fn numbers_have_the_digits_of_the_macros() -> Result {
        let numbers = [0, 1, 9, 10, 15, 16, 0xdead_beef_0000, usize::MAX];

        for number in numbers {
            let (mut line, mut expected) = (Line::new(), Text::new());

            line.put(b"\n")?;
            line.put_number::<16>(number)?;
            line.put_number::<10>(number)?;
            expected.append(fmt!("{number}{number:x}\n"))?;
            assert_eq!(line.as_bytes(), expected.as_bytes());
        }
        Ok(())
    }

    #[test]
    fn long_line_is_refused() -> Result {
        let mut line = Line::new();

        line.put(&[b'x'; LINE_BYTES])?;
        assert_eq!(line.put(b"y"), Err(EOVERFLOW));
        assert_eq!(line.put_number::<10>(1), Err(EOVERFLOW));
        assert_eq!(line.as_bytes(), [b'x'; LINE_BYTES]);
        Ok(())
    }
}
