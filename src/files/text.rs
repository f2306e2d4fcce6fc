// SPDX-License-Identifier: GPL-2.0

//! What all text files share: lines that are made step by step, as far as the reader has come.

use kernel::{
    capability::Capability,
    debugfs::Operations,
    fmt,
    fs::{
        file,
        LocalFile, //
    },
    new_mutex,
    prelude::*,
    sync::Mutex,
    task::cond_resched,
    uaccess::UserSliceWriter, //
};

use crate::access;

/// What a view of an address space says when that is gone.
pub(crate) const GONE: &str = "# the address space is gone\n";

/// Something that is shown line by line.
pub(crate) trait Lines: Send + Sync + 'static {
    /// How far it was shown.
    type Cursor: Send + Unpin;

    /// Returns the cursor that stands before the first line.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: no memory.
    fn begin(&self) -> Result<Self::Cursor>;

    /// Appends some lines to `text`, at most some hundreds, or none. Returns whether this may be
    /// continued: false after the last line.
    ///
    /// All locks that this takes, it drops before it returns.
    fn step(&self, cursor: &mut Self::Cursor, text: &mut Text) -> Result<bool>;
}

/// Lines that were made, and not read yet.
pub(crate) struct Text(KVec<u8>);

impl Text {
    pub(crate) fn new() -> Self {
        Self(KVec::new())
    }

    /// Returns all of it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Appends a line, or a part of one.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: no memory.
    pub(crate) fn append(&mut self, args: fmt::Arguments<'_>) -> Result {
        fmt::Write::write_fmt(self, args).map_err(|_| ENOMEM)
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0
            .extend_from_slice(text.as_bytes(), GFP_KERNEL)
            .map_err(|_| fmt::Error)
    }
}

/// The text that an open file is in the middle of.
pub(crate) struct Stream<C> {
    cursor: C,
    text: Text,
    /// How many bytes of `text` were read.
    read: usize,
    /// Where in the file the first byte stands that was not read.
    offset: usize,
    ended: bool,
}

impl<C> Stream<C> {
    fn new(cursor: C) -> Self {
        Self {
            cursor,
            text: Text::new(),
            read: 0,
            offset: 0,
            ended: false,
        }
    }

    /// Returns what was made and not read.
    fn unread(&self) -> &[u8] {
        self.text.as_bytes().get(self.read..).unwrap_or(&[])
    }

    fn advance(&mut self, bytes: usize) {
        self.read += bytes;
        self.offset += bytes;
    }
}

/// A file that shows some lines.
///
/// A reader that goes on where it stopped gets every line whole, however long that takes. One that
/// goes elsewhere has all lines made anew, from the first on, as with any `seq_file`.
pub(crate) struct TextFile<L>(pub(crate) L);

impl<L: Lines> TextFile<L> {
    fn stream(&self) -> Result<Stream<L::Cursor>> {
        Ok(Stream::new(self.0.begin()?))
    }

    /// Reads from `offset` on, and returns the number of bytes read.
    ///
    /// # Errors
    ///
    /// - [`EFAULT`]: the user's buffer cannot be written.
    /// - [`EINTR`]: the current task is being killed.
    /// - [`ENOMEM`]: no memory.
    fn read_step_by_step(
        &self,
        stream: &mut Stream<L::Cursor>,
        writer: &mut UserSliceWriter,
        offset: file::Offset,
    ) -> Result<usize> {
        let offset = usize::try_from(offset).map_err(|_| EINVAL)?;
        let len = writer.len();

        if offset < stream.offset {
            *stream = self.stream()?;
        }
        while !writer.is_empty() {
            let unread = stream.unread();

            if unread.is_empty() {
                if stream.ended {
                    break;
                }
                stream.text.0.clear();
                stream.read = 0;
                stream.ended = !self.0.step(&mut stream.cursor, &mut stream.text)?;
                cond_resched();
                if current!().fatal_signal_pending() {
                    return Err(EINTR);
                }
            } else if stream.offset < offset {
                let skipped = unread.len().min(offset - stream.offset);
                stream.advance(skipped);
            } else {
                let bytes = unread.len().min(writer.len());
                writer.write_slice(unread.get(..bytes).ok_or(EINVAL)?)?;
                stream.advance(bytes);
            }
        }
        Ok(len - writer.len())
    }
}

#[vtable]
impl<L: Lines> Operations for TextFile<L> {
    const MODE: u16 = 0o400;

    type Open = Pin<KBox<Mutex<Stream<L::Cursor>>>>;

    fn open(&self, _file: &LocalFile) -> Result<Self::Open> {
        access::demand(Capability::SYS_ADMIN)?;
        KBox::pin_init(new_mutex!(self.stream()?), GFP_KERNEL)
    }

    fn read(
        &self,
        open: Pin<&Mutex<Stream<L::Cursor>>>,
        writer: &mut UserSliceWriter,
        offset: &mut file::Offset,
    ) -> Result<usize> {
        // Copying to the user can take as long as the user likes. Whoever reads through the same
        // open file meanwhile does not wait, but makes the lines for itself.
        let read = match open.try_lock() {
            Some(mut stream) => self.read_step_by_step(&mut stream, writer, *offset)?,
            None => self.read_step_by_step(&mut self.stream()?, writer, *offset)?,
        };

        *offset += file::Offset::try_from(read)?;
        Ok(read)
    }
}
