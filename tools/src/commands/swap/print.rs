// SPDX-License-Identifier: GPL-2.0

//! The balance sheet as text.

use std::io::Write;

use anyhow::Result;

use super::{Body, name};
use crate::commands::table::{Table, number};
use crate::swap::groups::Group;
use crate::swap::sheet::{Balance, Share};

/// Prints balances and owners. `unseen` pages in the swap cache have slots that are not known.
pub fn all(out: &mut dyn Write, body: &Body, unseen: Option<u64>, top: usize) -> Result<()> {
    for balance in &body.devices {
        print_balance(out, balance, unseen)?;
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
    match &body.groups {
        Some(groups) => rows(out, group_table(groups), top),
        None => rows(out, owner_table(&body.owners), top),
    }
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

fn print_balance(out: &mut dyn Write, balance: &Balance, unseen: Option<u64>) -> Result<()> {
    let Balance {
        area,
        path,
        slots,
        used,
        anonymous,
        shared,
        files,
        cached,
        unexplained,
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
    let maybe = match unseen {
        Some(pages) if pages > 0 && *unexplained > 0 => {
            format!("; the swap cache has {pages} more pages, which keep their slot")
        }
        _ => String::new(),
    };
    writeln!(out, "{unexplained:>12}  unexplained{maybe}")?;
    Ok(())
}

fn owner_table(owners: &[Share]) -> Table {
    let mut table = Table::default();

    table.row(["pswap", "alone", "shared", "cached", "owner"].map(String::from));
    for share in owners {
        table.row([
            format!("{:.1}", share.pswap),
            share.alone.to_string(),
            share.shared.to_string(),
            share.cached.to_string(),
            name(&share.owner),
        ]);
    }
    table
}

fn group_table(groups: &[Group]) -> Table {
    let mut table = Table::default();

    table.row(["pswap", "alone", "shared", "files", "current", "owner"].map(String::from));
    for group in groups {
        table.row([
            format!("{:.1}", group.pswap),
            group.alone.to_string(),
            group.shared.to_string(),
            format!("{:.1}", group.files),
            number(group.current),
            match group.name.is_empty() {
                true => "files that no process maps".to_string(),
                false => group.name.replace(char::is_control, "?"),
            },
        ]);
    }
    table
}
