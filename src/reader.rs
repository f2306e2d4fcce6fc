// SPDX-License-Identifier: GPL-2.0

//! What all binary files share: one entry of 8 bytes for each virtual page, read window by window.

use core::marker::PhantomData;

use kernel::{
    capability::{
        capable,
        Capability, //
    },
    debugfs::Operations,
    fs::{
        file,
        LocalFile, //
    },
    mm::{
        page_state::PageState,
        Mm,
        MmapReadGuard, //
    },
    new_mutex,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        Mutex, //
    },
    uaccess::UserSliceWriter, //
};

/// The size of an entry in bytes.
const ENTRY_SIZE: usize = size_of::<u64>();

/// The pages that are looked at under one hold of the mmap lock: as many as a page table maps.
const WINDOW_PAGES: usize = PAGE_SIZE / ENTRY_SIZE;

/// A way to show page tables: from what they say to entries.
pub(crate) trait View: Send + Sync + 'static {
    /// Fills in the entries of the pages from address `start` on. `states` is scratch memory; both
    /// slices have the same length.
    fn fill(
        mm: &MmapReadGuard<'_>,
        start: usize,
        states: &mut [PageState],
        entries: &mut [u64],
    ) -> Result;
}

/// The memory that a read works in.
pub(crate) struct Window {
    states: KVec<PageState>,
    entries: KVec<u64>,
}

impl Window {
    fn new() -> Result<Self> {
        Ok(Self {
            states: KVec::from_elem(PageState::UNMAPPED, WINDOW_PAGES, GFP_KERNEL)?,
            entries: KVec::from_elem(0, WINDOW_PAGES, GFP_KERNEL)?,
        })
    }
}

/// A file that shows an address space as a `V`.
pub(crate) struct BinaryFile<V> {
    mm: ARef<Mm>,
    _view: PhantomData<V>,
}

impl<V: View> BinaryFile<V> {
    pub(crate) fn new(mm: ARef<Mm>) -> Self {
        Self {
            mm,
            _view: PhantomData,
        }
    }

    /// Reads from `offset` on, and returns the number of bytes read.
    ///
    /// # Errors
    ///
    /// - [`EINVAL`]: `offset`, or the length of the user's buffer, does not fall between entries.
    /// - [`EFAULT`]: the user's buffer cannot be written.
    /// - [`EINTR`]: the current task is being killed.
    fn read_window_by_window(
        &self,
        window: &mut Window,
        writer: &mut UserSliceWriter,
        offset: file::Offset,
    ) -> Result<usize> {
        let Some(mm) = self.mm.mmget_not_zero() else {
            return Ok(0);
        };
        let offset = usize::try_from(offset).map_err(|_| EINVAL)?;
        if offset % ENTRY_SIZE != 0 || writer.len() % ENTRY_SIZE != 0 {
            return Err(EINVAL);
        }
        let first_page = offset / ENTRY_SIZE;
        if writer.is_empty() || first_page > usize::MAX >> PAGE_SHIFT {
            return Ok(0);
        }

        let len = writer.len();
        let task_size = mm.task_size();
        let mut guard = mm.mmap_read_lock_killable()?;
        let mut addr = guard.untagged_addr(first_page << PAGE_SHIFT);

        loop {
            let pages = (WINDOW_PAGES - (addr >> PAGE_SHIFT) % WINDOW_PAGES)
                .min(writer.len() / ENTRY_SIZE)
                .min(task_size.saturating_sub(addr) >> PAGE_SHIFT);
            if pages == 0 {
                return Ok(len - writer.len());
            }
            let states = window.states.get_mut(..pages).ok_or(EINVAL)?;
            let entries = window.entries.get_mut(..pages).ok_or(EINVAL)?;

            V::fill(&guard, addr, states, entries)?;
            drop(guard);
            writer.write_slice(entries.as_bytes())?;

            addr += pages << PAGE_SHIFT;
            if writer.is_empty() {
                return Ok(len);
            }
            if current!().fatal_signal_pending() {
                return Err(EINTR);
            }
            guard = mm.mmap_read_lock_killable()?;
        }
    }
}

#[vtable]
impl<V: View> Operations for BinaryFile<V> {
    const MODE: u16 = 0o400;

    /// One window for each open file, so that a read need not allocate.
    type Open = Pin<KBox<Mutex<Window>>>;

    fn open(&self, _file: &LocalFile) -> Result<Self::Open> {
        if !capable(Capability::SYS_ADMIN) {
            return Err(EPERM);
        }
        KBox::pin_init(new_mutex!(Window::new()?), GFP_KERNEL)
    }

    fn read(
        &self,
        open: Pin<&Mutex<Window>>,
        writer: &mut UserSliceWriter,
        offset: &mut file::Offset,
    ) -> Result<usize> {
        // Copying to the user can take as long as the user likes. Whoever reads through the same
        // open file meanwhile does not wait, but brings memory of its own.
        let read = match open.try_lock() {
            Some(mut window) => self.read_window_by_window(&mut window, writer, *offset)?,
            None => self.read_window_by_window(&mut Window::new()?, writer, *offset)?,
        };

        *offset += file::Offset::try_from(read)?;
        Ok(read)
    }
}
