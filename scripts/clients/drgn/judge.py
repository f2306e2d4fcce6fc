# SPDX-License-Identifier: GPL-2.0
"""Compares the views that the guest read with what its kernel's memory holds.

judge.py measure RAM SYSTEM_MAP LAYOUT RELEASE OUT    while the guest is quiet
judge.py compare OUT BEFORE AFTER                     rows of a table; exit status 1 if any entry differs
"""

import pickle
import struct
import sys
from collections import Counter, defaultdict


def measure(ram, system_map, layout, release, out):
    from drgn import FaultError
    from kernel import Kernel
    from pages import Reader, tasks, vmas

    kernel = Kernel(ram, system_map, layout, release)
    reader = Reader(kernel)
    shmem_ops = kernel.addresses["shmem_aops"]
    files, processes, mapped, slots, folios = {}, {}, defaultdict(set), defaultdict(set), {}

    def file_of(mapping):
        key = mapping.value_()
        if key not in files:
            inode = mapping.host
            device = inode.i_sb.s_dev.value_()
            name = f"{device >> 20}:{device & 0xFFFFF}:{inode.i_ino.value_()}"
            files[key] = name, inode.i_size.value_(), reader.file_entries(mapping)
        return files[key][2]

    def process(pid, mm):
        leaves = {}
        for address, entry, huge in reader.leaves(mm):
            for sub in range(max(huge, 1)):
                leaves[address + sub * 4096] = entry, sub, bool(huge)
                if entry & 0x101:
                    mapped[reader.frame(entry) + sub].add((pid, address + sub * 4096))
                else:
                    kind, offset = reader.swap_entry(entry)
                    slots[kind, offset + sub].add((pid, address + sub * 4096))
        regions = {}
        for vma in vmas(mm, shmem_ops):
            content = file_of(vma.mapping) if vma.mapping else {}
            for address in range(vma.start, vma.end, 4096):
                entry, sub, huge = leaves.get(address, (0, 0, False))
                hole = content.get(vma.index + (address - vma.start) // 4096)
                regions[address] = (
                    reader.pagemap(vma, entry, sub, hole),
                    reader.exclusive(vma, entry, sub, huge),
                )
                if entry & 0x101:
                    pfn = reader.frame(entry) + sub
                    folios[pfn] = reader.page(pfn)
        return regions

    for pid, mm in tasks(kernel.prog).items():
        try:
            processes[pid] = process(pid, mm)
        except FaultError:
            print(f"process {pid} ended", file=sys.stderr)
    where = {}
    for kind, offset in list(slots) + [e[1:] for f in files.values() for e in f[2].values() if e[0] == "swap"]:
        if kind < 24:
            where[kind, offset] = reader.where(kind, offset)
    with open(out, "wb") as file:
        pickle.dump((processes, list(files.values()), dict(mapped), dict(slots), folios, where, reader.zero), file)


class Score:
    def __init__(self):
        self.equal, self.different, self.changed, self.explained = (Counter() for _ in range(4))
        self.examples = []

    def add(self, view, ours, theirs, before, what, known=False):
        """`before` is the view's first reading, `theirs` its second: both are the same on a quiet system."""
        if before != theirs:
            self.changed[view] += 1
        elif ours == theirs:
            self.equal[view] += 1
        elif known:
            self.explained[view] += 1
        else:
            self.different[view] += 1
            if self.different[view] <= 5:
                self.examples.append(f"{view} {what}: {theirs} is {ours} in memory")


def expand(swapmap):
    """{page or address in pages: (type, offset, WHERE)}"""
    found = {}
    for line in swapmap.splitlines():
        if line.startswith("#"):
            continue
        span, kind, offset, pages, _, where = line.split()
        start, end = (int(part, 16) for part in span.split("-"))
        step = (end - start) // int(pages)
        for i in range(int(pages)):
            found[start + i * step] = int(kind), int(offset) + i, where
    return found


def known_pagemap(mine, theirs, huge, reader, folios):
    """True if only mmap-exclusive differs, and why is known.

    Behind a huge page table entry the kernel tells that of the huge page's first page for all of them.
    Frames that the reader of the views mapped had a mapping more.
    """
    if mine ^ theirs != 1 << 56:
        return False
    frame = theirs & ((1 << 55) - 1)
    if huge:
        return theirs >> 56 & 1 == (folios[folios[frame]["head"]]["mapped"] == 1)
    return frame in reader


def compare_entries(score, pid, ours, before, after, reader, folios):
    names = "PID/pagemap", "PID/exclusive"
    for old, new in zip(before, after):
        for view in (0, 1):
            for i, (first, second) in enumerate(struct.iter_unpack("<QQ", interleave(old[2 + view], new[2 + view]))):
                address = new[0] + i * 4096
                mine = ours.get(address, (0, 0))[view]
                huge = ours.get(address, (0, 0))[1] >> 55 & 1
                known = view == 0 and known_pagemap(mine, second, huge, reader, folios)
                score.add(names[view], f"{mine:016x}", f"{second:016x}", f"{first:016x}", f"{pid} {address:x}", known)


def interleave(old, new):
    words = zip(struct.iter_unpack("<Q", old), struct.iter_unpack("<Q", new))
    return b"".join(struct.pack("<QQ", a, b) for (a,), (b,) in words)


def compare_swapmap(score, view, ours, before, after, what):
    old, new = expand(before), expand(after)
    for key in set(ours) | set(old) | set(new):
        score.add(view, ours.get(key), new.get(key), old.get(key), f"{what} {key:x}")


def page_facts(lines):
    facts, mapped = {}, set()
    for key, *values in map(str.split, lines):
        if key == "mapped":
            mapped.add((int(values[0]), int(values[1], 16)))
        elif key == "frame":
            facts["frame"] = int(values[0])
        elif key == "folio":
            facts["folio"] = int(values[0]), int(values[1]), int(values[3])
        elif key == "slot":
            facts["slot"] = int(values[0]), int(values[1]), values[2]
    return facts, mapped


def compare_pages(score, pages, later, ours, mapped, slots, folios, where, zero):
    """References of files' pages come and go with the processes that read the views."""
    stay = set(pages)
    lasting = lambda mappings: sorted(one for one in mappings if one[0] in stay)
    for pid, sampled in pages.items():
        for address, lines in sampled:
            if any(line.startswith("#") for line in lines):
                continue
            facts, rmap = page_facts(lines)
            if page_facts(later[pid].get(address, []))[0] != facts:
                score.changed["PID/page"] += 1
                continue
            entry = ours[pid].get(address, (0, 0))[0]
            mine, expected = {}, set()
            if entry >> 63:
                pfn = entry & ((1 << 55) - 1)
                mine["frame"] = pfn
                folio = folios.get(pfn)
                if folio and pfn not in zero:
                    mine["folio"] = folio["head"], folio["order"], folio["references"]
                    expected = mapped[pfn]
                    if not folio["anon"]:
                        mine["folio"], facts["folio"] = mine["folio"][:2], facts["folio"][:2]
                facts.pop("slot", None)
            elif entry >> 62 & 1 and entry & 31 < 24:
                key = entry & 31, entry >> 5 & ((1 << 50) - 1)
                mine["slot"] = *key, where.get(key)
                expected = slots.get(key, set())
            score.add("PID/page", str(mine), str(facts), str(facts), f"{pid} {address:x}")
            expected, found = lasting(expected), lasting(rmap)
            score.add("PID/page mapped", expected, found, found, f"{pid} {address:x}")


def compare_file(score, name, size, content, where, before, after):
    filemap = struct.iter_unpack("<QQ", interleave(before[1], after[1]))
    for index, (first, second) in enumerate(filemap):
        entry = content.get(index)
        if entry and entry[0] == "page":
            mine = ("page", entry[1])
        else:
            mine = entry
        if second >> 63:
            theirs = ("page", second & ((1 << 55) - 1))
        elif second >> 62 & 1:
            theirs = ("swap", second & 31, second >> 5 & ((1 << 50) - 1))
        else:
            theirs = None
        score.add("files/filemap", mine, theirs, theirs if first == second else first, f"{name} {index:x}")
    swapped = {index: (*e[1:], where[e[1:]]) for index, e in content.items() if e[0] == "swap"}
    compare_swapmap(score, "files/swapmap", swapped, before[2], after[2], name)


def compare(measured, before, after):
    def load(path):
        with open(path, "rb") as file:
            return pickle.load(file)

    processes, files, mapped, slots, folios, where, zero = load(measured)
    pages, old, old_files, _ = load(before)
    later, new, new_files, reader = load(after)
    score = Score()
    for pid, (regions, swapmap) in new.items():
        ours = processes[pid]
        compare_entries(score, pid, ours, old[pid][0], regions, reader, folios)
        swapped = {}
        for address, (entry, _) in ours.items():
            key = entry & 31, entry >> 5 & ((1 << 50) - 1)
            if entry >> 62 & 1 and key[0] < 24:
                swapped[address] = *key, where[key]
        compare_swapmap(score, "PID/swapmap", swapped, old[pid][1], swapmap, pid)
    compare_pages(score, pages, {pid: dict(sampled) for pid, sampled in later.items()}, processes, mapped, slots, folios, where, zero)
    by_name = {name: (size, content) for name, size, content in files}
    listed = {name for name, (_, content) in by_name.items() if any(e[0] == "swap" for e in content.values())}
    for name in listed | set(new_files):
        score.add("shmem", name in listed or name not in by_name, name in new_files, name in old_files, name)
    for name in listed & set(new_files) & set(old_files):
        compare_file(score, name, *by_name[name], where, old_files[name], new_files[name])
    print(f"processes {len(new)}")
    for view in score.equal | score.different | score.changed:
        print("", view, *(count[view] for count in (score.equal, score.different, score.explained, score.changed)), "", sep=" | ")
    print("\n".join(score.examples), file=sys.stderr)
    return 1 if sum(score.different.values()) or not score.equal["PID/exclusive"] else 0


if __name__ == "__main__":
    if sys.argv[1] == "measure":
        measure(*sys.argv[2:])
    else:
        sys.exit(compare(*sys.argv[2:]))
