// SPDX-License-Identifier: GPL-2.0

//! Drawings as SVG, written as they are drawn: rectangles, text, and fills that differ in their
//! hatches as well as in colour, so that a drawing is readable without colour.

use std::fmt;
use std::io::{self, Write};

/// Lines across a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hatch {
    /// None.
    Plain,
    /// From bottom left to top right.
    Rising,
    /// From top left to bottom right.
    Falling,
    /// Both.
    Crossed,
    /// Level lines.
    Level,
    /// Upright lines.
    Upright,
    /// Level and upright lines.
    Grid,
    /// Dots.
    Dots,
}

/// A fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Its ID in the drawing, of letters, digits and `-`.
    pub id: &'static str,
    /// Its colour: `#rrggbb`.
    pub colour: &'static str,
    /// Lines across it.
    pub hatch: Hatch,
}

/// A rectangle, in pixels from the top left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rectangle {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// Side of a hatch's tile, in pixels.
const TILE: u32 = 6;

/// Pixels from one baseline of text to the next.
pub const LINE: f64 = 16.0;

/// Average width of a character of text, in pixels: the font is monospace, 12 pixels high.
pub const CHARACTER: f64 = 7.25;

impl Hatch {
    /// The path of its lines across a tile.
    fn path(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Rising => "M-1 1L1-1M0 6L6 0M5 7L7 5",
            Self::Falling => "M-1 5L1 7M0 0L6 6M5-1L7 1",
            Self::Crossed => "M0 6L6 0M0 0L6 6",
            Self::Level => "M0 3H6",
            Self::Upright => "M3 0V6",
            Self::Grid => "M0 3H6M3 0V6",
            Self::Dots => "M2 3h2",
        }
    }
}

/// A drawing.
pub struct Svg<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Svg<'a> {
    /// Begins a drawing of this size, with a title and fills.
    ///
    /// # Errors
    ///
    /// `out` cannot be written.
    pub fn begin(
        out: &'a mut dyn Write,
        width: f64,
        height: f64,
        title: &str,
        fills: &[Fill],
    ) -> io::Result<Self> {
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"12\">"
        )?;
        writeln!(out, "<title>{}</title>", Escaped(title))?;
        writeln!(out, "<defs>")?;
        for Fill { id, colour, hatch } in fills {
            writeln!(
                out,
                "<pattern id=\"{id}\" width=\"{TILE}\" height=\"{TILE}\" patternUnits=\"userSpaceOnUse\">\
                 <rect width=\"{TILE}\" height=\"{TILE}\" fill=\"{colour}\"/>\
                 <path d=\"{}\" stroke=\"#222\" stroke-width=\"1\" fill=\"none\"/></pattern>",
                hatch.path()
            )?;
        }
        writeln!(out, "</defs>")?;
        writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>")?;
        Ok(Self { out })
    }

    /// Draws a filled rectangle; viewers show `title` under the pointer.
    ///
    /// # Errors
    ///
    /// `out` cannot be written.
    pub fn rectangle(&mut self, at: Rectangle, fill: &Fill, title: &str) -> io::Result<()> {
        let Rectangle {
            x,
            y,
            width,
            height,
        } = at;

        write!(
            self.out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"url(#{})\"",
            fill.id
        )?;
        match title {
            "" => writeln!(self.out, "/>"),
            _ => writeln!(self.out, "><title>{}</title></rect>", Escaped(title)),
        }
    }

    /// Draws the outline of a rectangle.
    ///
    /// # Errors
    ///
    /// `out` cannot be written.
    pub fn outline(&mut self, at: Rectangle) -> io::Result<()> {
        let Rectangle {
            x,
            y,
            width,
            height,
        } = at;

        writeln!(
            self.out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"#888\"/>"
        )
    }

    /// Writes a line of text, from its left end and its baseline on.
    ///
    /// # Errors
    ///
    /// `out` cannot be written.
    pub fn text(&mut self, x: f64, y: f64, text: &str) -> io::Result<()> {
        writeln!(
            self.out,
            "<text x=\"{x}\" y=\"{y}\" xml:space=\"preserve\">{}</text>",
            Escaped(text)
        )
    }

    /// Ends the drawing.
    ///
    /// # Errors
    ///
    /// `out` cannot be written.
    pub fn finish(self) -> io::Result<()> {
        writeln!(self.out, "</svg>")
    }
}

/// Text with the characters that XML takes for its own, and those that it does not allow.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\n' => f.write_str("\n")?,
                '\u{fffe}' | '\u{ffff}' => f.write_str("?")?,
                _ if character.is_control() => f.write_str("?")?,
                _ => write!(f, "{character}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_the_drawing() {
        let fill = Fill {
            id: "a",
            colour: "#ff0000",
            hatch: Hatch::Rising,
        };
        let at = Rectangle {
            x: 1.0,
            y: 2.5,
            width: 3.0,
            height: 4.0,
        };
        let mut text = Vec::new();
        let mut svg = Svg::begin(&mut text, 80.0, 40.0, "a<b", &[fill]).expect("written");
        svg.rectangle(at, &fill, "x & \"y\"\u{1b}")
            .expect("written");
        svg.outline(at).expect("written");
        svg.text(1.0, 2.0, "</svg>").expect("written");
        svg.finish().expect("written");

        let text = String::from_utf8(text).expect("text");
        assert_eq!(text.matches("</svg>").count(), 1, "{text}");
        assert!(text.contains("<title>a&lt;b</title>"), "{text}");
        assert!(
            text.contains("<title>x &amp; &quot;y&quot;?</title>"),
            "{text}"
        );
        assert!(text.contains("fill=\"url(#a)\""), "{text}");
    }

    #[test]
    fn hatches_differ() {
        let all = [
            Hatch::Plain,
            Hatch::Rising,
            Hatch::Falling,
            Hatch::Crossed,
            Hatch::Level,
            Hatch::Upright,
            Hatch::Grid,
            Hatch::Dots,
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| other.path() != one.path()));
        }
    }
}
