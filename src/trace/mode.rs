// SPDX-License-Identifier: GPL-2.0

//! The modes of a recording, as they are written to `PID/trace`.

use kernel::prelude::*;

/// A mode of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode {
    /// Lines of the log end with the instruction pointer of user mode.
    pub(super) user_ip: bool,
    /// The log outlives the address space.
    pub(super) keep: bool,
}

/// The modes and their names.
const MODES: [(&str, Mode); 4] = [
    ("1", Mode::new(false, false)),
    ("2", Mode::new(true, false)),
    ("1 keep", Mode::new(false, true)),
    ("2 keep", Mode::new(true, true)),
];

impl Mode {
    const fn new(user_ip: bool, keep: bool) -> Self {
        Self { user_ip, keep }
    }

    /// Returns the mode of this name.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        MODES
            .iter()
            .find(|(known, _)| known.as_bytes() == name)
            .map(|&(_, mode)| mode)
    }

    /// Returns the mode's name.
    pub(super) fn name(self) -> &'static str {
        MODES
            .iter()
            .find(|&&(_, mode)| mode == self)
            .map_or("1", |&(name, _)| name)
    }
}

#[kunit_tests(xpagemap_mode)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_a_name_of_its_own() {
        for (name, mode) in MODES {
            assert_eq!(Mode::of(name.as_bytes()), Some(mode));
            assert_eq!(mode.name(), name);
        }
    }

    #[test]
    fn nothing_else_is_a_mode() {
        for name in ["", "0", "3", "01", "1 ", "1  keep", "keep", "1 keep ", "11"] {
            assert_eq!(Mode::of(name.as_bytes()), None);
        }
    }
}
