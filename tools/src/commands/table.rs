// SPDX-License-Identifier: GPL-2.0

//! Columns that line up: the first column is left-aligned, others are right-aligned unless they are
//! known to be text, and the last column is as long as it is.

/// Cells by row; the first row is the header.
#[derive(Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    /// True for each column that is right-aligned; all are that it does not name.
    is_number: Vec<bool>,
}

impl Table {
    /// A table in which columns of numbers are right-aligned, all others left-aligned.
    pub fn aligned(is_number: Vec<bool>) -> Self {
        Self {
            rows: Vec::new(),
            is_number,
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, with `indent` spaces before each.
    pub fn lines(&self, indent: usize) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<_> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();

        self.rows
            .iter()
            .map(|row| self.line(row, &widths, indent))
            .collect()
    }

    fn line(&self, row: &[String], widths: &[usize], indent: usize) -> String {
        let mut line = " ".repeat(indent);

        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let is_last = column + 1 == widths.len();
            let is_number = self.is_number.get(column).copied().unwrap_or(true);
            match column {
                0 => line.push_str(&format!("{cell:<width$}")),
                _ if is_last => line.push_str(&format!("  {cell}")),
                _ if is_number => line.push_str(&format!("  {cell:>width$}")),
                _ => line.push_str(&format!("  {cell:<width$}")),
            }
        }
        line.trim_end().to_string()
    }
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
