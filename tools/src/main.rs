// SPDX-License-Identifier: GPL-2.0

//! The xpagemap command line.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use xpagemap::commands::{
    check, diff, explain, file, metrics, plot, show, stats, summary, swap, watch,
};
use xpagemap::{demo, manual, trace};

/// Shows where the pages of processes and files are, shared memory in swap included.
///
/// Best as root, with the xpagemap module loaded and debugfs on /sys/kernel/debug. Without these,
/// each command tells what can be known, and says what cannot.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit status: 0 done, 1 failed (check: or a rule is broken; swap read: or \
                  pages were left out), 2 wrong usage."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Show(show::Args),
    Summary(summary::Args),
    File(file::Args),
    Explain(explain::Args),
    Check(check::Args),
    Diff(diff::Args),
    Metrics(metrics::Args),
    Swap(swap::Args),
    Trace(trace::Args),
    Plot(plot::Args),
    Watch(watch::Args),
    Stats(stats::Args),
    /// Print completions for a shell: bash, zsh, fish, ...
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print this command's manual page
    Man,
    /// Let the kernel swap out shared memory, then find every page on the swap disk
    Demo,
    /// Child process of `demo`: writes the shared memory
    #[command(hide = true)]
    DemoWriter {
        /// Pages to map and write
        pages: u64,
        /// Random number of this run, part of the text in each page
        run: u32,
    },
}

/// The command line. `--help` of a command fits a screen: one line for each option, then the
/// details, then an example.
fn command_line() -> clap::Command {
    Cli::command().mut_subcommands(with_help)
}

fn with_help(command: clap::Command) -> clap::Command {
    let text = |text: Option<&StyledStr>| text.map(ToString::to_string);
    let summary = text(command.get_about()).unwrap_or_default();
    let whole = text(command.get_long_about()).unwrap_or_default();
    let details = whole.strip_prefix(&summary).unwrap_or_default().trim();
    let example = text(command.get_after_help()).unwrap_or_default();
    let end = format!("{details}\n\n{example}").trim().to_string();
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .help("Print this")
        .action(ArgAction::HelpShort);

    command
        .disable_help_flag(true)
        .arg(help)
        .max_term_width(100)
        .after_help(end)
        .mut_subcommands(with_help)
}

/// Without `--help`, which would need a section in each command.
fn without_help(command: clap::Command) -> clap::Command {
    command
        .disable_help_flag(true)
        .mut_subcommands(without_help)
}

/// The manual page. `--help` is a line there, which needs no section in each command.
fn manual_page() -> io::Result<String> {
    manual::page(Cli::command().mut_subcommands(without_help))
}

/// Runs a command. Returns false if it found what it looked for to be wrong.
fn run(command: Command) -> Result<bool> {
    let out = &mut io::BufWriter::new(anstream::stdout().lock());
    let mut fine = true;

    match command {
        Command::Show(args) => show::main(out, args)?,
        Command::Summary(args) => summary::main(out, args)?,
        Command::File(args) => file::main(out, args)?,
        Command::Explain(args) => explain::main(out, args)?,
        Command::Check(args) => fine = check::main(out, args)?,
        Command::Diff(args) => diff::main(out, args)?,
        Command::Metrics(args) => metrics::main(out, args)?,
        Command::Swap(args) => fine = swap::main(out, args)?,
        Command::Trace(args) => trace::main(out, args)?,
        Command::Watch(args) => watch::main(out, args)?,
        Command::Plot(args) => plot::main(args)?,
        Command::Stats(args) => stats::main(out, args)?,
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "xpagemap", &mut text);
            out.write_all(&text)?;
        }
        Command::Man => out.write_all(manual_page()?.as_bytes())?,
        Command::Demo => demo::main(out)?,
        Command::DemoWriter { pages, run } => demo::writer::main(pages, run)?,
    }
    out.flush()?;
    Ok(fine)
}

/// Reasons why a command takes no `--all` and no `--cgroup`.
const TARGETS: [(&str, &str); 4] = [
    (
        "file",
        "a file's pages are told whoever maps it; `xpagemap swap --by file` lists files in swap",
    ),
    (
        "swap",
        "the balance sheet has all processes; --by process, file, cgroup or user adds them up",
    ),
    (
        "stats",
        "the counters are the module's; `xpagemap summary --all` counts pages of processes",
    ),
    (
        "",
        "this command takes one process, PID or NAME; `summary`, `check` and `metrics` take all",
    ),
];

/// Adds to the refusal of `--all` and `--cgroup` the reason of this command, the first argument.
fn with_reason(mut error: clap::Error, command: &str) -> clap::Error {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };

    if ["--all", "--cgroup"].contains(&argument.as_str()) {
        let mut reasons = TARGETS.iter();
        let reason = reasons.find(|(name, _)| [command, ""].contains(name));
        let reason = reason.map(|(_, why)| StyledStr::from(*why)).into_iter();
        let reasons = ContextValue::StyledStrs(reason.collect());
        error.insert(ContextKind::Suggested, reasons);
    }
    error
}

fn main() -> ExitCode {
    let arguments = command_line().try_get_matches().unwrap_or_else(|error| {
        let command = std::env::args_os().nth(1).unwrap_or_default();
        with_reason(error, &command.to_string_lossy()).exit()
    });
    let cli = Cli::from_arg_matches(&arguments).unwrap_or_else(|error| error.exit());

    match run(cli.command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            if !error.chain().any(is_broken_pipe) {
                eprintln!("xpagemap: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Returns true if the reader of standard output has gone away. That is no error to tell.
fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let io = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let json = error.downcast_ref::<serde_json::Error>();

    io.or(json.and_then(serde_json::Error::io_error_kind)) == Some(io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command_line().debug_assert();
    }

    #[test]
    fn help_fits_a_screen_and_has_an_example() {
        let mut line = command_line();
        let all = line.get_subcommands_mut().flat_map(|command| {
            let own = command.clone();
            command
                .get_subcommands_mut()
                .map(|command| command.clone())
                .chain([own])
                .collect::<Vec<_>>()
        });
        for command in all {
            let name = command.get_name().to_string();
            let help = command.clone().term_width(100).render_help().to_string();
            assert!(help.lines().count() <= 24, "{name}: {help}");
            let plain =
                ["stats", "completions", "man", "demo", "demo-writer", "help"].contains(&&*name);
            assert!(plain || help.contains("Example: "), "{name}: {help}");
        }
    }

    #[test]
    fn manual_page_is_current() {
        let page = manual_page().expect("a page");
        let written = include_str!("../../Documentation/xpagemap.8");
        assert!(page == written, "xpagemap man > Documentation/xpagemap.8");
    }

    #[test]
    fn completions_know_every_command() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "xpagemap", &mut text);
            let text = String::from_utf8(text).expect("text");
            for command in Cli::command().get_subcommands() {
                assert!(
                    text.contains(command.get_name()),
                    "{shell}: {}",
                    command.get_name()
                );
            }
        }
    }

    #[test]
    fn refusal_of_all_has_a_reason() {
        for (line, reason) in [
            ("show --all", "takes one process"),
            ("trace 1 --cgroup a", "takes one process"),
            ("file --all", "--by file"),
            ("swap --cgroup /a", "--by process, file, cgroup"),
        ] {
            let words = ["xpagemap"].into_iter().chain(line.split_whitespace());
            let error = command_line().try_get_matches_from(words).err();
            let command = line.split_whitespace().next().expect("a command");
            let error = with_reason(error.expect("refused"), command);
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(reason), "{line}: {error}");
        }
        let error = command_line().try_get_matches_from(["xpagemap", "show", "--every"]);
        let text = with_reason(error.expect_err("refused"), "show").to_string();
        assert!(!text.contains("one process"), "{text}");
    }

    #[test]
    fn wrong_usage_is_status_2() {
        for line in [
            "",
            "show",
            "show 0",
            "show -4",
            "show 1 2000-1000",
            "stats x",
            "trace",
            "trace 1 -s never",
            "trace 1 -s -1",
            "trace --",
            "trace 1 -- true",
            "summary",
            "summary 1 --all",
            "summary 1 -o big",
            "show 1 -o +size",
            "file / -o size",
            "check 1 -o size",
            "diff 1 -o size",
            "swap -o size",
            "swap owner -o size 0 1",
            "file",
            "explain 1",
            "explain 1 xyz",
            "check --all --watch never",
            "diff",
            "diff a b -s 1",
            "metrics",
            "swap owner /dev/vdb",
            "swap --by group",
            "swap read 1 1000-2000",
            "swap map",
            "swap map /dev/vdb --cell 0",
            "plot 1",
            "explain 0 1000",
            "watch 0",
            "summary 0",
            "watch",
            "watch 1 -s never",
            "trace 1 --format svg",
            "trace 1 --json --each",
        ] {
            let words = ["xpagemap"].into_iter().chain(line.split_whitespace());
            let error = Cli::try_parse_from(words).err().expect("must not parse");
            assert_eq!(error.exit_code(), 2, "{line:?}: {error}");
        }
    }
}
