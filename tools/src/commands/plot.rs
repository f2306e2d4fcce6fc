// SPDX-License-Identifier: GPL-2.0

//! `xpagemap plot`: the memory of a process, or of a shared memory file, as a drawing.

mod drawing;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::iter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::file::{self, Pages, Source as FileSource, State as FileState};
use crate::interrupt;
use crate::json::print_unknown;
use crate::maps::{self, Mapping};
use crate::select::{Process, Subject};
use crate::space::{Fold, Layout, ProcessPages, Row, State, Tally};
use crate::target::Target;
use drawing::{BAND, CELLS, Drawing, ROWS};

/// Draw the memory of a process, or of a shared memory file, as SVG
///
/// A row for each mapping, or several, with its name. A cell is some pages; its fill, which has a
/// hatch besides its colour, tells the state of most of them. A cell of half height has pages in other
/// states too, or nowhere; viewers tell the numbers under the pointer. Any browser opens the
/// drawing, and `rsvg-convert` makes a PNG of it.
#[derive(clap::Args)]
#[command(after_help = "Example: xpagemap plot 260 -o memory.svg")]
pub struct Args {
    /// A process, or a file of shared memory: its path, or PID:FD
    #[arg(value_name = "PID|NAME|FILE|PID:FD")]
    target: OsString,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Draws a process or a file.
///
/// # Errors
///
/// It cannot be read, or the drawing cannot be written.
pub fn main(args: Args) -> Result<()> {
    interrupt::install()?;
    let result = match Subject::of(&args.target)? {
        Subject::Process(one) => process(&one, &args.output),
        Subject::File(name) => shared_memory(&name, &args.output),
    };

    result.with_context(|| format!("cannot draw {}", args.target.display()))
}

/// Creates the file, and calls `draw`. Half a drawing is not left behind.
fn write(path: &Path, draw: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut out = BufWriter::new(file);
    let result = draw(&mut out).and_then(|()| Ok(out.flush()?));

    if result.is_err() && path.metadata().is_ok_and(|file| file.is_file()) {
        let _ = fs::remove_file(path);
    }
    result.with_context(|| format!("cannot write {}", path.display()))
}

fn process(process: &Process, output: &Path) -> Result<()> {
    let Process { pid, name } = process;
    let pid = *pid;
    let target = Target::attach_if_possible(pid)?;
    let mut unknown = Vec::new();
    let mut source =
        ProcessPages::open(pid, target.as_ref().map_err(String::as_str), &mut unknown)?;
    let maps = maps::mappings(pid)?;
    ensure!(
        !maps.is_empty(),
        "process {pid} has exited, or has no memory of its own"
    );

    print_unknown(&unknown);
    let page_size = procfs::page_size();
    let pages = maps.iter().map(|map| map.pages(page_size)).collect();
    let layout = Layout::fitting(pages, ROWS, CELLS);
    let title = format!("process {pid} ({name}), from {}", source.name());
    write(output, |out| {
        let mut drawing = Drawing::begin(out, &title, &layout, page_size)?;
        let mut first = 0;
        let mut total = Tally::default();
        // Bands of rows, so that memory does not grow with the mappings' cells.
        while first < layout.len() {
            let rows = layout.rows(first, BAND);
            let ranges: Vec<_> = rows.iter().map(|row| row.pages.clone()).collect();
            let each = rows.iter().enumerate().map(|(mapping, row)| Row {
                mapping,
                ..row.clone()
            });
            let mut fold = Fold::new(&ranges, each.collect(), layout.per_cell);
            fold.finish(&mut source)?;
            total.join(&fold.total());
            drawing.rows(&fold, &|i| {
                rows.get(i).map_or(String::new(), |row| label(row, &maps))
            })?;
            first += rows.len() as u64;
        }
        drawing.finish(&total)
    })
}

/// The name of a mapping, beside its first row.
fn label(row: &Row, maps: &[Mapping]) -> String {
    match maps.get(row.mapping) {
        Some(map) if row.first => format!("{} {}", map.permissions, map.name),
        _ => String::new(),
    }
}

fn shared_memory(name: &OsStr, output: &Path) -> Result<()> {
    let file = file::open(name)?;
    let name = name.to_string_lossy();
    let page_size = procfs::page_size();
    let pages = file.metadata()?.len().div_ceil(page_size);
    let layout = Layout::fitting(iter::once(0..pages).collect(), ROWS, CELLS);
    let mut fold = Fold::new(
        layout.mappings(),
        layout.rows(0, usize::MAX),
        layout.per_cell,
    );
    let mut each = |pages: Pages| {
        let page = |text: &str| Ok::<_, anyhow::Error>(u64::from_str_radix(text, 16)? / page_size);
        fold.add(page(&pages.start)?..page(&pages.end)?, state(pages.state));
        Ok(())
    };
    let mut unknown = Vec::new();
    let (source, _) = file::read(&file, None, &mut unknown, &mut each)?;

    print_unknown(&unknown);
    ensure!(
        source != FileSource::Cachestat,
        "the states of its pages are not known; `xpagemap file` tells what is"
    );
    let title = format!("file {name}, from {}", source.name());
    write(output, |out| {
        let mut drawing = Drawing::begin(out, &title, &layout, page_size)?;
        drawing.rows(&fold, &|i| {
            if i == 0 {
                name.to_string()
            } else {
                String::new()
            }
        })?;
        drawing.finish(&fold.total())
    })
}

/// The state of a file's page: whether it is mapped is not the file's.
fn state(state: FileState) -> State {
    match state {
        FileState::Cached | FileState::Data => State::File,
        FileState::CachedZero => State::Zero,
        FileState::Swapped | FileState::SwappedZero => State::SwapShared,
    }
}
