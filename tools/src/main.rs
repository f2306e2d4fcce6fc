// SPDX-License-Identifier: GPL-2.0

//! The xpagemap command line.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use xpagemap::range::AddressRange;
use xpagemap::{demo, show, stats, trace};

/// Shows the swap slots of swapped-out shared pages, which /proc/PID/pagemap leaves blank.
///
/// Needs root, debugfs on /sys/kernel/debug, and the xpagemap module loaded.
#[derive(Parser)]
#[command(version, after_help = "Exit status: 0 done, 1 failed, 2 wrong usage.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Let the kernel swap out shared memory, then find every page on the swap disk
    Demo,
    /// Show a process's pages: /proc/PID/pagemap beside xpagemap
    ///
    /// Consecutive pages in the same state share a line; swapped pages also need consecutive slots.
    /// `swap TYPE:OFFSET` is a swap slot. A `*` marks lines in which the two files differ. As in
    /// /proc, migration entries and markers read as swap, with a type above those of swap areas.
    Show {
        /// Process to show
        #[arg(value_parser = clap::value_parser!(i32).range(1..))]
        pid: i32,
        /// Addresses to show: START-END, in hex, as in /proc/PID/maps [default: every mapping]
        range: Option<AddressRange>,
        /// Print a line per page, with the raw entries
        #[arg(short, long)]
        pages: bool,
    },
    Trace(trace::Args),
    /// Print the module's version and counters
    Stats,
    /// Child process of `demo`: writes the shared memory
    #[command(hide = true)]
    DemoWriter {
        /// Pages to map and write
        pages: u64,
        /// Random number of this run, part of the text in each page
        run: u32,
    },
}

fn run(command: Command) -> Result<()> {
    let out = &mut io::BufWriter::new(anstream::stdout().lock());

    match command {
        Command::Demo => demo::main(out)?,
        Command::Show { pid, range, pages } => show::main(out, pid, range, pages)?,
        Command::Trace(args) => trace::main(out, args)?,
        Command::Stats => stats::main(out)?,
        Command::DemoWriter { pages, run } => demo::writer::main(pages, run)?,
    }
    out.flush()?;
    Ok(())
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
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
        ] {
            let words = ["xpagemap"].into_iter().chain(line.split_whitespace());
            let error = Cli::try_parse_from(words).err().expect("must not parse");
            assert_eq!(error.exit_code(), 2, "{line:?}: {error}");
        }
    }
}
