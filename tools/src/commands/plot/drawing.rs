// SPDX-License-Identifier: GPL-2.0

//! Draws rows of cells, their addresses and names, and a legend.

use std::io::Write;

use anyhow::Result;

use crate::space::{Fold, Layout, STATES, State, Tally};
use crate::svg::{CHARACTER, Fill, Hatch, LINE, Rectangle, Svg};

/// Cells of a row.
pub const CELLS: usize = 128;
/// Rows of a drawing, unless there are more mappings.
pub const ROWS: u64 = 96;
/// Rows whose cells are in memory at a time.
pub const BAND: usize = 256;

/// Width and height of a cell, in pixels.
const WIDTH: f64 = 6.0;
const HEIGHT: f64 = 12.0;
/// Left edge of the cells, and of the names.
const LEFT: f64 = 110.0;
const NAMES: f64 = LEFT + CELLS as f64 * WIDTH + 10.0;
/// Characters of a name.
const NAME: usize = 48;
/// Top edge of the rows.
const TOP: f64 = 2.5 * LINE;

/// The fill of a state.
pub fn fill(state: State) -> Fill {
    let (id, colour, hatch) = match state {
        State::Exclusive => ("exclusive", "#2ca25f", Hatch::Plain),
        State::Shared => ("shared", "#fee08b", Hatch::Rising),
        State::Private => ("private", "#99d8c9", Hatch::Plain),
        State::File => ("file", "#6baed6", Hatch::Level),
        State::Ksm => ("ksm", "#df65b0", Hatch::Grid),
        State::Huge => ("huge", "#9e9ac8", Hatch::Upright),
        State::Zero => ("zero", "#f0f0f0", Hatch::Dots),
        State::SwapPrivate => ("swap-private", "#fb6a4a", Hatch::Falling),
        State::SwapShared => ("swap-shared", "#fdae6b", Hatch::Crossed),
        State::Cached => ("cached", "#c6dbef", Hatch::Dots),
    };

    Fill { id, colour, hatch }
}

/// A drawing of rows.
pub struct Drawing<'a> {
    svg: Svg<'a>,
    page_size: u64,
    y: f64,
}

impl<'a> Drawing<'a> {
    /// Begins a drawing of `layout`.
    pub fn begin(
        out: &'a mut dyn Write,
        title: &str,
        layout: &Layout,
        page_size: u64,
    ) -> Result<Self> {
        let legend = STATES.len().div_ceil(2) as f64;
        let height = TOP + (layout.len() as f64 + legend + 1.5) * LINE;
        let width = NAMES + NAME as f64 * CHARACTER;
        let fills = STATES.map(fill);
        let mut svg = Svg::begin(out, width, height, title, &fills)?;
        let scale = match layout.per_cell {
            1 => "a cell is a page".to_string(),
            pages => format!("a cell is {pages} pages"),
        };

        svg.text(8.0, LINE, &format!("{title}; {scale} of {page_size} bytes"))?;
        Ok(Self {
            svg,
            page_size,
            y: TOP,
        })
    }

    /// Draws rows; `name` tells the text beside each.
    pub fn rows(&mut self, fold: &Fold, name: &dyn Fn(usize) -> String) -> Result<()> {
        for (i, row) in fold.rows().iter().enumerate() {
            let start = row.pages.start.saturating_mul(self.page_size);
            let base = self.y + HEIGHT - 2.0;
            self.svg.text(8.0, base, &format!("{start:>12x}"))?;
            let cells: Vec<_> = row.cells(fold.per_cell()).zip(fold.cells(i)).collect();
            self.cells(&cells)?;
            self.svg.outline(Rectangle {
                x: LEFT,
                y: self.y,
                width: cells.len() as f64 * WIDTH,
                height: HEIGHT,
            })?;
            let text: String = name(i).chars().take(NAME).collect();
            if !text.is_empty() {
                self.svg.text(NAMES, base, &text)?;
            }
            self.y += LINE;
        }
        Ok(())
    }

    /// Draws the cells of a row; neighbours alike are one rectangle.
    fn cells(&mut self, cells: &[(std::ops::Range<u64>, &Tally)]) -> Result<()> {
        let look = |(pages, tally): &(std::ops::Range<u64>, &Tally)| {
            let state = tally.most()?;
            Some((state, tally.of(state) == pages.end - pages.start))
        };
        let mut x = LEFT;

        for group in cells.chunk_by(|a, b| look(a) == look(b)) {
            let width = group.len() as f64 * WIDTH;
            if let (Some(first), Some(last)) = (group.first(), group.last())
                && let Some((state, whole)) = look(first)
            {
                let mut tally = Tally::default();
                group.iter().for_each(|(_, one)| tally.join(one));
                let range = first.0.start..last.0.end;
                let height = if whole { HEIGHT } else { HEIGHT / 2.0 };
                let at = Rectangle {
                    x,
                    y: self.y + HEIGHT - height,
                    width,
                    height,
                };
                let title = title(range, &tally, self.page_size);
                self.svg.rectangle(at, &fill(state), &title)?;
            }
            x += width;
        }
        Ok(())
    }

    /// Draws the legend, with the numbers of pages.
    pub fn finish(mut self, total: &Tally) -> Result<()> {
        for (i, state) in STATES.into_iter().enumerate() {
            let x = LEFT + (i % 2) as f64 * 320.0;
            let y = self.y + ((i / 2) as f64 + 0.7) * LINE;
            let at = Rectangle {
                x,
                y,
                width: 4.0 * WIDTH,
                height: HEIGHT,
            };
            self.svg.rectangle(at, &fill(state), "")?;
            self.svg.outline(at)?;
            let text = format!("{} {} pages", state.name(), total.of(state));
            self.svg.text(x + 5.0 * WIDTH, y + HEIGHT - 2.0, &text)?;
        }
        Ok(self.svg.finish()?)
    }
}

/// `START-END: N state, N state, of N pages`.
fn title(pages: std::ops::Range<u64>, tally: &Tally, page_size: u64) -> String {
    let (start, end) = (
        pages.start.saturating_mul(page_size),
        pages.end.saturating_mul(page_size),
    );
    let parts: Vec<_> = STATES
        .into_iter()
        .filter(|state| tally.of(*state) > 0)
        .map(|state| format!("{} {}", tally.of(state), state.name()))
        .collect();

    format!(
        "{start:x}-{end:x}: {}, of {} pages",
        parts.join(", "),
        pages.end - pages.start
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rectangles' titles and heights are those of the cells.
    #[test]
    fn drawing_has_the_cells() {
        let layout = Layout::new(std::iter::once(16..16 + 24).collect(), 4, CELLS);
        let mut fold = Fold::new(layout.mappings(), layout.rows(0, 9), layout.per_cell);
        // Cells: two whole ones, one mixed, one empty, one partial, one empty.
        fold.add(16..25, State::SwapShared);
        fold.add(25..28, State::Cached);
        fold.add(32..33, State::Exclusive);
        let mut text = Vec::new();
        let mut drawing = Drawing::begin(&mut text, "a & b", &layout, 4096).expect("written");
        drawing
            .rows(&fold, &|_| "rw-s /memfd:<x>".to_string())
            .expect("written");
        drawing.finish(&fold.total()).expect("written");

        let text = String::from_utf8(text).expect("text");
        let cells: Vec<_> = text
            .lines()
            .filter(|line| line.contains(" pages</title>"))
            .collect();
        let expected = [
            (
                "url(#swap-shared)",
                "width=\"12\" height=\"12\"",
                "10000-18000: 8 swap, shared, of 8 pages",
            ),
            (
                "url(#cached)",
                "width=\"6\" height=\"6\"",
                "18000-1c000: 1 swap, shared, 3 cached, not mapped, of 4 pages",
            ),
            (
                "url(#exclusive)",
                "width=\"6\" height=\"6\"",
                "20000-24000: 1 exclusive, of 4 pages",
            ),
        ];
        assert_eq!(cells.len(), expected.len(), "{text}");
        for (line, (fill, size, title)) in cells.iter().zip(expected) {
            assert!(
                line.contains(fill) && line.contains(size) && line.contains(title),
                "{line}"
            );
        }
        for part in [
            "rw-s /memfd:&lt;x&gt;",
            "swap, shared 9 pages",
            "cached, not mapped 3 pages",
            "a &amp; b; a cell is 4 pages",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(text.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn fills_differ_without_colour() {
        for (i, state) in STATES.into_iter().enumerate() {
            assert!(
                STATES[..i]
                    .iter()
                    .all(|other| fill(*other).id != fill(state).id)
            );
        }
        // The two that a page can have in turn, or that mean the opposite.
        for (a, b) in [
            (State::Exclusive, State::Shared),
            (State::SwapPrivate, State::SwapShared),
            (State::File, State::Cached),
            (State::Exclusive, State::SwapPrivate),
        ] {
            assert_ne!(fill(a).hatch, fill(b).hatch);
        }
    }
}
