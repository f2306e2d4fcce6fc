// SPDX-License-Identifier: GPL-2.0

//! `show` as text in the columns that `-o` chooses.

use std::io::Write;

use anyhow::Result;

use super::counts::Counts;
use super::output::Output;
use crate::commands::columns::{Column, Columns, Row};
use crate::commands::pages::PageRun;
use crate::maps::Mapping;
use crate::runs::{Pair, Run};

/// A run, in the fields of the JSON and in the words of the usual columns.
pub struct Line {
    run: PageRun,
    pair: Pair,
    compares: bool,
}

impl Row for Line {
    fn columns() -> Vec<Column<Self>> {
        let entry = |name, of: fn(&PageRun) -> String| {
            Column::text(name, move |l: &Self| of(&l.run)).width(16)
        };

        vec![
            Column::number("address", |line: &Self| line.run.address.clone()).width(14),
            Column::number("pages", |line: &Self| line.run.pages.to_string()).width(9),
            Column::text("state", |line: &Self| line.run.state.clone()).width(6),
            Column::text("slot", |line: &Self| {
                let slot = line.run.slot.as_ref();
                slot.map_or(String::new(), |slot| {
                    format!("{}:{}", slot.area, slot.offset)
                })
            })
            .width(12),
            Column::text("flags", |line: &Self| line.run.flags.join(",")).width(30),
            Column::text("proc", |line: &Self| line.pair.proc.to_string())
                .fields(&["proc_entry"])
                .width(39),
            Column::text("xpagemap", |line: &Self| match line.compares {
                true => line.pair.xpagemap.to_string(),
                false => "?".to_string(),
            })
            .fields(&["entry"])
            .width(39),
            Column::text("exclusive", |line: &Self| match line.pair.exclusive {
                Some(exclusive) => exclusive.to_string(),
                None => "?".to_string(),
            })
            .fields(&["exclusive_entry"])
            .width(30),
            Column::text("differs", |line: &Self| {
                let mark = if line.run.differs { "*" } else { "" };
                mark.to_string()
            }),
            entry("entry", |run| run.entry.clone()),
            entry("proc-entry", |run| run.proc_entry.clone()),
            entry("exclusive-entry", |run| {
                run.exclusive_entry.clone().unwrap_or("?".to_string())
            }),
        ]
    }
}

/// Columns that `-o +COLUMNS` adds to: with --pages, --exclusive or --raw, others.
pub fn usual(single_pages: bool, exclusive: bool, raw: bool) -> Vec<&'static str> {
    [
        ("address", true),
        ("pages", !single_pages),
        ("proc", true),
        ("proc-entry", raw),
        ("xpagemap", true),
        ("entry", raw),
        ("exclusive", exclusive),
        ("exclusive-entry", exclusive && raw),
        ("differs", true),
    ]
    .into_iter()
    .filter_map(|(name, is_usual)| is_usual.then_some(name))
    .collect()
}

/// Prints a line for each run.
pub struct Printer<'a> {
    out: &'a mut dyn Write,
    columns: Columns<Line>,
    /// True if there are two pagemap files.
    compares: bool,
}

impl<'a> Printer<'a> {
    /// Prints the names of the columns.
    pub fn begin(out: &'a mut dyn Write, columns: Columns<Line>, compares: bool) -> Result<Self> {
        writeln!(out, "{}", columns.header())?;
        Ok(Self {
            out,
            columns,
            compares,
        })
    }
}

impl Output for Printer<'_> {
    fn mapping(&mut self, map: &Mapping) -> Result<()> {
        writeln!(self.out, "{}", map.heading())?;
        Ok(())
    }

    fn run(&mut self, run: &Run<Pair>) -> Result<()> {
        let line = Line {
            run: PageRun::new(run, procfs::page_size()),
            pair: run.start,
            compares: self.compares,
        };

        writeln!(self.out, "{}", self.columns.line(&line))?;
        Ok(())
    }

    fn finish(&mut self, counts: &Counts) -> Result<()> {
        let line = self.columns.line_of(|column| match column {
            "address" => "total".to_string(),
            "pages" => counts.pages.to_string(),
            "proc" => counts.proc.to_string(),
            "xpagemap" if self.compares => counts.xpagemap.to_string(),
            _ => String::new(),
        });

        writeln!(self.out, "{line}")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::columns::tests::{check, output};
    use crate::entry::Entry;
    use crate::entry::tests::swapped;

    #[test]
    fn unknown_is_a_question_mark() {
        check::<Line>(&usual(false, true, true));
        let pair = Pair {
            proc: Entry::default(),
            xpagemap: swapped(1, 7),
            exclusive: None,
        };
        let words = |text: &str, compares| {
            let mut out = Vec::new();
            let columns = output(text).or_usual(&usual(false, false, false));
            let mut printer = Printer::begin(&mut out, columns, compares).expect("written");
            printer.run(&Run::new(0x7f00, pair)).expect("written");
            printer.finish(&Counts::default()).expect("written");
            let text = String::from_utf8(out).expect("text");
            text.lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        };
        let page = format!("{:x}", 0x7f00 * procfs::page_size());
        assert_eq!(
            words("slot,address,exclusive", true),
            [
                "slot address exclusive".to_string(),
                format!("1:7 {page} ?"),
                "total".to_string()
            ]
        );
        let lines = words("+flags", true);
        assert_eq!(lines[1], format!("{page} 1 - swap 1:7 file * file"));
        assert_eq!(words("xpagemap", false)[1], "?");
    }
}
