// SPDX-License-Identifier: GPL-2.0

//! The manual page, from the help of the commands: `Documentation/xpagemap.8`.

use std::io;

use clap::Command;
use clap_mangen::Man;

/// The whole page, in roff; each command is a section.
///
/// # Errors
///
/// None: the text is written to memory.
pub fn page(mut command: Command) -> io::Result<String> {
    command.build();
    let mut text = Vec::new();
    let man = Man::new(command.clone())
        .title("xpagemap")
        .section("8")
        .date("")
        .source("xpagemap")
        .manual("System Administration");

    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    let mut page = String::from_utf8_lossy(&text).into_owned();

    let shown = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help");
    for command in shown {
        page.push_str(&section(command, "")?);
        for inner in command.get_subcommands() {
            page.push_str(&section(inner, command.get_name())?);
        }
    }
    text.clear();
    man.render_extra_section(&mut text)?;
    page.push_str(&String::from_utf8_lossy(&text).replace(".SH EXTRA", ".SH EXIT STATUS"));
    page.push_str(".SH SEE ALSO\n.BR proc_pid_pagemap (5),\n.BR cachestat (2),\n.BR swapon (8)\n");
    let lines: Vec<_> = page.lines().map(str::trim_end).collect();
    Ok(lines.join("\n") + "\n")
}

/// The section of a command, which may be one of the command `outer`.
fn section(command: &Command, outer: &str) -> io::Result<String> {
    let man = Man::new(command.clone());
    let mut text = Vec::new();

    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.get_after_help().is_some() {
        man.render_extra_section(&mut text)?;
    }
    let text = String::from_utf8_lossy(&text);
    // Preambles and headings of a page of its own.
    let lines = text
        .lines()
        .filter(|line| {
            !line.starts_with(".ie ")
                && !line.starts_with(".el ")
                && !["", ".SH SYNOPSIS", ".SH DESCRIPTION"].contains(line)
        })
        .map(|line| match line {
            ".SH OPTIONS" => ".SS Options",
            ".SH EXTRA" => ".PP",
            line => line,
        });
    let name = format!("{outer} {}", command.get_name()).to_uppercase();
    let name = name.trim();
    let lines: Vec<_> = lines.collect();

    // The synopsis is the first line; the description is a paragraph.
    match lines.split_first() {
        Some((synopsis, rest)) => Ok(format!(
            ".SH {name}\n{synopsis}\n.PP\n{}\n",
            rest.join("\n")
        )),
        None => Ok(String::new()),
    }
}
