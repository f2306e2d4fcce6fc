// SPDX-License-Identifier: GPL-2.0

//! The demo's child process: fills shared memory with a different text in each page.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, anyhow, ensure};

use super::PAGE_BYTES;
use crate::sys;

/// The text of page `page` of `pages` in run `run`: one line, repeated.
pub fn page_text(page: u64, pages: u64, run: u32) -> [u8; PAGE_BYTES] {
    let line = format!("xpagemap demo: page {page:04} of {pages}, run {run:08x}\n");
    let mut text = [0; PAGE_BYTES];

    for (byte, source) in text.iter_mut().zip(line.bytes().cycle()) {
        *byte = source;
    }
    text
}

/// Runs in the child: waits for a line on stdin, maps and fills the memory, prints its address, and
/// waits for the end of stdin.
///
/// # Errors
///
/// Stdin ended first, or the memory cannot be mapped.
pub fn main(pages: u64, run: u32) -> Result<()> {
    let mut input = io::stdin().lines();

    ensure!(
        input.next().is_some(),
        "demo-writer is run by `xpagemap demo`, which starts it by a line on stdin"
    );
    let bytes = usize::try_from(pages)? * PAGE_BYTES;
    let memory = sys::map_shared(bytes).context("cannot map shared memory")?;
    for (page, to) in (0..).zip(memory.chunks_exact_mut(PAGE_BYTES)) {
        to.copy_from_slice(&page_text(page, pages, run));
    }
    println!("{}", memory.as_ptr() as usize);
    input.next();
    Ok(())
}

/// The child, as the demo has it. Drop kills it.
pub struct Writer {
    child: Child,
    orders: ChildStdin,
}

impl Writer {
    /// Starts the child, which maps nothing yet.
    pub fn start(pages: u64, run: u32) -> Result<Self> {
        let mut child = Command::new("/proc/self/exe")
            .args(["demo-writer", &pages.to_string(), &run.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the writing process")?;
        let orders = child
            .stdin
            .take()
            .context("no pipe to the writing process")?;

        Ok(Self { child, orders })
    }

    /// The child's PID.
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Makes the child write its memory, and returns the address.
    pub fn write_memory(&mut self) -> Result<u64> {
        let mut line = String::new();
        let output = self.child.stdout.take().context("it has written already")?;

        writeln!(self.orders, "start").context("cannot start the writing")?;
        BufReader::new(output).read_line(&mut line)?;
        line.trim_end()
            .parse()
            .map_err(|_| match self.child.wait() {
                Ok(status) => anyhow!("the writing process ended early: {status}"),
                Err(error) => error.into(),
            })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Fails only if the child has ended already; the wait then returns at once.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_pages_and_no_two_runs_are_alike() {
        let texts: HashSet<_> = (0..4096)
            .flat_map(|page| [1, 2].map(|run| page_text(page, 4096, run)))
            .collect();
        assert_eq!(texts.len(), 2 * 4096);
    }

    #[test]
    fn a_page_is_readable_to_its_end() {
        let text = page_text(42, 256, 0xabc);
        assert!(text.starts_with(b"xpagemap demo: page 0042 of 256, run 00000abc\nxpagemap"));
        assert!(
            text.iter()
                .all(|byte| *byte == b'\n' || (b' '..=b'~').contains(byte))
        );
    }
}
