// SPDX-License-Identifier: GPL-2.0

//! The kinds of debugfs files, by the format of their content.
//!
//! | kind | content | to implement |
//! | --- | --- | --- |
//! | [`BinaryFile`] | an entry of 8 bytes per page | [`Pages`] |
//! | [`TextFile`] | lines, made while they are read | [`Lines`] |
//! | [`ValueFile`] | a short text, made by each read | [`Value`] |

mod entries;
mod line;
mod open;
mod text;
mod value;

pub(crate) use {
    entries::{
        BinaryFile,
        Pages, //
    },
    line::Line,
    open::demand,
    text::{
        Lines,
        Text,
        TextFile, //
    },
    value::{
        line,
        Value,
        ValueFile,
        LINE_MAX, //
    },
};
