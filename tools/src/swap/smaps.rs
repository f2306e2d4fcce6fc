// SPDX-License-Identifier: GPL-2.0

//! Swap by smaps, the way without the module: private memory by SwapPss, shared memory as each
//! mapping counts it.

use std::collections::BTreeMap;
use std::io;

use crate::text;

/// Swap of one process, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Of all mappings: pages that processes share count in each.
    pub swap: u64,
    /// Of private memory, each page divided by the processes that share it.
    pub pswap: u64,
    /// Of shared mappings, by file: name and bytes.
    pub files: BTreeMap<String, (String, u64)>,
}

/// The swap of process `pid`.
///
/// # Errors
///
/// The process is gone, or its smaps may not be read.
pub fn of(pid: i32) -> io::Result<Sums> {
    Ok(parse(&text::read(format!("/proc/{pid}/smaps"))?))
}

fn parse(text: &str) -> Sums {
    let mut sums = Sums::default();
    let mut file = None;
    let kib = |rest: &str| -> u64 {
        let number = rest.split_whitespace().next();
        number.and_then(|word| word.parse().ok()).unwrap_or(0) * 1024
    };

    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("SwapPss:") {
            sums.pswap += kib(rest);
        } else if let Some(rest) = line.strip_prefix("Swap:") {
            sums.swap += kib(rest);
            if let Some((id, name)) = file.take() {
                sums.files.entry(id).or_insert((name, 0)).1 += kib(rest);
            }
        } else if let Some(header) = header(line) {
            file = header;
        }
    }
    sums.files.retain(|_, (_, bytes)| *bytes > 0);
    sums
}

/// The file of a shared mapping, MAJOR:MINOR:INODE as in the module's files, and its name; the outer
/// [`None`] if the line is not the first of a mapping.
fn header(line: &str) -> Option<Option<(String, String)>> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    u64::from_str_radix(start, 16).ok()?;
    u64::from_str_radix(end, 16).ok()?;
    let is_shared = words.next()?.ends_with('s');
    let (major, minor) = words.nth(1)?.split_once(':')?;
    let inode = words.next()?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    let id = format!("{}:{}:{inode}", number(major)?, number(minor)?);
    let name = words.next().unwrap_or_default().trim_start();

    Some(is_shared.then(|| (id, name.replace(char::is_control, "?"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_shared() {
        let text = "7f00-8f00 rw-p 00000000 00:00 0 \nSize: 60 kB\nSwap:  12 kB\nSwapPss: 6 kB\n\
                    8f00-9f00 rw-s 00000000 00:1a 77                 /memfd:a b (deleted)\n\
                    Swap:  8 kB\nSwapPss: 0 kB\nVmFlags: rd wr sh\n\
                    9f00-af00 r--s 00000000 00:1a 77                 /memfd:a b (deleted)\n\
                    Swap:  4 kB\nSwapPss: 0 kB\n\
                    af00-bf00 r--s 00000000 08:01 9 /x\nSwap:  0 kB\n";
        let sums = parse(text);
        assert_eq!((sums.swap, sums.pswap), (24 * 1024, 6 * 1024));
        let name = "/memfd:a b (deleted)".to_string();
        assert_eq!(
            sums.files,
            BTreeMap::from([("0:26:77".to_string(), (name, 12 * 1024))])
        );
    }
}
