// SPDX-License-Identifier: GPL-2.0

//! The balance sheet as text.

use std::io::Write;

use anyhow::Result;

use super::line::{GROUPS, Line, OWNERS};
use super::{Args, Body, name};
use crate::commands::table::Table;
use crate::swap::sheet::Balance;

/// Prints balances and owners.
pub fn all(out: &mut dyn Write, body: &Body, args: &Args) -> Result<()> {
    for balance in &body.devices {
        print_balance(out, balance)?;
    }
    if body.changed > 0 || body.moved > 0 {
        let (changed, moved) = (body.changed, body.moved);
        writeln!(
            out,
            "changed meanwhile: {moved} pages swapped in or out; used slots differ by {changed}"
        )?;
    }
    if let Some(totals) = &body.smaps {
        totals.print(out)?;
    }
    let (usual, lines): (&[_], Vec<_>) = match &body.groups {
        Some(groups) => (&GROUPS, groups.iter().map(Line::of_group).collect()),
        None => {
            let owners = body.owners.iter();
            let lines = owners.map(|share| Line::of_share(share, name(&share.owner)));
            (&OWNERS, lines.collect())
        }
    };
    rows(out, args.output.or_usual(usual).table(&lines), args.top)
}

/// Prints the header and the first `top` rows; 0: all.
pub fn rows(out: &mut dyn Write, table: Table, top: usize) -> Result<()> {
    let lines = table.lines(0);
    let count = if top == 0 { lines.len() } else { top + 1 };

    for line in lines.iter().take(count) {
        writeln!(out, "{line}")?;
    }
    if lines.len() > count {
        writeln!(out, "and {} more; --top 0 prints all", lines.len() - count)?;
    }
    Ok(())
}

fn print_balance(out: &mut dyn Write, balance: &Balance) -> Result<()> {
    let Balance {
        area,
        path,
        slots,
        used,
        anonymous,
        shared,
        files,
        cached,
        swap_cache,
        transient,
        unexplained,
        freed,
    } = balance;

    writeln!(out, "{path} (swap type {area}): {slots} slots, {used} used")?;
    for (count, kind) in [
        (anonymous, "anonymous memory of one process"),
        (shared, "anonymous memory of several processes, by fork"),
        (files, "files of shared memory"),
        (cached, "pages in memory that keep their slot"),
    ] {
        writeln!(out, "{count:>12}  {kind}")?;
    }
    for (count, kind) in [
        (
            swap_cache,
            "swap cache only: no process was found to map the page",
        ),
        (
            transient,
            "changed meanwhile: at a later look with an owner, or free",
        ),
    ] {
        if *count > 0 {
            writeln!(out, "{count:>12}  {kind}")?;
        }
    }
    writeln!(out, "{unexplained:>12}  unexplained")?;
    if *freed > 0 {
        writeln!(out, "{freed:>12}  freed meanwhile, not counted")?;
    }
    Ok(())
}
