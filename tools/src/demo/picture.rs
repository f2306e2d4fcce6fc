// SPDX-License-Identifier: GPL-2.0

//! Prints a mapping as a picture of characters, and bytes as a hex dump.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use crate::entry::{Entry, Place};

/// Characters per line of a picture.
const WIDTH: usize = 32;

/// Maximum lines of a picture. In larger mappings a character stands for several pages.
const LINES: usize = 8;

const MEMORY: char = '#';
const SWAP: char = 's';
const NOWHERE: char = '.';
const MIXED: char = '+';

/// Number of pages that a character stands for.
pub fn pages_per_sign(pages: usize) -> usize {
    pages.div_ceil(WIDTH * LINES).max(1)
}

/// The line that explains the signs.
pub fn legend() -> String {
    [
        (MEMORY, "in memory"),
        (SWAP, "on the swap disk"),
        (NOWHERE, "blank"),
        (MIXED, "several of these"),
    ]
    .map(|(sign, meaning)| format!("{} {meaning}", coloured(&sign.to_string())))
    .join("   ")
}

/// Draws a mapping in lines of at most `WIDTH` characters.
fn lines(entries: &[Entry]) -> Vec<String> {
    let signs: Vec<char> = entries
        .chunks(pages_per_sign(entries.len()))
        .map(sign)
        .collect();

    signs
        .chunks(WIDTH)
        .map(|line| line.iter().collect())
        .collect()
}

fn sign(entries: &[Entry]) -> char {
    let mut signs = entries.iter().map(|entry| match entry.place() {
        Place::Memory { .. } => MEMORY,
        Place::Swap(_) => SWAP,
        Place::Nowhere => NOWHERE,
    });
    let first = signs.next().unwrap_or(NOWHERE);

    if signs.all(|sign| sign == first) {
        first
    } else {
        MIXED
    }
}

/// Draws two mappings side by side, below their titles.
pub fn side_by_side(left: (&str, &[Entry]), right: (&str, &[Entry])) -> String {
    let mut text = format!("{:WIDTH$}    {}\n", left.0, right.0);

    for (left, right) in lines(left.1).iter().zip(lines(right.1)) {
        let padding = " ".repeat(WIDTH - left.chars().count());
        let _ = writeln!(text, "{}{padding}    {}", coloured(left), coloured(&right));
    }
    text
}

/// Colours `signs`. The output stream removes colours where they are unwanted.
fn coloured(signs: &str) -> String {
    let signs: Vec<char> = signs.chars().collect();

    signs
        .chunk_by(|a, b| a == b)
        .fold(String::new(), |text, same| {
            let style = match same[0] {
                MEMORY => AnsiColor::Blue.on_default(),
                SWAP => AnsiColor::Green.on_default().bold(),
                MIXED => AnsiColor::Cyan.on_default(),
                _ => Style::new().dimmed(),
            };
            text + &format!("{style}{}{style:#}", same.iter().collect::<String>())
        })
}

/// Formats `bytes` as hex and text, 16 per line, with offsets from `position`.
pub fn hexdump(bytes: &[u8], position: u64) -> String {
    (position..)
        .step_by(16)
        .zip(bytes.chunks(16))
        .fold(String::new(), |text, (at, line)| {
            let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let letters: String = line
                .iter()
                .map(|byte| {
                    if (b' '..=b'~').contains(byte) {
                        char::from(*byte)
                    } else {
                        '.'
                    }
                })
                .collect();

            text + &format!("{at:08x}  {:47}  |{letters}|\n", hex.join(" "))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::{in_memory, swapped};

    #[test]
    fn a_sign_for_each_page_while_there_is_room() {
        let entries = [in_memory(1), swapped(0, 1), Entry::default()];
        assert_eq!(lines(&entries), ["#s."]);
        assert_eq!(lines(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_sign_for_several_pages_beyond() {
        let mut entries = vec![swapped(0, 1); 4096];
        entries[17] = in_memory(1);
        let lines = lines(&entries);
        assert_eq!(pages_per_sign(entries.len()), 16);
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[0], format!("s+{}", "s".repeat(WIDTH - 2)));
    }

    #[test]
    fn pictures_stand_beside_each_other() {
        let text = side_by_side(("a", &[in_memory(1)]), ("b", &[swapped(0, 1)]));
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(plain, format!("a{0:35}b\n#{0:35}s\n", ""));
    }

    #[test]
    fn bytes_in_hex_and_text() {
        let dump = hexdump(b"page 0042 of 256\n", 0x1000);
        let expected = "\
00001000  70 61 67 65 20 30 30 34 32 20 6f 66 20 32 35 36  |page 0042 of 256|
00001010  0a                                               |.|
";
        assert_eq!(dump, expected);
    }
}
