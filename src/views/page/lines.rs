// SPDX-License-Identifier: GPL-2.0

//! The lines of `PID/page`.

use kernel::{
    mm::{
        folio::{
            FolioFacts,
            FolioFlag, //
        },
        page_state::PageKind,
        virt::flags,
    },
    prelude::*, //
};

use super::{
    facts::Vma,
    fork,
    sharers::Sharer,
    snapshot::Snapshot,
    write, //
};

use crate::{
    files::Text,
    views::run::place, //
};

/// The references of a small folio from which some of them may be pins: `GUP_PIN_COUNTING_BIAS`.
const PIN: u32 = 1024;

/// Appends all lines of a page.
pub(super) fn write(page: &Snapshot, text: &mut Text) -> Result {
    text.append(fmt!("address {:x}\n", page.addr))?;
    if let Some(vma) = &page.vma {
        write_vma(vma, text)?;
    }
    text.append(fmt!("pagemap {:016x}\n", page.pagemap))?;
    text.append(fmt!("exclusive {:016x}\n", page.exclusive))?;
    if page.state.page.kind == PageKind::Present {
        text.append(fmt!("frame {}\n", page.state.page.frame))?;
    }
    if let Some(folio) = &page.folio {
        write_folio(folio.facts(), text)?;
    }
    write_owner(page, text)?;
    if let Some((slot, backing)) = page.slot {
        let (swap_type, offset) = (slot.swap_type, slot.offset);
        let place = place(backing);

        text.append(fmt!("slot {swap_type} {offset} {place}\n"))?;
    }
    for Sharer { pid, addr } in &page.sharers {
        text.append(fmt!("mapped {pid} {addr:x}\n"))?;
    }

    let facts = page.facts();
    let (effect, reason) = write::predict(&facts);
    text.append(fmt!("next-write {} {reason}\n", effect.name()))?;
    let (effect, reason) = fork::predict(&facts);
    text.append(fmt!("next-fork {} {reason}\n", effect.name()))?;

    if page.sharers.len() < page.mappings {
        let (found, all) = (page.sharers.len(), page.mappings);
        text.append(fmt!("# {found} of {all} mappings found\n"))?;
    }
    if page.unstable {
        text.append(fmt!("# the page changed while it was read\n"))?;
    }
    Ok(())
}

fn write_vma(vma: &Vma, text: &mut Text) -> Result {
    let (start, end) = (vma.addresses.start, vma.addresses.end);
    let letter = |flag, letter| if vma.has(flag) { letter } else { '-' };
    let (r, w, x) = (
        letter(flags::READ, 'r'),
        letter(flags::WRITE, 'w'),
        letter(flags::EXEC, 'x'),
    );
    let s = if vma.has(flags::MAYSHARE) { 's' } else { 'p' };

    text.append(fmt!("vma {start:x}-{end:x} {r}{w}{x}{s}\n"))
}

fn write_folio(folio: &FolioFacts, text: &mut Text) -> Result {
    let FolioFacts {
        first_frame,
        order,
        index,
        references,
        mappings,
        ..
    } = folio;
    // Fewer references than a pin adds: there is none.
    let pins = folio.pins.or((folio.references < PIN).then_some(0));

    text.append(fmt!(
        "folio {first_frame} {order} {index} {references} {mappings} "
    ))?;
    match pins {
        Some(pins) => text.append(fmt!("{pins}\n")),
        None => text.append(fmt!("-\n")),
    }
}

/// Appends the line of the object that the page belongs to: `anon_vma` or `file`.
fn write_owner(page: &Snapshot, text: &mut Text) -> Result {
    let anon = match &page.folio {
        Some(folio) => folio.facts().flags.contains(FolioFlag::Anon),
        None => page.is_anon(),
    };

    if anon {
        return if page.is_anon() {
            text.append(fmt!("anon_vma\n"))
        } else {
            Ok(())
        };
    }
    let Some((vma, (major, minor, inode))) =
        page.vma.as_ref().and_then(|vma| Some((vma, vma.file?)))
    else {
        return Ok(());
    };
    let index = vma.index;

    text.append(fmt!("file {major}:{minor}:{inode} {index}\n"))
}
