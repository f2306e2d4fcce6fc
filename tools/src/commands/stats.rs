// SPDX-License-Identifier: GPL-2.0

//! `xpagemap stats`: prints the module's counters in columns.

use std::io::Write;

use anyhow::Result;

use crate::target;

/// Prints the module's `key value` lines.
///
/// # Errors
///
/// The module's `stats` file cannot be read.
pub fn main(out: &mut dyn Write) -> Result<()> {
    out.write_all(columns(&target::stats()?).as_bytes())?;
    Ok(())
}

fn columns(stats: &str) -> String {
    let pairs = || {
        stats
            .lines()
            .map(|line| line.split_once(' ').unwrap_or((line, "")))
    };
    let width = pairs().map(|(key, _)| key.len()).max().unwrap_or(0);

    pairs().fold(String::new(), |text, (key, value)| {
        text + format!("{key:width$}  {value}").trim_end() + "\n"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_line_up() {
        assert_eq!(columns("abi 1\ntargets 0\n"), "abi      1\ntargets  0\n");
        assert_eq!(columns("alone\n"), "alone\n");
        assert_eq!(columns(""), "");
    }
}
