// SPDX-License-Identifier: GPL-2.0

//! Value files: a short text that each read makes anew, and that a write may change.

use kernel::{
    capability::Capability,
    debugfs::Operations,
    fs::{
        file,
        LocalFile, //
    },
    prelude::*,
    uaccess::{
        UserSliceReader,
        UserSliceWriter, //
    },
};

use super::{
    open::demand,
    text::Text, //
};

/// The longest line that can be written, in bytes, newline included: longer than any well-formed
/// number or identity.
pub(crate) const LINE_MAX: usize = 64;

/// A value.
pub(crate) trait Value: Send + Sync + 'static {
    /// The file's permissions.
    const MODE: u16;

    /// Appends the value to `text`, whole.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    fn show(&self, text: &mut Text) -> Result;

    /// Takes over the line that was written, without its newline.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`]: no such value, or one that cannot be written.
    fn store(&self, line: &[u8]) -> Result {
        let _ = line;
        Err(EINVAL)
    }
}

/// The file of a value. Opening and writing it take CAP_SYS_ADMIN.
pub(crate) struct ValueFile<V>(pub(crate) V);

#[vtable]
impl<V: Value> Operations for ValueFile<V> {
    const MODE: u16 = V::MODE;
    type Open = ();

    fn open(&self, _file: &LocalFile) -> Result {
        demand(Capability::SYS_ADMIN)
    }

    fn read(
        &self,
        _open: (),
        writer: &mut UserSliceWriter,
        offset: &mut file::Offset,
    ) -> Result<usize> {
        let mut text = Text::new();

        self.0.show(&mut text)?;
        writer.write_slice_file(text.as_bytes(), offset)
    }

    fn write(&self, _open: (), reader: &mut UserSliceReader) -> Result {
        demand(Capability::SYS_ADMIN)?;
        self.0.store(line(reader, &mut [0; LINE_MAX])?)
    }
}

/// Reads all of `reader`, and returns it without a newline at its end.
///
/// # Errors
///
/// - [`EINVAL`]: longer than `buffer`.
/// - [`EFAULT`]: the user's memory cannot be read.
pub(crate) fn line<'a>(reader: &mut UserSliceReader, buffer: &'a mut [u8]) -> Result<&'a [u8]> {
    let text = buffer.get_mut(..reader.len()).ok_or(EINVAL)?;

    reader.read_slice(text)?;
    Ok(text.strip_suffix(b"\n").unwrap_or(text))
}
