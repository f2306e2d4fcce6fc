// SPDX-License-Identifier: GPL-2.0

//! The xpagemap command line.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use xpagemap::commands::{check, diff, explain, file, metrics, show, stats, summary};
use xpagemap::{demo, trace};

/// Shows where the pages of processes and files are, shared memory in swap included.
///
/// Best as root, with the xpagemap module loaded and debugfs on /sys/kernel/debug. Without these,
/// each command tells what can be known, and says what cannot.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit status: 0 done, 1 failed (check: or a rule is broken), 2 wrong usage."
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
    Trace(trace::Args),
    /// Print the module's version and counters
    Stats,
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
        Command::Trace(args) => trace::main(out, args)?,
        Command::Stats => stats::main(out)?,
        Command::Demo => demo::main(out)?,
        Command::DemoWriter { pages, run } => demo::writer::main(pages, run)?,
    }
    out.flush()?;
    Ok(fine)
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let broken_pipe = error.chain().any(|cause| {
                cause
                    .downcast_ref::<io::Error>()
                    .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
            });

            if !broken_pipe {
                eprintln!("xpagemap: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
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
            "file",
            "explain 1",
            "explain 1 xyz",
            "check --all --watch never",
            "diff",
            "diff a b -s 1",
            "metrics",
        ] {
            let words = ["xpagemap"].into_iter().chain(line.split_whitespace());
            let error = Cli::try_parse_from(words).err().expect("must not parse");
            assert_eq!(error.exit_code(), 2, "{line:?}: {error}");
        }
    }
}
