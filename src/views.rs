// SPDX-License-Identifier: GPL-2.0

//! The views: each is the content of one file, computed when it is read.

mod exclusive;
mod file_summary;
mod filemap;
mod kept;
mod page;
mod pagemap;
mod run;
mod slots;
mod summary;
mod swapmap;
mod violations;

pub(crate) use {
    exclusive::Exclusive,
    file_summary::FileSummary,
    filemap::Filemap,
    kept::Kept,
    page::PageFile,
    pagemap::Pagemap,
    slots::Slots,
    summary::Summary,
    swapmap::{
        FileSwapmap,
        Swapmap, //
    },
    violations::Violations,
};
