// SPDX-License-Identifier: GPL-2.0

//! The picture of a device, as text and as SVG. Letters tell all that colours do.

use std::io::{self, Write};

use anstyle::{Ansi256Color, Style};

use crate::svg::{CHARACTER, Fill, Hatch, LINE, Rectangle, Svg};
use crate::swap::map::Used;

/// Columns before the cells of a line.
pub const MARGIN: u64 = 12;

/// Cells of a line in the SVG.
pub const COLUMNS: u64 = 96;

/// Height of the stripe below the letters in the SVG.
const STRIPE: f64 = 6.0;

/// Colours of the terminal, by key.
const COLOURS: [u8; 8] = [25, 214, 36, 175, 117, 166, 228, 245];

/// Fills of the SVG, by key.
const FILLS: [Fill; 8] = [
    fill("a", "#0072b2", Hatch::Rising),
    fill("b", "#e69f00", Hatch::Falling),
    fill("c", "#009e73", Hatch::Plain),
    fill("d", "#cc79a7", Hatch::Crossed),
    fill("e", "#56b4e9", Hatch::Upright),
    fill("f", "#d55e00", Hatch::Level),
    fill("g", "#f0e442", Hatch::Grid),
    fill("h", "#8a8a8a", Hatch::Dots),
];

const fn fill(id: &'static str, colour: &'static str, hatch: Hatch) -> Fill {
    Fill { id, colour, hatch }
}

/// A cell: the letter of what has most of its slots, and its key; [`None`] if none is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    key: usize,
    letter: char,
}

/// Cells and their legend.
pub struct Picture<'a> {
    marks: Vec<Option<Mark>>,
    legend: &'a [(char, String)],
    size: u64,
}

impl<'a> Picture<'a> {
    /// Cells of `size` slots. `keys` has a place in the legend for each of the used slots.
    pub fn new(
        used: &[Used],
        keys: &[usize],
        legend: &'a [(char, String)],
        slots: u64,
        size: u64,
    ) -> Self {
        let count = usize::try_from(slots.div_ceil(size)).unwrap_or(usize::MAX);
        let mut marks = vec![None; count];
        let both: Vec<_> = used.iter().zip(keys).collect();

        for cell in both.chunk_by(|a, b| a.0.offset / size == b.0.offset / size) {
            let mut counts = vec![0_u64; legend.len()];
            for (_, key) in cell {
                counts[**key] += 1;
            }
            let most = counts.iter().max().copied().unwrap_or(0);
            let key = counts.iter().position(|count| *count == most).unwrap_or(0);
            let at = cell.first().map_or(0, |slot| slot.0.offset / size);
            let all = size.min(slots.saturating_sub(at * size));
            let letter = legend.get(key).map_or('?', |entry| entry.0);
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            if let Some(mark) = marks.get_mut(at) {
                *mark = Some(Mark {
                    key,
                    letter: match cell.len() as u64 >= all {
                        true => letter.to_ascii_uppercase(),
                        false => letter,
                    },
                });
            }
        }
        Self {
            marks,
            legend,
            size,
        }
    }

    /// Prints lines of `columns` cells, without those that have no used slot, and the legend.
    pub fn print(&self, out: &mut dyn Write, columns: u64) -> io::Result<()> {
        let columns = usize::try_from(columns).unwrap_or(usize::MAX).max(1);
        let mut skipped = false;

        for (row, cells) in self.marks.chunks(columns).enumerate() {
            if cells.iter().all(Option::is_none) {
                skipped = true;
                continue;
            }
            if std::mem::take(&mut skipped) {
                writeln!(out, "{:>10}", "...")?;
            }
            write!(out, "{:>10}  ", (row * columns) as u64 * self.size)?;
            for same in cells.chunk_by(PartialEq::eq) {
                match same.first().copied().flatten() {
                    None => write!(out, "{}", ".".repeat(same.len()))?,
                    Some(mark) => {
                        let letters: String = same.iter().map(|_| mark.letter).collect();
                        let style = style(mark.key);
                        write!(out, "{style}{letters}{style:#}")?;
                    }
                }
            }
            writeln!(out)?;
        }
        writeln!(out, "{}", self.scale())?;
        for (key, (letter, name)) in self.legend.iter().enumerate() {
            let style = style(key);
            writeln!(out, "  {style}{letter}{style:#}  {name}")?;
        }
        writeln!(out, "  .  free, or without an owner")
    }

    /// The same as an SVG document.
    pub fn svg(&self, out: &mut dyn Write, title: &str) -> io::Result<()> {
        let columns = usize::try_from(COLUMNS).unwrap_or(usize::MAX);
        let rows: Vec<_> = self.marks.chunks(columns).collect();
        let height = LINE + STRIPE;
        let lines = rows.len() as f64 + 3.0 + self.legend.len() as f64;
        let width = (MARGIN + COLUMNS + 2) as f64 * CHARACTER;
        let mut svg = Svg::begin(out, width, lines * height, title, &FILLS)?;
        let mut y = LINE;

        svg.text(CHARACTER, y, title)?;
        for (row, cells) in rows.into_iter().enumerate() {
            let slot = (row * columns) as u64 * self.size;
            let mut x = MARGIN as f64 * CHARACTER;
            y += height;
            svg.text(CHARACTER, y, &slot.to_string())?;
            for same in cells.chunk_by(PartialEq::eq) {
                span(
                    &mut svg,
                    (x, y),
                    same.first().copied().flatten(),
                    same.len(),
                )?;
                x += same.len() as f64 * CHARACTER;
            }
        }
        y += height;
        svg.text(CHARACTER, y, &self.scale())?;
        for (key, (letter, name)) in self.legend.iter().enumerate() {
            y += height;
            let mark = Mark {
                key,
                letter: *letter,
            };
            span(&mut svg, (CHARACTER, y), Some(mark), 1)?;
            svg.text(3.0 * CHARACTER, y, name)?;
        }
        svg.finish()
    }

    fn scale(&self) -> String {
        let slots = match self.size {
            1 => "a slot".to_string(),
            size => format!("{size} slots"),
        };

        format!("A letter for {slots}, a capital if all are used:")
    }
}

/// Cells that are alike: their letters, and a stripe below.
fn span(svg: &mut Svg, (x, y): (f64, f64), mark: Option<Mark>, cells: usize) -> io::Result<()> {
    let letter = mark.map_or('.', |mark| mark.letter);
    let letters: String = (0..cells).map(|_| letter).collect();
    let stripe = Rectangle {
        x,
        y: y + 2.0,
        width: cells as f64 * CHARACTER,
        height: STRIPE,
    };

    svg.text(x, y, &letters)?;
    match mark.and_then(|mark| FILLS.get(mark.key % FILLS.len())) {
        Some(fill) => svg.rectangle(stripe, fill, ""),
        None => Ok(()),
    }
}

fn style(key: usize) -> Style {
    let colour = COLOURS[key % COLOURS.len()];

    Style::new()
        .fg_color(Some(Ansi256Color(colour).into()))
        .bold()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swap::map::Kind;

    fn used(offsets: &[u64]) -> Vec<Used> {
        let each = offsets.iter().map(|offset| Used {
            offset: *offset,
            owner: 0,
            page: Some(*offset),
            kind: Kind::Anonymous,
        });

        each.collect()
    }

    fn plain(picture: &Picture, columns: u64) -> String {
        let mut text = Vec::new();
        picture
            .print(&mut text, columns)
            .expect("a vector takes it");
        anstream::adapter::strip_bytes(&text)
            .into_vec()
            .iter()
            .map(|byte| *byte as char)
            .collect()
    }

    #[test]
    fn letters_tell_kind_and_fill() {
        let legend = [('a', "x".to_string()), ('f', "<y>".to_string())];
        let used = used(&[0, 1, 2, 3, 4, 12, 17]);
        let picture = Picture::new(&used, &[0, 0, 1, 1, 0, 1, 0], &legend, 18, 2);
        let text = plain(&picture, 4);
        assert!(
            text.starts_with("         0  AFa.\n         8  ..f.\n        16  a\n"),
            "{text}"
        );
        assert!(text.contains("  f  <y>\n"), "{text}");
        let text = plain(&picture, 2);
        assert!(
            text.contains("         4  a.\n       ...\n        12  f.\n"),
            "{text}"
        );
    }

    #[test]
    fn svg_has_letters_beside_colours() {
        let legend = [('a', "a & b".to_string())];
        let used = used(&[0, 1, 2, 8]);
        let picture = Picture::new(&used, &[0; 4], &legend, 10, 2);
        let mut svg = Vec::new();
        picture
            .svg(&mut svg, "/dev/<x>")
            .expect("a vector takes it");
        let svg = String::from_utf8(svg).expect("text");
        // The legend, and three of the four spans.
        assert_eq!(svg.matches("fill=\"url(#a)\"").count(), 4, "{svg}");
        for part in [
            ">A</text>",
            ">a</text>",
            ">..</text>",
            "a &amp; b",
            "/dev/&lt;x&gt;",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
    }
}
