// SPDX-License-Identifier: GPL-2.0

//! The shmem files of the system that have pages in swap: the file `shmem`, and the search for one.

use kernel::{
    mm::shmem::{
        ShmemFile,
        SwappedFiles, //
    },
    prelude::*,
    sync::Arc,
    task::cond_resched, //
};

use crate::{
    files::{
        Lines,
        Text, //
    },
    identity::{
        FileId,
        Identities,
        Identity, //
    },
};

use super::registry::Registries;

/// Returns the first file with pages in swap for which `wanted` returns true.
///
/// # Errors
///
/// - [`EINTR`]: a fatal signal arrived.
/// - [`ENOMEM`]: out of memory.
/// - Those of `wanted`.
fn search(mut wanted: impl FnMut(&ShmemFile) -> Result<bool>) -> Result<Option<ShmemFile>> {
    let mut walk = SwappedFiles::new();
    let mut batch = KVec::new();

    loop {
        let more = walk.next_batch(&mut batch)?;

        for index in 0..batch.len() {
            let Some(file) = batch.get(index) else { break };

            if file.mapping().swapped_pages() != 0 && wanted(file)? {
                return Ok(batch.remove(index).ok());
            }
        }
        if !more {
            return Ok(None);
        }
        cond_resched();
        if current!().fatal_signal_pending() {
            return Err(EINTR);
        }
    }
}

/// Returns the identities of all files that have pages in swap or are attached: among these, the
/// name of each is unique.
///
/// # Errors
///
/// - [`EINTR`]: a fatal signal arrived.
/// - [`ENOMEM`]: out of memory.
pub(super) fn identities(registries: &Registries) -> Result<Identities> {
    let mut known = Identities::new();

    registries
        .files
        .for_each(|file| known.add(file.identity()))?;
    search(|file| known.add(Identity::of(file)).map(|()| false))?;
    known.sort();
    Ok(known)
}

/// Finds the file with pages in swap that `id` names.
///
/// # Errors
///
/// - [`ENOENT`]: there is none.
/// - [`EINTR`]: a fatal signal arrived.
/// - [`ENOMEM`]: out of memory.
pub(super) fn find(id: &FileId) -> Result<ShmemFile> {
    search(|file| Ok(Identity::of(file).has(id)))?.ok_or(ENOENT)
}

/// `shmem`: a line for each file that has pages in swap.
pub(super) struct Listing(pub(super) Arc<Registries>);

/// The position in the list.
pub(super) struct Cursor {
    /// The files at the beginning; [`None`] before the first line.
    known: Option<Identities>,
    walk: SwappedFiles,
    batch: KVec<ShmemFile>,
    name: KVVec<u8>,
}

/// Appends a file's line.
fn write(file: &ShmemFile, id: &FileId, name: &mut KVVec<u8>, text: &mut Text) -> Result {
    let pages = file.pages();
    let cached = file.cached_pages();
    let links = file.links();
    let swapped = file.mapping().swapped_pages();
    let name = match file.name(name) {
        Ok(name) => name,
        // The line without its name is better than no list.
        Err(ENAMETOOLONG) => b"...",
        Err(err) => return Err(err),
    };

    if swapped == 0 {
        return Ok(());
    }
    text.append(fmt!("{id} {pages} {cached} {swapped} {links} "))?;
    // As in /proc/PID/maps: of all bytes, only a newline is escaped.
    for (i, part) in name.split(|&byte| byte == b'\n').enumerate() {
        if i != 0 {
            text.append_bytes(b"\\012")?;
        }
        text.append_bytes(part)?;
    }
    text.append_bytes(b"\n")
}

impl Lines for Listing {
    type Cursor = Cursor;

    fn begin(&self) -> Result<Cursor> {
        Ok(Cursor {
            known: None,
            walk: SwappedFiles::new(),
            batch: KVec::new(),
            name: KVVec::new(),
        })
    }

    fn step(&self, cursor: &mut Cursor, text: &mut Text) -> Result<bool> {
        let Cursor {
            known,
            walk,
            batch,
            name,
        } = cursor;
        let known = match known {
            Some(known) => known,
            None => {
                text.append(fmt!(
                    "# MAJOR:MINOR:INODE PAGES CACHED SWAPPED LINKS NAME\n"
                ))?;
                known.insert(identities(&self.0)?)
            }
        };
        let more = walk.next_batch(batch)?;

        for file in batch.iter() {
            write(file, &known.name(&Identity::of(file)), name, text)?;
        }
        Ok(more)
    }

    fn pause(&self, cursor: &mut Cursor) {
        // No file is kept until the next read.
        cursor.batch.clear();
    }
}
