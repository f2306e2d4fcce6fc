// SPDX-License-Identifier: GPL-2.0

//! The module's `PID/summary`, by the names of its columns.

use anyhow::{Context, Result};

use super::{COLUMNS, Counts};

/// A line: its addresses, or [`None`] for the total.
pub type Line = (Option<(u64, u64)>, Counts);

/// Parses the text. Columns of other names are left out, so that later ones do no harm.
pub fn parse(text: &str) -> Result<Vec<Line>> {
    let mut lines = text.lines();
    let header = lines.next().context("the summary is empty")?;
    let names: Vec<_> = header
        .trim_start_matches('#')
        .split_whitespace()
        .skip(1)
        .collect();

    lines
        .map(|line| parse_line(line, &names).with_context(|| format!("summary line {line:?}")))
        .collect()
}

fn parse_line(line: &str, names: &[&str]) -> Result<Line> {
    let mut words = line.split_whitespace();
    let addresses = match words.next().context("empty")? {
        "total" => None,
        range => {
            let (start, end) = range.split_once('-').context("no range")?;
            let parse = |text| u64::from_str_radix(text, 16);
            Some((parse(start)?, parse(end)?))
        }
    };
    let mut counts = Counts::default();

    for (name, word) in names.iter().zip(words) {
        let number = word.parse()?;
        let field = COLUMNS
            .iter()
            .find(|(column, ..)| *column == our_name(name));
        match field {
            Some((_, _, field)) => *field(&mut counts) = Some(number),
            None if *name == "pages" => counts.pages = number,
            None => {}
        }
    }
    Ok((addresses, counts))
}

fn our_name(name: &str) -> &str {
    match name {
        "present" => "resident",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# vma                     pages present swap-private new swap-shared
7f0000000000-7f0000003000     3       1            0   9           2
total                         3       1            0   9           2
";

    #[test]
    fn columns_have_their_numbers() {
        let lines = parse(TEXT).expect("a summary");
        let [(range, counts), (None, total)] = lines[..] else {
            panic!("{lines:?}");
        };
        assert_eq!(range, Some((0x7f00_0000_0000, 0x7f00_0000_3000)));
        assert_eq!(counts, total);
        assert_eq!((counts.pages, counts.resident), (3, Some(1)));
        assert_eq!(
            (counts.swap_private, counts.swap_shared),
            (Some(0), Some(2))
        );
        assert_eq!(counts.exclusive, None);
    }

    #[test]
    fn malformed_lines_are_errors() {
        for line in ["", "7f00 1 2", "7f00-7f01 x"] {
            assert!(parse(&format!("# vma pages\n{line}\n")).is_err(), "{line}");
        }
        assert!(parse("").is_err());
    }
}
