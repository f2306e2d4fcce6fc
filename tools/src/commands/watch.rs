// SPDX-License-Identifier: GPL-2.0

//! `xpagemap watch`: a process's memory on a full screen, in cells that move.

mod app;
mod devices;
mod draw;
mod events;
mod keys;
mod slots;
mod terminal;
mod text;

use std::ffi::OsString;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use crossterm::event::{self, Event};
use ratatui_core::layout::Size;

use super::check::seconds;
use crate::interrupt;
use crate::select;
use app::App;
use keys::Change;
use terminal::Screen;

/// Watch a process on a full screen: a map of its memory or of its swap slots, and its events
///
/// A cell is some pages of a mapping, or slots of a swap device. Its letter and colour tell the
/// state of most of them, a capital letter that all are in it, a dot that none is in any. Keys: q
/// quits, Tab or 1, 2, 3 switch views (memory, swap device, events), + and - zoom, f fits all,
/// arrows, page keys, Home and End scroll, d takes the next swap device. NO_COLOR leaves letters.
#[derive(clap::Args)]
#[command(after_help = "Example: xpagemap watch 260 --trace")]
pub struct Args {
    /// Process to watch: a PID, or a name as in /proc/PID/comm
    #[arg(value_name = "PID|NAME", value_parser = select::name())]
    process: OsString,
    /// Seconds from one pass to the next
    #[arg(short, long, default_value = "1", value_parser = seconds)]
    seconds: Duration,
    /// Record events meanwhile
    #[arg(short, long)]
    trace: bool,
}

/// Time that a part of a pass takes before keys are looked for.
const SLICE: Duration = Duration::from_millis(40);

/// Interval at which keys and signals are looked for.
const TICK: Duration = Duration::from_millis(100);

/// Shows the process until a key or a signal ends it, or the process exits.
///
/// # Errors
///
/// The process cannot be read, or there is no terminal.
pub fn main(out: &mut dyn Write, args: Args) -> Result<()> {
    let pid = select::one(&args.process)?.pid;
    interrupt::install()?;
    let mut app = App::new(pid, args.trace)?;
    let mut screen = Screen::open()?;
    let result = run(&mut screen, &mut app, args.seconds);

    drop(screen);
    drop(app);
    match result {
        Ok(Some(end)) => Ok(writeln!(out, "{end}")?),
        Ok(None) => Ok(()),
        Err(_) if interrupt::raised() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns why there is no more to see, if no key or signal ended it.
fn run(screen: &mut Screen, app: &mut App, interval: Duration) -> Result<Option<String>> {
    // None: as soon as the pass is complete.
    let mut last: Option<Instant> = None;

    while !interrupt::raised() {
        let Size { width, height } = screen.terminal.size().context("cannot tell the size")?;
        if app.resize(width, height) {
            last = None;
        }
        if app.is_complete() && last.is_none_or(|last| last.elapsed() >= interval) {
            last = Some(Instant::now());
            if let Some(end) = app.begin()? {
                return Ok(Some(end));
            }
        }
        let slice = Instant::now();
        while !app.is_complete() && slice.elapsed() < SLICE {
            if let Some(end) = app.step()? {
                return Ok(Some(end));
            }
        }
        screen
            .terminal
            .draw(|frame| draw::draw(frame.buffer_mut(), app))
            .context("cannot write to the terminal")?;

        let mut wait = match (app.is_complete(), last) {
            (true, Some(last)) => interval.saturating_sub(last.elapsed()).min(TICK),
            _ => Duration::ZERO,
        };
        // All keys that wait, so that a held key is not followed by passes.
        while event::poll(wait).context("cannot read the terminal")? {
            let event = event::read().context("cannot read the terminal")?;
            wait = Duration::ZERO;
            let Event::Key(key) = event else { continue };
            match Change::of(key) {
                Some(Change::Quit) => return Ok(None),
                Some(change) => {
                    app.apply(change);
                    last = None;
                    if !change.scrolls() {
                        break;
                    }
                }
                None => {}
            }
        }
    }
    Ok(None)
}
