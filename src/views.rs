// SPDX-License-Identifier: GPL-2.0

//! The views: each is the content of one file, computed when it is read.

mod exclusive;
mod file_summary;
mod filemap;
mod page;
mod pagemap;
mod run;
mod summary;
mod swapmap;
mod violations;

pub(crate) use {
    exclusive::Exclusive,
    file_summary::FileSummary,
    filemap::Filemap,
    page::PageFile,
    pagemap::Pagemap,
    summary::Summary,
    swapmap::{
        FileSwapmap,
        Swapmap, //
    },
    violations::Violations,
};
