// SPDX-License-Identifier: GPL-2.0

//! Keys, and the changes that they ask for.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The meaning of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// End.
    Quit,
    /// Switch to the next view.
    NextView,
    /// Switch to the view of this number.
    View(char),
    /// Take the next swap device.
    NextDevice,
    /// Double (1) or halve (-1) the pages of a cell.
    Zoom(i32),
    /// Fit all of it.
    Fit,
    /// Scroll by rows.
    Scroll(i64),
    /// Scroll by screens.
    Page(i64),
}

impl Change {
    /// Returns true if it leaves the layout as it is.
    pub fn scrolls(self) -> bool {
        matches!(self, Self::Scroll(_) | Self::Page(_))
    }

    /// Returns the meaning of a key, if it has one.
    pub fn of(key: KeyEvent) -> Option<Self> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        // Raw mode: the terminal sends no SIGINT.
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return (key.code == KeyCode::Char('c')).then_some(Self::Quit);
        }

        Some(match key.code {
            KeyCode::Char('q') => Self::Quit,
            KeyCode::Tab => Self::NextView,
            KeyCode::Char(number @ '1'..='3') => Self::View(number),
            KeyCode::Char('d') => Self::NextDevice,
            KeyCode::Char('+' | '=') => Self::Zoom(-1),
            KeyCode::Char('-') => Self::Zoom(1),
            KeyCode::Char('f') => Self::Fit,
            KeyCode::Up | KeyCode::Char('k') => Self::Scroll(-1),
            KeyCode::Down | KeyCode::Char('j') => Self::Scroll(1),
            KeyCode::PageUp => Self::Page(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => Self::Page(1),
            KeyCode::Home | KeyCode::Char('g') => Self::Scroll(i64::MIN),
            KeyCode::End | KeyCode::Char('G') => Self::Scroll(i64::MAX),
            _ => return None,
        })
    }
}
