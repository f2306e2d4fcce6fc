// SPDX-License-Identifier: GPL-2.0

//! `PID/swapmap` and `files/ID/swapmap`: the pages in swap, as runs.

use kernel::{
    mm::{
        shmem::ShmemFile,
        Mm, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    },
};

use crate::{
    files::{
        Lines,
        Text, //
    },
    walk::{
        AddressSlots,
        FileSlots, //
    },
};

use super::run::Runs;

/// The position in `W`, a walk.
pub(crate) struct Cursor<W> {
    walk: W,
    runs: Runs,
}

/// `PID/swapmap`.
pub(crate) struct Swapmap(pub(crate) ARef<Mm>);

impl Lines for Swapmap {
    type Cursor = Cursor<AddressSlots>;

    fn begin(&self) -> Result<Self::Cursor> {
        Ok(Cursor {
            walk: AddressSlots::new()?,
            runs: Runs::new(PAGE_SIZE),
        })
    }

    fn step(&self, cursor: &mut Self::Cursor, text: &mut Text) -> Result<bool> {
        let Cursor { walk, runs } = cursor;

        match walk.step(&self.0, |located| runs.add_located(located, text))? {
            Some(true) => return Ok(true),
            Some(false) => runs.finish(text)?,
            None => {
                runs.finish(text)?;
                text.append_gone()?;
            }
        }
        Ok(false)
    }
}

/// `files/ID/swapmap`.
pub(crate) struct FileSwapmap(pub(crate) Arc<ShmemFile>);

impl Lines for FileSwapmap {
    type Cursor = Cursor<FileSlots>;

    fn begin(&self) -> Result<Self::Cursor> {
        Ok(Cursor {
            walk: FileSlots::new()?,
            runs: Runs::new(1),
        })
    }

    fn step(&self, cursor: &mut Self::Cursor, text: &mut Text) -> Result<bool> {
        let Cursor { walk, runs } = cursor;
        let more = walk.step(&self.0, |located| runs.add_located(located, text))?;

        if !more {
            runs.finish(text)?;
        }
        Ok(more)
    }
}
