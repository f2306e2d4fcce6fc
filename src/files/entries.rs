// SPDX-License-Identifier: GPL-2.0

//! What all binary files share: one entry of 8 bytes for each page, read window by window.

use kernel::{
    capability::Capability,
    debugfs::Operations,
    fs::{
        file,
        LocalFile, //
    },
    new_mutex,
    page::PAGE_SIZE,
    prelude::*,
    sync::Mutex,
    uaccess::UserSliceWriter, //
};

use crate::access;

/// The size of an entry in bytes.
const ENTRY_SIZE: usize = size_of::<u64>();

/// The pages that are looked at at a time: as many as a page table maps.
pub(crate) const WINDOW_PAGES: usize = PAGE_SIZE / ENTRY_SIZE;

/// Something that consists of pages, and a way to show them.
pub(crate) trait Pages: Send + Sync + 'static {
    /// What is found out of a page before it is encoded.
    type State: Copy + Send + Unpin;

    /// What scratch memory is filled with.
    const SCRATCH: Self::State;

    /// Fills in the entries of the pages from number `page` on. `states` is scratch memory of the
    /// same length. Returns how many pages there were; fewer than asked for only where they end.
    ///
    /// All locks that this takes, it drops before it returns.
    fn fill(&self, page: usize, states: &mut [Self::State], entries: &mut [u64]) -> Result<usize>;
}

/// The memory that a read works in.
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

/// A file that shows the entries of some pages.
pub(crate) struct BinaryFile<P>(pub(crate) P);

impl<P: Pages> BinaryFile<P> {
    /// Reads from `offset` on, and returns the number of bytes read.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`]: `offset`, or the length of the user's buffer, does not fall between entries.
    /// - [`EFAULT`]: the user's buffer cannot be written.
    /// - [`EINTR`]: the current task is being killed.
    fn read_window_by_window(
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

    /// One window for each open file, so that a read need not allocate.
    type Open = Pin<KBox<Mutex<Window<P::State>>>>;

    fn open(&self, _file: &LocalFile) -> Result<Self::Open> {
        access::demand(Capability::SYS_ADMIN)?;
        KBox::pin_init(new_mutex!(Window::new(P::SCRATCH)?), GFP_KERNEL)
    }

    fn read(
        &self,
        open: Pin<&Mutex<Window<P::State>>>,
        writer: &mut UserSliceWriter,
        offset: &mut file::Offset,
    ) -> Result<usize> {
        // Copying to the user can take as long as the user likes. Whoever reads through the same
        // open file meanwhile does not wait, but brings memory of its own.
        let read = match open.try_lock() {
            Some(mut window) => self.read_window_by_window(&mut window, writer, *offset)?,
            None => self.read_window_by_window(&mut Window::new(P::SCRATCH)?, writer, *offset)?,
        };

        *offset += file::Offset::try_from(read)?;
        Ok(read)
    }
}
