// SPDX-License-Identifier: GPL-2.0

//! Text files: lines, made step by step as they are read.

use kernel::{
    debugfs::Operations,
    fmt,
    fs::{
        file,
        LocalFile, //
    },
    prelude::*,
    sync::Mutex,
    task::cond_resched,
    uaccess::UserSliceWriter, //
};

use super::open::{
    open,
    with_memory,
    Open, //
};

/// An object that is shown line by line.
pub(crate) trait Lines: Send + Sync + 'static {
    /// The position behind the lines made so far.
    type Cursor: Send + Unpin;

    /// Returns the cursor before the first line.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    fn begin(&self) -> Result<Self::Cursor>;

    /// Appends the next lines to `text`, from none to some hundreds. Returns false after the last
    /// line.
    ///
    /// The function holds no lock when it returns.
    ///
    /// # Errors
    ///
    /// - [`EINTR`]: a fatal signal arrived.
    /// - [`ENOMEM`]: out of memory.
    fn step(&self, cursor: &mut Self::Cursor, text: &mut Text) -> Result<bool>;

    /// Called at the end of each read: drops the references that `cursor` may have between two
    /// steps only, as the next read may never come.
    fn pause(&self, _cursor: &mut Self::Cursor) {}
}

/// Lines in memory. They can be longer than what `kmalloc()` allocates: a path has no limit.
pub(crate) struct Text(KVVec<u8>);

impl Text {
    /// Returns an empty text; allocates nothing.
    pub(crate) fn new() -> Self {
        Self(KVVec::new())
    }

    /// Returns the whole text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Appends a line or a part of one.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn append(&mut self, args: fmt::Arguments<'_>) -> Result {
        fmt::Write::write_fmt(self, args).map_err(|_| ENOMEM)
    }

    /// Appends bytes, whatever they encode.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn append_bytes(&mut self, bytes: &[u8]) -> Result {
        Ok(self.0.extend_from_slice(bytes, GFP_KERNEL)?)
    }

    /// Appends the last line of a view whose address space is gone.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn append_gone(&mut self) -> Result {
        self.append(fmt!("# the address space is gone\n"))
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.append_bytes(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// The memory of an open file: the text made last, and its position in the file.
pub(crate) struct Stream<C> {
    cursor: C,
    text: Text,
    /// The number of bytes of `text` that were read.
    read: usize,
    /// The offset in the file of the first byte that was not read.
    offset: usize,
    ended: bool,
    /// A step failed, perhaps in the middle of a line: its pages would be missing.
    failed: bool,
}

impl<C> Stream<C> {
    fn new(cursor: C) -> Self {
        Self {
            cursor,
            text: Text::new(),
            read: 0,
            offset: 0,
            ended: false,
            failed: false,
        }
    }

    /// Returns the bytes that were made and not read.
    fn unread(&self) -> &[u8] {
        self.text.as_bytes().get(self.read..).unwrap_or(&[])
    }

    fn advance(&mut self, bytes: usize) {
        self.read += bytes;
        self.offset += bytes;
    }
}

/// The file of the lines of `L`.
///
/// A reader that continues at its offset gets every line whole. For a read at a smaller offset, or
/// after a read that failed, all lines are made anew from the first on, as in a `seq_file`.
pub(crate) struct TextFile<L>(pub(crate) L);

impl<L: Lines> TextFile<L> {
    fn stream(&self) -> Result<Stream<L::Cursor>> {
        Ok(Stream::new(self.0.begin()?))
    }

    /// Reads from `offset` on, and returns the number of bytes read.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`]: `offset` is negative.
    /// - [`EFAULT`]: the user's buffer cannot be written.
    /// - [`EINTR`]: a fatal signal arrived.
    /// - [`ENOMEM`]: out of memory.
    fn read_steps(
        &self,
        stream: &mut Stream<L::Cursor>,
        writer: &mut UserSliceWriter,
        offset: file::Offset,
    ) -> Result<usize> {
        let offset = usize::try_from(offset).map_err(|_| EINVAL)?;
        let len = writer.len();

        if offset < stream.offset || stream.failed {
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
                stream.failed = true;
                stream.ended = !self.0.step(&mut stream.cursor, &mut stream.text)?;
                stream.failed = false;
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
    type Open = Open<Stream<L::Cursor>>;

    fn open(&self, _file: &LocalFile) -> Result<Self::Open> {
        open(|| self.stream())
    }

    fn read(
        &self,
        open: Pin<&Mutex<Stream<L::Cursor>>>,
        writer: &mut UserSliceWriter,
        offset: &mut file::Offset,
    ) -> Result<usize> {
        let read = with_memory(
            open,
            || self.stream(),
            |stream| {
                let read = self.read_steps(stream, writer, *offset);

                self.0.pause(&mut stream.cursor);
                read
            },
        )?;

        *offset += file::Offset::try_from(read)?;
        Ok(read)
    }
}
