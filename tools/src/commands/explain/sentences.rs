// SPDX-License-Identifier: GPL-2.0

//! The facts of a page in sentences.

use super::{Anonymous, Facts};
use crate::page::{Page, Prediction};

/// Mappings that are listed one by one.
const LISTED: usize = 8;

/// The sentences, one a line.
pub fn of(facts: &Facts) -> Vec<String> {
    let mut all = vec![mapping(facts), place(facts)];

    all.extend(flags(facts));
    if let Some(anonymous) = &facts.anonymous {
        all.extend(sharing(anonymous, facts.state));
    }
    if let Some(page) = &facts.page {
        all.extend(rmap(page));
        all.extend(page.next_write.as_ref().map(write));
        all.extend(page.next_fork.as_ref().map(fork));
    }
    all
}

fn mapping(facts: &Facts) -> String {
    let Facts { pid, address, .. } = facts;

    match &facts.mapping {
        None => format!("Process {pid} has nothing mapped at {address}."),
        Some(map) => {
            let (start, end) = (&map.addresses.start, &map.addresses.end);
            let name = match map.name.as_str() {
                "" => "anonymous memory",
                name => name,
            };
            let kind = match map.permissions.ends_with('s') {
                true => "a shared mapping",
                false => "a private mapping",
            };
            let permissions = &map.permissions;
            format!(
                "Page {address} of process {pid} is in {start}-{end} {permissions}, {kind} of {name}."
            )
        }
    }
}

fn place(facts: &Facts) -> String {
    match (facts.state, facts.frame, &facts.slot) {
        ("memory", Some(frame), _) if frame != 0 => {
            format!("It is in memory and mapped, in page frame {frame:x}.")
        }
        ("memory", ..) => "It is in memory and mapped.".to_string(),
        (_, _, Some(slot)) => {
            let device = match &facts.device {
                Some(path) if facts.device_in_doubt => format!(
                    "{path} (swap type {}, by the order of /proc/swaps)",
                    slot.area
                ),
                Some(path) => format!("{path} (swap type {})", slot.area),
                None => format!("swap type {}", slot.area),
            };
            let offset = slot.offset;
            let bytes = facts
                .page
                .as_ref()
                .and_then(|page| page.swap_where.as_deref());
            format!(
                "It is in swap, in slot {offset} of {device}{}.",
                place_of_bytes(bytes)
            )
        }
        _ => "Its page table entry is empty, and nothing of it is in swap.".to_string(),
    }
}

fn place_of_bytes(place: Option<&str>) -> &'static str {
    match place {
        Some("disk") => "; its bytes are on the device",
        Some("zero") => "; it is all zero, and nothing was written to the device",
        Some("zswap") => "; its bytes are in zswap, in memory",
        Some("cache") => "; it is in the swap cache too, and the device may be stale",
        Some("none") => "; its bytes are lost",
        _ => "",
    }
}

fn flags(facts: &Facts) -> Vec<String> {
    let has = |flag| facts.flags.contains(&flag);
    let told = [
        ("guard", "It is a guard region: any access raises SIGSEGV."),
        ("uffd", "It is write-protected through userfaultfd."),
        (
            "soft-dirty",
            "It is soft-dirty: written, or mapped, since the bits were last cleared.",
        ),
    ];

    told.into_iter()
        .filter(|(flag, _)| has(*flag))
        .map(|(_, sentence)| sentence.to_string())
        .collect()
}

fn sharing(page: &Anonymous, state: &str) -> Vec<String> {
    let mut all = Vec::new();

    if page.zero {
        all.push("It is the zero page: nothing was written yet.".to_string());
        return all;
    }
    if !page.anonymous {
        if state == "memory" {
            all.push(
                "It is a page of a file, or of shared memory; it has no exclusive bit.".into(),
            );
        }
        return all;
    }
    all.push(match page.exclusive {
        true => "It is exclusive: the kernel knows that this process alone has it.".into(),
        false => "It is not exclusive: another process has it too, or had.".into(),
    });
    if state == "memory" {
        let (references, mappings) = (page.references, page.mappings);
        all.push(format!(
            "It has {references} references and {mappings} mappings."
        ));
    }
    if page.maybe_pinned {
        all.push("It may be pinned for DMA.".into());
    }
    if page.ksm {
        all.push("KSM has merged it with pages of the same content.".into());
    }
    if page.large {
        all.push("It is part of a large folio.".into());
    }
    all
}

fn rmap(page: &Page) -> Option<String> {
    let count = page.mapped_by.len();
    let listed = page.mapped_by.iter().take(LISTED).map(|one| match one.pid {
        0 => format!("a process not visible here at {}", one.address),
        pid => format!("process {pid} at {}", one.address),
    });
    let listed: Vec<_> = listed.collect();
    let more = match count.saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };

    (count > 0).then(|| format!("Mappings: {count}: {}{more}.", listed.join(", ")))
}

fn write(prediction: &Prediction) -> String {
    let action = match prediction.action.as_str() {
        "in-place" => "changes this page in place",
        "copy" => "goes to a copy of the page",
        "fault" => "raises a fault that is handled first",
        "denied" => "is denied",
        other => other,
    };
    format!("The next write {action}{}.", because(prediction))
}

fn fork(prediction: &Prediction) -> String {
    let action = match prediction.action.as_str() {
        "share" => "shares it with the child",
        "copy" => "copies it for the child",
        "skip" => "leaves it out of the child's page table",
        other => other,
    };
    format!("The next fork {action}{}.", because(prediction))
}

fn because(prediction: &Prediction) -> String {
    match prediction.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::explain::{Mapping, anonymous};
    use crate::commands::pages::Slot;
    use crate::exclusive::Exclusive;
    use crate::json::{Addresses, tests::value};
    use crate::page::MappedBy;

    fn facts() -> Facts {
        Facts {
            pid: 7,
            address: "1000".to_string(),
            mapping: Some(Mapping {
                addresses: Addresses::new(0x1000, 0x3000),
                permissions: "rw-p".to_string(),
                name: String::new(),
            }),
            state: "memory",
            frame: Some(0x1234),
            slot: None,
            device: None,
            device_in_doubt: false,
            flags: vec!["soft-dirty"],
            anonymous: Some(anonymous(Exclusive::from_raw(0x8000_0000_0002_0002))),
            page: None,
            sentences: Vec::new(),
        }
    }

    #[test]
    fn page_shared_by_fork() {
        let mut facts = facts();
        facts.page = Some(Page {
            mapped_by: [7, 9]
                .map(|pid| MappedBy {
                    pid,
                    address: "1000".to_string(),
                })
                .into(),
            next_write: Some(Prediction {
                action: "copy".to_string(),
                reason: "two mappings".to_string(),
            }),
            ..Default::default()
        });
        let text = of(&facts).join("\n");
        for part in [
            "a private mapping of anonymous memory",
            "in page frame 1234",
            "It is not exclusive",
            "2 references and 2 mappings",
            "Mappings: 2: process 7 at 1000, process 9 at 1000.",
            "The next write goes to a copy of the page: two mappings.",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
    }

    #[test]
    fn page_in_swap_without_the_module() {
        let facts = Facts {
            state: "swap",
            frame: None,
            slot: Some(Slot { area: 0, offset: 5 }),
            device: Some("/dev/vdb".to_string()),
            anonymous: None,
            flags: Vec::new(),
            ..facts()
        };
        let text = of(&facts);
        assert_eq!(
            text[1],
            "It is in swap, in slot 5 of /dev/vdb (swap type 0)."
        );
        assert_eq!(text.len(), 2);

        let facts = Facts {
            device_in_doubt: true,
            ..facts
        };
        assert_eq!(
            of(&facts)[1],
            "It is in swap, in slot 5 of /dev/vdb (swap type 0, by the order of /proc/swaps)."
        );
    }

    #[test]
    fn json_is_as_the_schema_says() {
        let found = value("explain", &facts());
        assert_eq!(found["schema"], "xpagemap.explain/1");
        assert_eq!(found["mapping"]["start"], "1000");
        assert_eq!(found["anonymous"]["exclusive"], false);
        assert_eq!(found["anonymous"]["references"], 2);
        assert_eq!(
            (&found["state"], &found["frame"]),
            (&"memory".into(), &0x1234.into())
        );
        assert_eq!(found["page"], serde_json::Value::Null);
    }
}
