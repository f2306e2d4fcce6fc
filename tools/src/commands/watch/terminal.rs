// SPDX-License-Identifier: GPL-2.0

//! The terminal: a backend of ratatui on crossterm, and a guard that leaves the terminal as it was.

use std::io::{self, IsTerminal, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::{Attribute, Color as Ansi, Print, SetAttribute, SetColors};
use crossterm::style::{Colors, ResetColor};
use crossterm::terminal::{self, Clear, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{execute, queue};
use ratatui_core::backend::{Backend, ClearType, WindowSize};
use ratatui_core::buffer::Cell;
use ratatui_core::layout::{Position, Size};
use ratatui_core::style::{Color, Modifier};
use ratatui_core::terminal::Terminal;

/// The terminal in raw mode, on its other screen. Drop, and a panic, undo both.
pub struct Screen {
    /// The terminal, to be drawn on. Dropped first, as it shows the cursor then.
    pub terminal: Terminal<Tty>,
    _guard: Guard,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    ///
    /// Standard input or output is no terminal.
    pub fn open() -> Result<Self> {
        ensure!(
            io::stdout().is_terminal() && io::stdin().is_terminal(),
            "this needs a terminal; `xpagemap summary` prints counts, `xpagemap plot` draws a file"
        );
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |information| {
            restore();
            next(information);
        }));
        terminal::enable_raw_mode().context("cannot set the terminal to raw mode")?;
        TAKEN.store(true, Ordering::Relaxed);
        let guard = Guard;
        execute!(io::stdout(), EnterAlternateScreen, Hide)
            .context("cannot write to the terminal")?;
        let terminal =
            Terminal::new(Tty(io::stdout())).context("cannot tell the size of the terminal")?;

        Ok(Self {
            terminal,
            _guard: guard,
        })
    }
}

/// True while the terminal is not as it was.
static TAKEN: AtomicBool = AtomicBool::new(false);

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Once: after a panic, the message is on the screen that drop would leave again.
fn restore() {
    if TAKEN.swap(false, Ordering::Relaxed) {
        // Errors have no remedy here: the terminal may be gone.
        let _ = execute!(io::stdout(), ResetColor, Show, LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}

/// Standard output as a backend of ratatui.
pub struct Tty(io::Stdout);

impl Backend for Tty {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let out = &mut self.0;
        let mut next = None;
        let mut style = None;

        for (x, y, cell) in content {
            if next != Some((x, y)) {
                queue!(out, MoveTo(x, y))?;
            }
            let wanted = (cell.fg, cell.bg, cell.modifier);
            if style != Some(wanted) {
                queue!(out, SetAttribute(Attribute::Reset))?;
                if cell.modifier.contains(Modifier::BOLD) {
                    queue!(out, SetAttribute(Attribute::Bold))?;
                }
                if cell.modifier.contains(Modifier::REVERSED) {
                    queue!(out, SetAttribute(Attribute::Reverse))?;
                }
                if (cell.fg, cell.bg) != (Color::Reset, Color::Reset) {
                    queue!(out, SetColors(Colors::new(ansi(cell.fg), ansi(cell.bg))))?;
                }
                style = Some(wanted);
            }
            queue!(out, Print(cell.symbol()))?;
            next = x.checked_add(1).map(|x| (x, y));
        }
        queue!(out, SetAttribute(Attribute::Reset))
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        execute!(self.0, Hide)
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        execute!(self.0, Show)
    }

    /// Nothing asks for it on a full screen; a terminal could take long to answer.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();

        execute!(self.0, MoveTo(x, y))
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        let region = match region {
            ClearType::All => terminal::ClearType::All,
            ClearType::AfterCursor => terminal::ClearType::FromCursorDown,
            ClearType::BeforeCursor => terminal::ClearType::FromCursorUp,
            ClearType::CurrentLine => terminal::ClearType::CurrentLine,
            ClearType::UntilNewLine => terminal::ClearType::UntilNewLine,
        };

        execute!(self.0, Clear(region))
    }

    fn size(&self) -> io::Result<Size> {
        let (width, height) = terminal::size()?;

        // A terminal that does not know its size has none.
        Ok(match (width, height) {
            (0, _) | (_, 0) => Size::new(80, 24),
            _ => Size::new(width, height),
        })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize {
            columns_rows: self.size()?,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The eight colours that every terminal has.
fn ansi(colour: Color) -> Ansi {
    match colour {
        Color::Black => Ansi::Black,
        Color::Red => Ansi::DarkRed,
        Color::Green => Ansi::DarkGreen,
        Color::Yellow => Ansi::DarkYellow,
        Color::Blue => Ansi::DarkBlue,
        Color::Magenta => Ansi::DarkMagenta,
        Color::Cyan => Ansi::DarkCyan,
        Color::Gray | Color::White => Ansi::Grey,
        _ => Ansi::Reset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::tcgetattr;
    use std::fs::File;
    use std::io::Read;
    use std::process::Command;

    const PANICS: &str = "XPAGEMAP_TEST_PANICS";

    /// Runs itself on a pseudo-terminal, to panic there.
    #[test]
    fn a_panic_restores_the_terminal() {
        if std::env::var_os(PANICS).is_some() {
            let _screen = Screen::open().expect("a terminal");
            panic!("on purpose");
        }
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("a terminal");
        unlockpt(&master).expect("a terminal");
        let path = ptsname(&master, Vec::new()).expect("a name");
        let path = path.to_str().expect("a path");
        let open = || File::options().read(true).write(true).open(path);
        let terminal = open().expect("a terminal");
        let before = tcgetattr(&terminal).expect("its modes");

        let name = "commands::watch::terminal::tests::a_panic_restores_the_terminal";
        let status = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", name, "--nocapture"])
            .env(PANICS, "1")
            .stdin(open().expect("a terminal"))
            .stdout(open().expect("a terminal"))
            .stderr(open().expect("a terminal"))
            .status()
            .expect("it runs");
        assert!(!status.success());
        let after = tcgetattr(&terminal).expect("its modes");
        assert_eq!(before.local_modes, after.local_modes);
        assert_eq!(before.input_modes, after.input_modes);
        assert_eq!(before.output_modes, after.output_modes);

        // Once nobody has the terminal open, the master reads an error behind the last byte.
        drop(terminal);
        let mut output = Vec::new();
        assert!(File::from(master).read_to_end(&mut output).is_err());
        let output = String::from_utf8_lossy(&output);
        let (drawn, rest) = output
            .split_once("\x1b[?1049l")
            .expect("it left its screen");
        assert!(drawn.contains("\x1b[?1049h"), "{output:?}");
        assert!(drawn.contains("\x1b[?25h"), "{output:?}");
        assert!(rest.contains("on purpose"), "{output:?}");
        assert!(!rest.contains("\x1b[?1049"), "{output:?}");
    }
}
