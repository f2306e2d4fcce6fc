// SPDX-License-Identifier: GPL-2.0

//! `PID/page`: all that is known of one page, and what a write and a fork would do.

use kernel::{
    capability::Capability,
    debugfs::Operations,
    fs::{
        file,
        LocalFile, //
    },
    mm::Mm,
    new_mutex,
    prelude::*,
    sync::{
        aref::ARef,
        Mutex, //
    },
    uaccess::{
        UserSliceReader,
        UserSliceWriter, //
    },
};

use crate::files::{
    demand,
    line,
    Text,
    LINE_MAX, //
};

mod address;
mod facts;
mod fork;
mod kunit;
mod lines;
mod sharers;
mod snapshot;
mod write;

use snapshot::Snapshot;

/// `PID/page`.
pub(crate) struct PageFile(pub(crate) ARef<Mm>);

/// The memory of an open file. Neither lock is held while the page is looked at.
#[pin_data]
pub(crate) struct Open {
    /// The address that was written last.
    #[pin]
    addr: Mutex<Option<usize>>,
    /// The text made last. Taken with `try_lock` only, and held while it is copied to the user.
    #[pin]
    text: Mutex<Text>,
}

impl PageFile {
    /// Makes the text of the page at `addr`.
    fn make(&self, addr: usize) -> Result<Text> {
        let mut text = Text::new();

        match Snapshot::take(&self.0, addr)? {
            Some(snapshot) => lines::write(&snapshot, &mut text)?,
            None => text.append_gone()?,
        }
        Ok(text)
    }
}

#[vtable]
impl Operations for PageFile {
    const MODE: u16 = 0o600;
    type Open = Pin<KBox<Open>>;

    fn open(&self, _file: &LocalFile) -> Result<Self::Open> {
        demand(Capability::SYS_ADMIN)?;
        KBox::pin_init(
            pin_init!(Open {
                addr <- new_mutex!(None),
                text <- new_mutex!(Text::new()),
            }),
            GFP_KERNEL,
        )
    }

    /// Reads from offset 0 make the text anew; those behind it continue it.
    fn read(
        &self,
        open: Pin<&Open>,
        writer: &mut UserSliceWriter,
        offset: &mut file::Offset,
    ) -> Result<usize> {
        let addr = open.addr.lock().ok_or(EINVAL)?;

        match open.text.try_lock() {
            Some(mut text) => {
                if *offset == 0 || text.as_bytes().is_empty() {
                    *text = self.make(addr)?;
                }
                writer.write_slice_file(text.as_bytes(), offset)
            }
            None => writer.write_slice_file(self.make(addr)?.as_bytes(), offset),
        }
    }

    fn write(&self, open: Pin<&Open>, reader: &mut UserSliceReader) -> Result {
        demand(Capability::SYS_ADMIN)?;
        let addr = address::parse(line(reader, &mut [0; LINE_MAX])?).ok_or(EINVAL)?;

        *open.addr.lock() = Some(addr);
        if let Some(mut text) = open.text.try_lock() {
            *text = Text::new();
        }
        Ok(())
    }
}
