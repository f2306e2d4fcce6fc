// SPDX-License-Identifier: GPL-2.0

//! Identities of shmem files, and the names that tell them apart.

use core::ops::Range;

use kernel::{
    fmt,
    mm::shmem::ShmemFile,
    prelude::*,
    str::CString, //
};

/// The name of a file: `MAJOR:MINOR:INODE`, or `MAJOR:MINOR:INODE:GENERATION` where several files
/// have the same inode number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) inode: u64,
    pub(crate) generation: Option<u32>,
}

impl FileId {
    /// Returns the name of the file's directory.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn name(&self) -> Result<CString> {
        CString::try_from_fmt(fmt!("{self}"))
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            major,
            minor,
            inode,
            generation,
        } = self;

        f.write_fmt(fmt!("{major}:{minor}:{inode}"))?;
        generation.map_or(Ok(()), |generation| f.write_fmt(fmt!(":{generation}")))
    }
}

/// The identity of a file: no two files have the same one while both exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    major: u32,
    minor: u32,
    inode: u64,
    generation: u32,
}

impl Identity {
    /// Returns the identity of a file.
    pub(crate) fn of(file: &ShmemFile) -> Self {
        let (major, minor, inode) = file.id();

        Self {
            major,
            minor,
            inode,
            generation: file.generation(),
        }
    }

    /// Returns whether `id` names this file. Without a generation, it can name others too.
    pub(crate) fn has(&self, id: &FileId) -> bool {
        (self.major, self.minor, self.inode) == (id.major, id.minor, id.inode)
            && id.generation.is_none_or(|own| own == self.generation)
    }
}

/// The identities of some files.
pub(crate) struct Identities(KVVec<Identity>);

impl Identities {
    /// Returns no identities.
    pub(crate) fn new() -> Self {
        Self(KVVec::new())
    }

    /// Adds an identity.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: out of memory.
    pub(crate) fn add(&mut self, identity: Identity) -> Result {
        Ok(self.0.push(identity, GFP_KERNEL)?)
    }

    /// Ends the additions. Must be called before the other functions.
    pub(crate) fn sort(&mut self) {
        self.0.sort_unstable();
    }

    /// Returns the positions of those files that have the inode number of `id`.
    fn alike(&self, id: &FileId) -> Range<usize> {
        let key = (id.major, id.minor, id.inode);
        let key_of = |file: &Identity| (file.major, file.minor, file.inode);

        self.0.partition_point(|file| key_of(file) < key)
            ..self.0.partition_point(|file| key_of(file) <= key)
    }

    /// Returns whether several files have the inode number of `id`.
    pub(crate) fn is_ambiguous(&self, id: &FileId) -> bool {
        match self.0.get(self.alike(id)) {
            // They are in order: all are equal if the first and the last one are.
            Some([first, .., last]) => first != last,
            _ => false,
        }
    }

    /// Returns the name of a file among these.
    pub(crate) fn name(&self, file: &Identity) -> FileId {
        let mut id = FileId {
            major: file.major,
            minor: file.minor,
            inode: file.inode,
            generation: None,
        };

        let others = self.0.get(self.alike(&id)).unwrap_or(&[]);
        if others.iter().any(|other| other != file) {
            id.generation = Some(file.generation);
        }
        id
    }
}

#[kunit_tests(xpagemap_identity)]
mod tests {
    use super::*;

    fn file(inode: u64, generation: u32) -> Identity {
        Identity {
            major: 0,
            minor: 1,
            inode,
            generation,
        }
    }

    fn id(inode: u64, generation: Option<u32>) -> FileId {
        FileId {
            major: 0,
            minor: 1,
            inode,
            generation,
        }
    }

    fn some() -> Identities {
        let mut files = Identities::new();

        // The last one is there twice: attached, and with pages in swap.
        for file in [file(9, 3), file(7, 2), file(7, 1), file(8, 1), file(8, 1)] {
            assert!(files.add(file).is_ok());
        }
        files.sort();
        files
    }

    #[test]
    fn generation_is_named_where_others_have_the_number() {
        let files = some();

        assert_eq!(files.name(&file(7, 1)), id(7, Some(1)));
        assert_eq!(files.name(&file(7, 2)), id(7, Some(2)));
        assert_eq!(files.name(&file(8, 1)), id(8, None));
        assert_eq!(files.name(&file(8, 2)), id(8, Some(2)));
        assert_eq!(files.name(&file(10, 1)), id(10, None));
    }

    #[test]
    fn short_form_of_several_files_is_ambiguous() {
        let files = some();

        assert!(files.is_ambiguous(&id(7, None)));
        assert!(!files.is_ambiguous(&id(8, None)));
        assert!(!files.is_ambiguous(&id(9, None)));
        assert!(!files.is_ambiguous(&id(10, None)));
        assert!(!Identities::new().is_ambiguous(&id(7, None)));
    }

    #[test]
    fn short_form_names_any_generation() {
        assert!(file(7, 1).has(&id(7, None)));
        assert!(file(7, 1).has(&id(7, Some(1))));
        assert!(!file(7, 1).has(&id(7, Some(2))));
        assert!(!file(8, 1).has(&id(7, None)));
    }
}
