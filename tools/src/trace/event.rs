// SPDX-License-Identifier: GPL-2.0

//! One event, that is one change of PG_anon_exclusive: a line of `PID/events`.

use std::fmt;

use anyhow::{Context, Result, bail};

/// A change of PG_anon_exclusive of one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// True: the bit was set. False: cleared.
    pub set: bool,
    /// The page frame number.
    pub frame: u64,
    /// The page's address in the process, if known.
    pub address: Option<u64>,
    /// The cause, a name from the module's table.
    pub cause: &'a str,
    /// The kernel function and offset that changed the bit.
    pub site: &'a str,
    /// The process that made the change.
    pub actor: Actor<'a>,
    /// The process's instruction pointer in user mode, if recorded.
    pub ip: Option<u64>,
}

/// A process, with its name at the time of the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor<'a> {
    pid: u64,
    name: &'a str,
}

/// Identifies a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    /// By virtual page number.
    At(u64),
    /// By page frame number, as its address is unknown.
    Frame(u64),
}

impl<'a> Event<'a> {
    /// Parses a line `SEQ NS OP PFN ADDRESS CAUSE SITE PID COMM`, with ` ip=IP` at its end or not.
    pub fn parse(line: &'a str, with_ip: bool) -> Result<Self> {
        let (line, ip) = match line.rsplit_once(" ip=") {
            Some((line, ip)) if with_ip => (line, ip),
            None if with_ip => bail!("no ip: {line:?}"),
            _ => (line, "-"),
        };
        // COMM can contain spaces.
        let words: Vec<_> = line.splitn(9, ' ').collect();
        let &[_, time, op, frame, address, cause, site, pid, name] = words.as_slice() else {
            bail!("{} fields instead of 9: {line:?}", words.len());
        };
        let number = |what: &str, text: &str, radix| {
            u64::from_str_radix(text, radix).with_context(|| format!("{what} {text:?}"))
        };

        Ok(Self {
            time: number("time", time, 10)?,
            set: match op {
                "set" => true,
                "clear" => false,
                _ => bail!("neither set nor clear: {op:?}"),
            },
            frame: number("page frame", frame, 10)?,
            address: match address {
                "-" => None,
                _ => Some(number("address", address, 16)?),
            },
            cause,
            site,
            actor: Actor {
                pid: number("PID", pid, 10)?,
                name,
            },
            ip: match ip {
                "-" => None,
                _ => Some(number("ip", ip, 16)?),
            },
        })
    }

    /// The OP field.
    pub fn op(&self) -> &'static str {
        if self.set { "set" } else { "clear" }
    }

    /// The page.
    pub fn page(&self, page_size: u64) -> Page {
        self.address.map_or(Page::Frame(self.frame), |address| {
            Page::At(address / page_size)
        })
    }
}

impl<'a> Actor<'a> {
    /// Its PID.
    pub fn pid(self) -> u64 {
        self.pid
    }

    /// Its name.
    pub fn name(self) -> &'a str {
        self.name
    }
}

impl fmt::Display for Actor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A process can put control characters in its name, which a terminal would obey.
        let name = self.name.replace(char::is_control, "?");
        write!(f, "{name} ({})", self.pid)
    }
}

/// Maximum number of names in a list.
const LISTED: usize = 3;

/// Lists the first [`LISTED`] names and the number of the others.
pub fn listed(mut names: Vec<String>) -> String {
    let others = names.len().saturating_sub(LISTED);

    names.truncate(LISTED);
    match others {
        0 => {}
        1 => names.push("1 other".to_string()),
        _ => names.push(format!("{others} others")),
    }
    names.join(", ")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An event of page `page`, of 4096 bytes.
    pub fn event(page: u64, cause: &'static str, set: bool, pid: u64) -> Event<'static> {
        Event {
            time: 0,
            set,
            frame: 0x100 + page,
            address: Some(page * 4096),
            cause,
            site: "do_wp_page+0x10",
            actor: Actor {
                pid,
                name: "worker",
            },
            ip: None,
        }
    }

    #[test]
    fn a_line_is_taken_apart() {
        let line = "7 123456789 clear 23933 7f0000402000 fork-share copy_pte_range+0x1a 212 a b";
        let event = Event::parse(line, false).expect("a good line");
        let expected = Event {
            time: 123_456_789,
            set: false,
            frame: 23933,
            address: Some(0x7f00_0040_2000),
            cause: "fork-share",
            site: "copy_pte_range+0x1a",
            actor: Actor {
                pid: 212,
                name: "a b",
            },
            ip: None,
        };
        assert_eq!(event, expected);
        assert_eq!(
            (event.op(), event.page(4096)),
            ("clear", Page::At(0x7f0000402))
        );
        assert_eq!(event.actor.to_string(), "a b (212)");
    }

    #[test]
    fn an_address_may_be_unknown_and_a_name_empty() {
        let event = Event::parse("7 1 set 9 - new f+0x1 3 ", false).expect("a good line");
        assert_eq!((event.address, event.page(4096)), (None, Page::Frame(9)));
        assert_eq!(event.actor.to_string(), " (3)");
    }

    #[test]
    fn the_last_column_is_not_part_of_the_name() {
        let line = "7 1 set 9 5000 new f+0x1 3 a ip=1 b";
        let with = |ip: &str| format!("{line} ip={ip}");
        let event = Event::parse(line, false).expect("a good line");
        assert_eq!((event.actor.name, event.ip), ("a ip=1 b", None));
        let text = with("7f00");
        let event = Event::parse(&text, true).expect("a good line");
        assert_eq!((event.actor.name, event.ip), ("a ip=1 b", Some(0x7f00)));
        let text = with("-");
        assert_eq!(Event::parse(&text, true).expect("a good line").ip, None);
        assert!(Event::parse(&with("x"), true).is_err());
        assert!(Event::parse("7 1 set 9 5000 new f+0x1 3 a", true).is_err());
    }

    #[test]
    fn other_lines_are_refused() {
        for line in [
            "",
            "1 2 set 3 4 new f+0x1 5",
            "1 2 put 3 4 new f+0x1 5 a",
            "1 -2 set 3 4 new f+0x1 5 a",
            "1 2 set 3 xyz new f+0x1 5 a",
            "1 2 set 3 4 new f+0x1 pid a",
        ] {
            assert!(Event::parse(line, false).is_err(), "{line:?} passed");
        }
    }

    #[test]
    fn names_do_not_command_the_terminal() {
        let line = "1 2 set 3 4 new f+0x1 5 a\u{1b}[2J\u{9b}b";
        let event = Event::parse(line, false).expect("a good line");
        assert_eq!(event.actor.to_string(), "a?[2J?b (5)");
    }

    #[test]
    fn long_lists_are_cut() {
        let names = |count| listed((0..count).map(|n: i32| n.to_string()).collect());
        assert_eq!(names(0), "");
        assert_eq!(names(3), "0, 1, 2");
        assert_eq!(names(4), "0, 1, 2, 1 other");
        assert_eq!(names(9), "0, 1, 2, 6 others");
    }
}
