// SPDX-License-Identifier: GPL-2.0

//! `show` as JSON, a mapping at a time, so that memory does not grow with the process.

use std::io::Write;

use anyhow::Result;
use serde_json::json;

use super::columns::Line;
use super::counts::Counts;
use super::output::Output;
use crate::commands::columns::Columns;
use crate::commands::pages::{MappingRuns, PageRun};
use crate::json::{Addresses, Unknown, schema};
use crate::maps::Mapping;
use crate::runs::{Pair, Run};

/// Writes the document.
pub struct Json<'a> {
    out: &'a mut dyn Write,
    current: Option<MappingRuns>,
    separator: &'static str,
    compares: bool,
    /// Columns whose fields the runs have; all fields if there are none.
    columns: Option<Columns<Line>>,
}

impl<'a> Json<'a> {
    /// Writes the fields before the mappings.
    pub fn begin(
        out: &'a mut dyn Write,
        pid: i32,
        source: Option<&str>,
        unknown: &[Unknown],
        columns: Option<Columns<Line>>,
    ) -> Result<Self> {
        let head = json!({
            "schema": schema("show"),
            "page_size": procfs::page_size(),
            "pid": pid,
            "source": source.unwrap_or("/proc"),
            "unknown": unknown,
        });
        let head = head.to_string();

        let fields = head.strip_suffix("}").unwrap_or(&head);
        write!(out, "{fields},\"mappings\":[")?;
        Ok(Self {
            out,
            current: None,
            separator: "",
            compares: source.is_some(),
            columns,
        })
    }

    fn flush(&mut self) -> Result<()> {
        if let Some(mapping) = self.current.take() {
            write!(self.out, "{}", self.separator)?;
            match &self.columns {
                Some(columns) => {
                    let mut value = serde_json::to_value(&mapping)?;
                    columns.filter(&mut value["runs"]);
                    serde_json::to_writer(&mut *self.out, &value)?;
                }
                None => serde_json::to_writer(&mut *self.out, &mapping)?,
            }
            self.separator = ",\n";
        }
        Ok(())
    }
}

impl Output for Json<'_> {
    fn mapping(&mut self, map: &Mapping) -> Result<()> {
        self.flush()?;
        self.current = Some(MappingRuns {
            addresses: Addresses::new(map.start, map.end),
            permissions: map.permissions.clone(),
            name: map.name.clone(),
            runs: Vec::new(),
        });
        Ok(())
    }

    fn run(&mut self, run: &Run<Pair>) -> Result<()> {
        if let Some(mapping) = &mut self.current {
            mapping.runs.push(PageRun::new(run, procfs::page_size()));
        }
        Ok(())
    }

    fn finish(&mut self, counts: &Counts) -> Result<()> {
        self.flush()?;
        let totals = json!({
            "pages": counts.pages,
            "proc": counts.proc,
            "xpagemap": self.compares.then_some(&counts.xpagemap),
        });
        writeln!(self.out, "],\"total\":{totals}}}")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use crate::entry::tests::swapped;

    #[test]
    fn document_is_whole_and_as_the_schema_says() {
        let mut text = Vec::new();
        let unknown = [Unknown::new("all", "} a brace")];
        let mut json =
            Json::begin(&mut text, 7, Some("xpagemap"), &unknown, None).expect("written");
        let map = Mapping {
            start: 0x1000,
            end: 0x3000,
            permissions: "rw-s".to_string(),
            has_file: true,
            file: "0:1:2".to_string(),
            name: "/memfd:\"x\"".to_string(),
        };
        let pair = Pair {
            proc: Entry::default(),
            xpagemap: swapped(1, 9),
            exclusive: None,
        };
        for _ in 0..2 {
            json.mapping(&map).expect("written");
            json.run(&Run::new(1, pair)).expect("written");
        }
        json.finish(&Counts::default()).expect("written");

        let value: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(value["schema"], "xpagemap.show/1");
        assert_eq!(value["unknown"][0]["why"], "} a brace");
        assert_eq!(
            value["mappings"][1],
            json!({
                "start": "1000", "end": "3000", "permissions": "rw-s", "name": "/memfd:\"x\"",
                "runs": [{
                    "address": "1000", "pages": 1, "state": "swap",
                    "slot": { "type": 1, "offset": 9 }, "flags": ["file"],
                    "entry": "6000000000000121", "proc_entry": "0000000000000000",
                    "exclusive_entry": null, "differs": true,
                }],
            })
        );
    }
}
