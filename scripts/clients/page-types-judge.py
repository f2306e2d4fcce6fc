# SPDX-License-Identifier: GPL-2.0
"""page-types-judge.py PROGRAM PID...: rows `FACT | pages | different | ...`, page-types against the module.

PROGRAM lists the pages of each process twice, with vm.pagemap_shmem_swap off and on. It knows of
/proc/PID/pagemap, /proc/kpageflags and /proc/kpagecount; PID/pagemap and PID/exclusive are ours.
Exit status 1 if they differ.
"""

import collections
import re
import struct
import subprocess
import sys

VIEWS = "/sys/kernel/debug/xpagemap"
SYSCTL = "/proc/sys/vm/pagemap_shmem_swap"
PMD_PAGES = 512
FLAGS = ["softdirty", "file", "swap", "mmap_exclusive", "anonymous", "anon_exclusive"]
FLAGS += ["ksm", "zero_page", "compound_head", "compound_tail", "swapcache"]

Page = collections.namedtuple("Page", "offset count flags")


def flag_columns(program):
    """Where page-types writes each flag's letter, as it says itself."""
    columns = {}
    for name in FLAGS:
        # "swap" alone would be taken for the beginning of "swapcache".
        flag = hex(1 << 62) if name == "swap" else name
        said = subprocess.run([program, "-d", flag], capture_output=True, text=True).stdout.split()
        if said[2] != name:
            sys.exit(f"page-types -d {flag}: {said}")
        columns[name] = re.search("[^_]", said[1]).start()
    return columns


def listed(program, columns, pid):
    """Its pages by number, as page-types lists them."""
    output = subprocess.run([program, "-p", pid, "-r", "-L", "-M", "-N"], capture_output=True, text=True, check=True)
    pages = {}
    for line in output.stdout.splitlines():
        words = line.split("\t")
        if len(words) == 4 and re.fullmatch("[0-9a-f]+", words[0]):
            flags = {name for name in FLAGS if words[3][columns[name]] != "_"}
            pages[int(words[0], 16)] = Page(int(words[2], 16), int(words[1]), flags)
    return pages


def ours(pid):
    """Its pages by number, as entries (pagemap, exclusive); what is in neither is left out."""
    pages = {}
    with open(f"/proc/{pid}/maps") as maps:
        spans = [[int(part, 16) // 4096 for part in line.split()[0].split("-")] for line in maps]
    with open(f"{VIEWS}/{pid}/pagemap", "rb") as pagemap, open(f"{VIEWS}/{pid}/exclusive", "rb") as exclusive:
        for start, end in spans:
            if start >= 1 << 47 - 12:
                continue
            columns = []
            for file in (pagemap, exclusive):
                file.seek(start * 8)
                columns.append(struct.unpack(f"{end - start}Q", file.read((end - start) * 8)))
            # Present or in swap: page-types lists no others.
            pages.update((start + i, pair) for i, pair in enumerate(zip(*columns)) if pair[0] >> 62)
    return pages


def bit(entry, number):
    return bool(entry >> number & 1)


def facts(page, first, pagemap, exclusive):
    """(fact, page-types, the module): `first` is the first page's flags, if a PMD maps the page."""
    flags = page.flags
    offset = pagemap & (1 << 55) - 1
    present = bit(pagemap, 63)
    yield "frame number, or swap offset", page.offset, offset if present else offset >> 5
    yield "soft-dirty", "softdirty" in flags, bit(pagemap, 55)
    yield "mmap-exclusive", "mmap_exclusive" in flags, bit(pagemap, 56)
    yield "of a file, or shared", "file" in flags, bit(pagemap, 61)
    yield "in swap", "swap" in flags, bit(pagemap, 62)
    if not present:
        return
    yield "zero page", "zero_page" in flags, bit(exclusive, 52)
    if "zero_page" in flags:
        return
    yield "anonymous", "anonymous" in flags, not bit(exclusive, 61)
    yield "part of a large folio", bool({"compound_head", "compound_tail"} & flags), bit(exclusive, 56)
    if "anonymous" in flags:
        # The bit of a huge page that a PMD maps is its first page's.
        yield "exclusive", "anon_exclusive" in (first if bit(exclusive, 55) else flags), bit(exclusive, 60)
        yield "merged by KSM", "ksm" in flags, bit(exclusive, 57)
        yield "in the swap cache", "swapcache" in flags, bit(exclusive, 54)
        yield "map count", page.count, exclusive & 0xFFFF


def judge(program, columns, pid, tally, sysctl):
    """Adds to `tally`; returns the numbers of pages only one of the two has."""
    with open(SYSCTL, "w") as file:
        file.write(f"{sysctl}\n")
    before = ours(pid)
    theirs = listed(program, columns, pid)
    after = ours(pid)
    stable = {number for number in before.keys() | after.keys() if before.get(number) == after.get(number)}
    tally["changed meanwhile"][0] += len(before.keys() | after.keys()) - len(stable)
    for number in sorted(stable & theirs.keys()):
        head = theirs.get(number // PMD_PAGES * PMD_PAGES)
        for fact, told, known in facts(theirs[number], head.flags if head else set(), *before[number]):
            row = tally[fact]
            row[0] += 1
            row[1] += bool(known)
            row[2] += told != known
            if told != known and row[2] <= 5:
                print(f"{pid} {number:x}000: {fact}: {told}, not {known}", file=sys.stderr)
    missing = stable - theirs.keys()
    shared = {number for number in missing if before[number][0] >> 61 == 3}
    return len(shared), len(missing - shared), len(theirs.keys() - before.keys() - after.keys())


def main():
    program, *pids = sys.argv[1:]
    columns = flag_columns(program)
    tally = collections.defaultdict(lambda: [0, 0, 0])
    lost = {0: [0, 0, 0], 1: [0, 0, 0]}
    in_swap = 0
    for pid in pids:
        with open(f"{VIEWS}/attach", "w") as file:
            file.write(f"{pid}\n")
        for sysctl in (0, 1):
            lost[sysctl] = [a + b for a, b in zip(lost[sysctl], judge(program, columns, pid, tally, sysctl))]
        with open(f"{VIEWS}/{pid}/swapmap") as runs:
            words = [line.split() for line in runs if not line.startswith("#")]
        in_swap += sum(int(run[3]) for run in words if run[4] == "shmem")
    changed = tally.pop("changed meanwhile")[0]
    for fact, row in tally.items():
        print(fact, *row, sep=" | ")
    print("---")
    for sysctl in (0, 1):
        print(["off", "on"][sysctl], *lost[sysctl], sep=" | ")
    print(f"changed {changed}")
    # Each fact was so somewhere; of the swap cache that depends on reclaim.
    good = not any(row[2] for row in tally.values()) and all(row[1] for fact, row in tally.items() if "cache" not in fact)
    good = good and in_swap > 0 and lost == {0: [in_swap, 0, 0], 1: [0, 0, 0]} and changed < 100
    if not good:
        print(f"in swap by swapmap {in_swap}, {lost}", file=sys.stderr)
    sys.exit(not good)


main()
