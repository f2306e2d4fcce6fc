// SPDX-License-Identifier: GPL-2.0

//! Binary files: one entry of 8 bytes per page, read window by window.

use kernel::{
    debugfs::Operations,
    fs::{
        file,
        LocalFile, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::Mutex,
    uaccess::UserSliceWriter, //
};

use super::open::{
    open,
    with_memory,
    Open, //
};

/// The size of an entry in bytes.
const ENTRY_SIZE: usize = size_of::<u64>();

/// The size of a window in pages: as many as one page table maps.
const WINDOW_PAGES: usize = PAGE_SIZE / ENTRY_SIZE;

/// An object made of pages, each with an entry.
pub(crate) trait Pages: Send + Sync + 'static {
    /// The state of a page before it is encoded.
    type State: Copy + Send + Unpin;

    /// The initial value of scratch memory.
    const SCRATCH: Self::State;

    /// Fills `entries` with those of the pages from number `page` on, and returns how many pages
    /// there were; fewer than `entries` has room for only at the end. `states` is scratch memory of
    /// the same length.
    ///
    /// The function holds no lock when it returns.
    ///
    /// # Errors
    ///
    /// - [`EINTR`]: a fatal signal arrived.
    fn fill(&self, page: usize, states: &mut [Self::State], entries: &mut [u64]) -> Result<usize>;
}

/// The memory of an open file: one window.
pub(crate) struct Window<S> {
    states: KVec<S>,
    entries: KVec<u64>,
}

impl<S: Copy> Window<S> {
    fn new(scratch: S) -> Result<Self> {
        Ok(Self {
            states: KVec::from_elem(scratch, WINDOW_PAGES, GFP_KERNEL)?,
            entries: KVec::from_elem(0, WINDOW_PAGES, GFP_KERNEL)?,
        })
    }
}

/// The file of the entries of `P`.
pub(crate) struct BinaryFile<P>(pub(crate) P);

impl<P: Pages> BinaryFile<P> {
    /// Reads from `offset` on, and returns the number of bytes read.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`]: `offset` or the length of the user's buffer is no multiple of [`ENTRY_SIZE`].
    /// - [`EFAULT`]: the user's buffer cannot be written.
    /// - [`EINTR`]: a fatal signal arrived.
    fn read_windows(
        &self,
        window: &mut Window<P::State>,
        writer: &mut UserSliceWriter,
        offset: file::Offset,
    ) -> Result<usize> {
        let offset = usize::try_from(offset).map_err(|_| EINVAL)?;
        if offset % ENTRY_SIZE != 0 || writer.len() % ENTRY_SIZE != 0 {
            return Err(EINVAL);
        }

        let len = writer.len();
        let mut page = offset / ENTRY_SIZE;

        while !writer.is_empty() {
            let pages = (WINDOW_PAGES - page % WINDOW_PAGES).min(writer.len() / ENTRY_SIZE);
            let states = window.states.get_mut(..pages).ok_or(EINVAL)?;
            let entries = window.entries.get_mut(..pages).ok_or(EINVAL)?;
            let filled = self.0.fill(page, states, entries)?;

            writer.write_slice(entries.get(..filled).ok_or(EINVAL)?.as_bytes())?;
            if filled < pages {
                break;
            }
            if current!().fatal_signal_pending() {
                return Err(EINTR);
            }
            page += pages;
        }
        Ok(len - writer.len())
    }
}

#[vtable]
impl<P: Pages> Operations for BinaryFile<P> {
    const MODE: u16 = 0o400;
    type Open = Open<Window<P::State>>;

    fn open(&self, _file: &LocalFile) -> Result<Self::Open> {
        open(|| Window::new(P::SCRATCH))
    }

    fn read(
        &self,
        open: Pin<&Mutex<Window<P::State>>>,
        writer: &mut UserSliceWriter,
        offset: &mut file::Offset,
    ) -> Result<usize> {
        let read = with_memory(
            open,
            || Window::new(P::SCRATCH),
            |window| self.read_windows(window, writer, *offset),
        )?;

        *offset += file::Offset::try_from(read)?;
        Ok(read)
    }
}
