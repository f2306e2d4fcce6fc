// SPDX-License-Identifier: GPL-2.0

//! Collects the owners of slots: `PID/swapmap` of all processes, and the files that `shmem` lists.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use anyhow::Result;

use super::origin::Origin;
use super::runs::{self, SlotRun};
use super::sheet::{Entry, Key, Owner};
use crate::interrupt;
use crate::json::Unknown;
use crate::maps;
use crate::select::{self, Process, Targets};
use crate::target::{self, AttachedFile, Target};

/// All owners, or why the module cannot tell them.
///
/// # Errors
///
/// The processes cannot be listed, or a signal arrived.
pub fn owners(unknown: &mut Vec<Unknown>) -> Result<std::result::Result<Vec<Entry>, String>> {
    let everyone = Targets {
        all: true,
        ..Default::default()
    };
    let mut files = BTreeMap::new();
    let mut entries = Vec::new();
    let mut tells_kept = true;

    for process in everyone.now()?.processes {
        interrupt::check()?;
        match select::while_running(process.pid, || read(process.pid)) {
            Ok(Some(Ok(told))) => {
                tells_kept &= told.kept.is_some();
                add_process(process, told, &mut entries, &mut files);
            }
            Ok(Some(Err(why))) => return Ok(Err(why)),
            // It has exited meanwhile.
            Ok(None) => {}
            Err(error) => {
                let why = format!("{error:#}");
                unknown.push(Unknown::new(
                    format!("the slots of process {}", process.pid),
                    why,
                ));
            }
        }
    }
    if !tells_kept {
        unknown.push(Unknown::new(
            "pages in memory that keep their slot",
            "this version of the module has no `kept`",
        ));
    }
    match target::shmem()? {
        Some(list) => add_listed(&list, &mut files),
        None => unknown.push(Unknown::new(
            "shared memory that nobody maps",
            "this version of the module has no `shmem`",
        )),
    }
    entries.extend(files.into_iter().map(|(id, file)| {
        let owner = Owner::File {
            id,
            name: file.name,
            mapped_by: file.mapped_by,
        };
        let mut entry = Entry::new(owner, file.runs);
        entry.has_indexes = file.is_listed;
        entry
    }));
    Ok(Ok(entries))
}

/// The slots of a process.
struct Told {
    swapmap: Vec<SlotRun>,
    /// The slots that its pages in memory keep: [`None`] if this version of the module has no `kept`.
    kept: Option<Vec<Key>>,
}

/// Reads a process, or tells why the module cannot be used here.
///
/// # Errors
///
/// The process has exited, executed another program, or was detached by another caller.
fn read(pid: i32) -> Result<std::result::Result<Told, String>> {
    let target = match Target::attach_if_possible(pid)? {
        Ok(target) => target,
        Err(why) => return Ok(Err(why)),
    };
    let swapmap = runs::swapmap(&target.text("swapmap")?)?;
    let kept = match target.text("kept") {
        Ok(text) => Some(runs::swapmap(&text)?),
        // The target is there, its `kept` is not.
        Err(_) if !target.is_gone() && target.file("swapmap").exists() => None,
        Err(error) => return Err(error),
    };

    Ok(Ok(Told {
        swapmap,
        kept: kept.map(|runs| runs.iter().flat_map(SlotRun::slots).collect()),
    }))
}

#[derive(Default)]
struct File {
    name: String,
    mapped_by: Vec<i32>,
    runs: Vec<SlotRun>,
    is_listed: bool,
}

/// Adds the slots of a process: those of shared memory to the file that is mapped there.
fn add_process(
    process: Process,
    told: Told,
    entries: &mut Vec<Entry>,
    files: &mut BTreeMap<String, File>,
) {
    let (shared, own): (Vec<SlotRun>, Vec<_>) = told.swapmap.iter().partition(|run| run.is_shared);
    let mappings = match shared.is_empty() {
        true => Vec::new(),
        false => maps::mappings(process.pid).unwrap_or_default(),
    };

    for run in shared {
        let mapping = mappings
            .iter()
            .find(|map| (map.start..map.end).contains(&run.start));
        let (id, name) = mapping.map_or_else(
            || ("unknown".to_string(), String::new()),
            |map| (map.file.clone(), map.name.clone()),
        );
        let file = files.entry(id).or_default();
        if !file.mapped_by.contains(&process.pid) {
            file.mapped_by.push(process.pid);
        }
        file.name = name;
        add_new(&mut file.runs, run);
    }
    let owner = Owner::Process {
        pid: process.pid,
        name: process.name,
    };
    let mut entry = Entry::new(owner, own);
    entry.origin = Origin::of(process.pid);
    entry.kept = told.kept.unwrap_or_default();
    entries.push(entry);
}

/// Adds the pages of a run whose slots are not there yet: several processes map the same.
fn add_new(runs: &mut Vec<SlotRun>, run: SlotRun) {
    let mut rest = vec![run];

    for known in runs.iter() {
        let (from, to) = (known.offset, known.offset + known.pages);
        rest = rest
            .into_iter()
            .flat_map(|run| {
                let end = run.offset + run.pages;
                let part = |offset: u64, end: u64| SlotRun {
                    offset,
                    pages: end.saturating_sub(offset),
                    ..run
                };
                match run.area == known.area {
                    true => vec![
                        part(run.offset, end.min(from)),
                        part(run.offset.max(to), end),
                    ],
                    false => vec![run],
                }
            })
            .filter(|run| run.pages > 0)
            .collect();
    }
    runs.extend(rest);
}

/// Takes the runs of the listed files from the files themselves.
fn add_listed(list: &str, files: &mut BTreeMap<String, File>) {
    let listed = runs::shmem(list);
    // The long form of an ID stands for a short one that several files have.
    let short = |id: &str| id.splitn(4, ':').take(3).collect::<Vec<_>>().join(":");
    let mut times: HashMap<String, usize> = HashMap::new();

    for (id, _) in &listed {
        *times.entry(short(id)).or_default() += 1;
    }
    for (id, name) in listed {
        let Some(runs) = file_runs(&id) else {
            // It left the list meanwhile: what its processes showed stays.
            continue;
        };
        let mapped_by = match times.get(&short(&id)) {
            Some(1) => files.remove(&short(&id)).map(|file| file.mapped_by),
            _ => None,
        };
        let file = File {
            name,
            mapped_by: mapped_by.unwrap_or_default(),
            runs,
            is_listed: true,
        };
        files.insert(id, file);
    }
}

/// The runs of a listed file, read again if another caller detached it meanwhile: [`None`] if it is
/// not listed any more.
fn file_runs(id: &str) -> Option<Vec<SlotRun>> {
    for _ in 0..select::ATTEMPTS {
        let file = AttachedFile::by_id(id).ok()?;

        if let Ok(text) = fs::read_to_string(file.file("swapmap")) {
            return runs::swapmap(&text).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swap::runs::Place;

    #[test]
    fn slots_of_a_file_are_counted_once() {
        let run = |offset, pages| SlotRun {
            start: 0,
            area: 0,
            offset,
            pages,
            is_shared: true,
            place: Place::Disk,
        };
        let mut runs = vec![run(10, 5)];
        add_new(&mut runs, run(8, 10));
        let mut slots: Vec<_> = runs
            .iter()
            .flat_map(|run| run.offset..run.offset + run.pages)
            .collect();
        slots.sort_unstable();
        assert_eq!(slots, (8..18).collect::<Vec<_>>());
        add_new(&mut runs, run(9, 3));
        assert_eq!(runs.len(), 3);
    }
}
