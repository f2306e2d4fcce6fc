// SPDX-License-Identifier: GPL-2.0

//! `xpagemap show`: a process's pages, in `/proc/PID/pagemap` and in xpagemap.

mod counts;

use std::fmt::Write as _;
use std::io::Write;
use std::ops::Range;

use anyhow::{Context, Result, ensure};
use procfs::process::{MMPermissions, MMapPath, MemoryMap, Process};

use crate::interrupt;
use crate::maps::name;
use crate::range::{AddressRange, overlap};
use crate::runs::{Merger, Pair, Run};
use crate::target::Target;
use counts::Counts;

/// Shows the mapped pages of process `pid` in `range`, in runs or a page a line.
///
/// # Errors
///
/// The process cannot be attached or read, or has nothing mapped in `range`.
pub fn main(
    out: &mut dyn Write,
    pid: i32,
    range: Option<AddressRange>,
    single_pages: bool,
) -> Result<()> {
    interrupt::install()?;
    let page_size = procfs::page_size();
    let target = Target::attach(pid)?;
    let mut both = target.open()?;
    let wanted = range.map_or(0..u64::MAX, |range| range.pages(page_size));
    let maps = Process::new(pid)
        .and_then(|process| process.maps())
        .with_context(|| format!("cannot read /proc/{pid}/maps"))?;
    let mut printer = Printer {
        out,
        page_size,
        single_pages,
    };
    let mut counts = Counts::default();

    printer.header()?;
    for map in &maps {
        let pages = overlap(&pages_of(map, page_size), &wanted);
        // The vsyscall page is in the kernel's half, above the end of pagemap files.
        if pages.is_empty() || map.pathname == MMapPath::Vsyscall {
            continue;
        }

        printer.mapping(map)?;
        let mut merger = Merger::default();
        both.for_each(pages, |page, pair| {
            counts.add(pair);
            if single_pages {
                return printer.run(&Run::new(page, pair));
            }
            merger
                .push(page, pair)
                .map_or(Ok(()), |run| printer.run(&run))
        })?;
        if let Some(run) = merger.finish() {
            printer.run(&run)?;
        }
    }
    ensure!(
        counts.pages > 0,
        "process {pid} has nothing mapped in this range; see /proc/{pid}/maps"
    );
    writeln!(printer.out, "{counts}")?;
    Ok(())
}

fn pages_of(map: &MemoryMap, page_size: u64) -> Range<u64> {
    map.address.0 / page_size..map.address.1 / page_size
}

struct Printer<'a> {
    out: &'a mut dyn Write,
    page_size: u64,
    single_pages: bool,
}

impl Printer<'_> {
    fn header(&mut self) -> Result<()> {
        let (proc, xpagemap) = ("/proc/PID/pagemap", "xpagemap");

        if self.single_pages {
            writeln!(self.out, "  {:12}  {proc:62}  {xpagemap}", "address")?;
        } else {
            writeln!(
                self.out,
                "  {:12} {:>9}  {proc:39}  {xpagemap}",
                "address", "pages"
            )?;
        }
        Ok(())
    }

    fn mapping(&mut self, map: &MemoryMap) -> Result<()> {
        let (start, end) = map.address;
        let heading = format!("{start:x}-{end:x} {} {}", letters(map.perms), name(map));

        writeln!(self.out, "{}", heading.trim_end())?;
        Ok(())
    }

    fn run(&mut self, run: &Run) -> Result<()> {
        let address = run.first * self.page_size;
        let Pair { proc, xpagemap } = run.start;
        let mark = if proc == xpagemap { "" } else { " *" };
        let mut line = String::new();

        if self.single_pages {
            write!(line, "  {address:12x}  {proc:016x} {proc:<#45}")?;
            write!(line, "  {xpagemap:016x} {xpagemap:#}{mark}")?;
        } else {
            let pages = run.pages;
            write!(
                line,
                "  {address:12x} {pages:>9}  {proc:<39}  {xpagemap}{mark}"
            )?;
        }
        writeln!(self.out, "{line}")?;
        Ok(())
    }
}

fn letters(permissions: MMPermissions) -> String {
    [
        (MMPermissions::READ, 'r', '-'),
        (MMPermissions::WRITE, 'w', '-'),
        (MMPermissions::EXECUTE, 'x', '-'),
        (MMPermissions::SHARED, 's', 'p'),
    ]
    .map(|(flag, yes, no)| if permissions.contains(flag) { yes } else { no })
    .iter()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use crate::entry::tests::{in_memory, swapped};

    fn printed(run: &Run, single_pages: bool) -> String {
        let mut out = Vec::new();
        let mut printer = Printer {
            out: &mut out,
            page_size: 4096,
            single_pages,
        };
        printer.run(run).expect("a vector takes every line");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn lines_that_differ_are_marked() {
        let (proc, xpagemap) = (Entry::default(), swapped(0, 7));
        let run = Run::new(0x7f00, Pair { proc, xpagemap });
        let line = printed(&run, false);
        assert_eq!(
            line.split_whitespace().collect::<Vec<_>>(),
            ["7f00000", "1", "-", "swap", "0:7", "file", "*"]
        );

        let same = Pair {
            proc: in_memory(5),
            xpagemap: in_memory(5),
        };
        assert!(!printed(&Run::new(0x7f00, same), false).contains('*'));
    }

    #[test]
    fn single_pages_show_raw_entries() {
        let entry = in_memory(0xabc);
        let pair = Pair {
            proc: entry,
            xpagemap: entry,
        };
        let line = printed(&Run::new(1, pair), true);
        assert_eq!(line.matches("a000000000000abc memory abc file").count(), 2);
    }
}
