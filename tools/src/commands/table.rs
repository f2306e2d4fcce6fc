// SPDX-License-Identifier: GPL-2.0

//! Columns that line up: the first column is left-aligned, numbers are right-aligned, and the last
//! column is as long as it is.

/// Cells by row; the first row is the header.
#[derive(Default)]
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.push(cells.into_iter().collect());
    }

    /// The lines, with `indent` spaces before each.
    pub fn lines(&self, indent: usize) -> Vec<String> {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<_> = (0..columns)
            .map(|column| {
                let cells = self.0.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();

        self.0
            .iter()
            .map(|row| line(row, &widths, indent))
            .collect()
    }
}

fn line(row: &[String], widths: &[usize], indent: usize) -> String {
    let mut line = " ".repeat(indent);

    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        let last = column + 1 == widths.len();
        match column {
            0 => line.push_str(&format!("{cell:<width$}")),
            _ if last => line.push_str(&format!("  {cell}")),
            _ => line.push_str(&format!("  {cell:>width$}")),
        }
    }
    line.trim_end().to_string()
}

/// A number, or `?` if it is not known.
pub fn number(count: Option<u64>) -> String {
    count.map_or("?".to_string(), |count| count.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::default();
        for row in [
            ["range", "pages", "name"],
            ["1-2", "12345678", "a b"],
            ["11-22", "?", ""],
        ] {
            table.row(row.map(String::from));
        }
        let expected = [
            " range     pages  name",
            " 1-2    12345678  a b",
            " 11-22         ?",
        ];
        assert_eq!(table.lines(1), expected);
    }
}
