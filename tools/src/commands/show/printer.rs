// SPDX-License-Identifier: GPL-2.0

//! `show` as text.

use std::fmt::Write as _;
use std::io::Write;

use anyhow::Result;

use super::counts::Counts;
use super::output::Output;
use crate::entry::Entry;
use crate::maps::Mapping;
use crate::pagemap::Both;
use crate::runs::{Pair, Run};

/// Prints a line for each run.
pub struct Printer<'a> {
    out: &'a mut dyn Write,
    page_size: u64,
    single_pages: bool,
    raw: bool,
    /// True if there are two pagemap files.
    compares: bool,
}

/// Width of the first file's column.
const WIDTH: usize = 39;

/// The same with a frame number.
const FRAME_WIDTH: usize = 45;

impl<'a> Printer<'a> {
    /// Prints the names of the columns.
    pub fn begin(
        out: &'a mut dyn Write,
        both: &Both,
        single_pages: bool,
        raw: bool,
    ) -> Result<Self> {
        let printer = Self {
            out,
            page_size: procfs::page_size(),
            single_pages,
            raw,
            compares: both.xpagemap.name().is_some(),
        };
        let width = printer.width() + if raw { 17 } else { 0 };
        let mut line = format!("  {:12}", "address");

        if !single_pages {
            line.push_str(&format!(" {:>9}", "pages"));
        }
        line.push_str(&format!("  {:width$}", "/proc/PID/pagemap"));
        line.push_str(&format!("  {}", both.xpagemap.name().unwrap_or_default()));
        if both.exclusive.is_some() {
            line.push_str(", exclusive");
        }
        writeln!(printer.out, "{}", line.trim_end())?;
        Ok(printer)
    }

    fn width(&self) -> usize {
        if self.single_pages {
            FRAME_WIDTH
        } else {
            WIDTH
        }
    }

    fn entry(&self, entry: Entry) -> String {
        let raw = if self.raw {
            format!("{entry:016x} ")
        } else {
            String::new()
        };
        if self.single_pages {
            format!("{raw}{entry:#}")
        } else {
            format!("{raw}{entry}")
        }
    }
}

impl Output for Printer<'_> {
    fn mapping(&mut self, map: &Mapping) -> Result<()> {
        writeln!(self.out, "{}", map.heading())?;
        Ok(())
    }

    fn run(&mut self, run: &Run<Pair>) -> Result<()> {
        let Pair {
            proc,
            xpagemap,
            exclusive,
        } = run.start;
        let width = self.width() + if self.raw { 17 } else { 0 };
        let mut line = format!("  {:12x}", run.first * self.page_size);

        if !self.single_pages {
            write!(line, " {:>9}", run.pages)?;
        }
        write!(line, "  {:width$}", self.entry(proc))?;
        if self.compares {
            write!(line, "  {}", self.entry(xpagemap))?;
        }
        if let Some(exclusive) = exclusive {
            write!(line, ", ")?;
            if self.raw {
                write!(line, "{:016x} ", exclusive.raw())?;
            }
            write!(line, "{exclusive}")?;
        }
        if proc != xpagemap {
            line.push_str(" *");
        }
        writeln!(self.out, "{}", line.trim_end())?;
        Ok(())
    }

    fn finish(&mut self, counts: &Counts) -> Result<()> {
        let line = if self.compares {
            counts.to_string()
        } else {
            format!("{:<14} {:>9}  {}", "total", counts.pages, counts.proc)
        };
        writeln!(self.out, "{line}")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::{in_memory, swapped};
    use crate::exclusive::Exclusive;

    fn printed(run: &Run<Pair>, single_pages: bool) -> String {
        let mut out = Vec::new();
        let mut printer = Printer {
            out: &mut out,
            page_size: 4096,
            single_pages,
            raw: single_pages,
            compares: true,
        };
        printer.run(run).expect("a vector takes every line");
        String::from_utf8(out).expect("text")
    }

    fn same(entry: Entry) -> Pair {
        Pair {
            proc: entry,
            xpagemap: entry,
            exclusive: None,
        }
    }

    #[test]
    fn lines_that_differ_are_marked() {
        let pair = Pair {
            proc: Entry::default(),
            ..same(swapped(0, 7))
        };
        let line = printed(&Run::new(0x7f00, pair), false);
        assert_eq!(
            line.split_whitespace().collect::<Vec<_>>(),
            ["7f00000", "1", "-", "swap", "0:7", "file", "*"]
        );

        assert!(!printed(&Run::new(0x7f00, same(in_memory(5))), false).contains('*'));
    }

    #[test]
    fn single_pages_show_raw_entries() {
        let line = printed(&Run::new(1, same(in_memory(0xabc))), true);
        assert_eq!(line.matches("a000000000000abc memory abc file").count(), 2);
    }

    #[test]
    fn the_exclusive_bit_follows() {
        let pair = Pair {
            exclusive: Some(Exclusive::from_raw(0x9400_0000_0001_0001)),
            ..same(in_memory(5))
        };
        let line = printed(&Run::new(1, pair), false);
        assert!(
            line.trim_end().ends_with("memory file, exclusive writable"),
            "{line}"
        );
    }
}
