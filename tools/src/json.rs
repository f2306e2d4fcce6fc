// SPDX-License-Identifier: GPL-2.0

//! JSON of the commands: an object whose `schema` is `xpagemap.COMMAND/VERSION`.
//!
//! Fields may be added to a version. A field that goes, or changes its meaning, is a new version.
//! Numbers of pages count pages of `page_size` bytes. Addresses are strings, in hex as in
//! `/proc/PID/maps`; [`Unknown`] says why a field is null.

use std::fmt;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// The version of every schema.
const VERSION: u32 = 1;

/// Something that cannot be told here, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// The columns or facts.
    pub what: String,
    /// The reason, and the remedy.
    pub why: String,
}

impl Unknown {
    /// `what` is not known, because of `why`.
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: why.into(),
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not known: {}: {}", self.what, self.why)
    }
}

/// Adds what is not known, once.
pub fn add_unknown(all: &mut Vec<Unknown>, one: Unknown) {
    if !all.contains(&one) {
        all.push(one);
    }
}

/// Prints what is not known to standard error, a line each.
pub fn print_unknown(all: &[Unknown]) {
    for unknown in all {
        eprintln!("xpagemap: {unknown}");
    }
}

#[derive(Serialize)]
struct Document<'a, T> {
    schema: String,
    page_size: u64,
    #[serde(flatten)]
    body: &'a T,
    unknown: &'a [Unknown],
}

/// The `schema` of a command's JSON.
pub fn schema(command: &str) -> String {
    format!("xpagemap.{command}/{VERSION}")
}

/// Prints a command's JSON, on one line.
///
/// # Errors
///
/// `out` cannot be written.
pub fn print(
    out: &mut dyn Write,
    command: &str,
    body: &impl Serialize,
    unknown: &[Unknown],
) -> io::Result<()> {
    let document = Document {
        schema: schema(command),
        page_size: procfs::page_size(),
        body,
        unknown,
    };

    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}

/// An address range, as strings in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// First address.
    pub start: String,
    /// Address behind the last byte.
    pub end: String,
}

impl Addresses {
    /// The range `start..end`.
    pub fn new(start: u64, end: u64) -> Self {
        Self {
            start: format!("{start:x}"),
            end: format!("{end:x}"),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The JSON of a command, as a value.
    pub fn value(command: &str, body: &impl Serialize) -> serde_json::Value {
        let mut text = Vec::new();
        print(&mut text, command, body, &[]).expect("a vector takes it");
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1);
        serde_json::from_slice(&text).expect("JSON")
    }

    #[test]
    fn every_document_has_schema_and_page_size() {
        let body = Addresses::new(0x1000, 0xffff_f000);
        let value = value("test", &body);
        assert_eq!(value["schema"], "xpagemap.test/1");
        assert_eq!(value["page_size"], procfs::page_size());
        assert_eq!(value["end"], "fffff000");
        assert_eq!(value["unknown"], serde_json::json!([]));
    }

    #[test]
    fn unknown_facts_are_told_once() {
        let mut all = Vec::new();
        for _ in 0..2 {
            add_unknown(&mut all, Unknown::new("pins", "no module"));
        }
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].to_string(), "not known: pins: no module");
    }
}
