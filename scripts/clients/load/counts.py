# SPDX-License-Identifier: GPL-2.0
"""counts.py PID START-END: pages in swap of a mapping of shared memory, by each interface, while GROUP is frozen.

Lines `BY | PAGES`; the first is the kernel's own count. Then the entries of the mapping in all processes of GROUP,
by the module and by /proc. Exit status 1 if one differs.
"""

import json
import os
import re
import struct
import subprocess
import sys

from readers import VIEWS, attach
from scans import shmem_scan

SWAPPED = 2


def read(path):
    with open(path) as file:
        return file.read()


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def lines(path):
    return [line.split() for line in read(path).splitlines() if not line.startswith("#")]


def entries(path, start, end):
    with open(path, "rb") as file:
        file.seek(start // 4096 * 8)
        return struct.unpack(f"{(end - start) // 4096}Q", file.read((end - start) // 512))


def in_swap(told):
    return sum(entry >> 62 == 1 for entry in told)


def sheet():
    run = subprocess.run([os.environ["XPAGEMAP"], "swap", "--top", "0", "--json"], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def counts(pid, span, owners):
    """(BY, PAGES) by each interface; `owners` are those of the sheet."""
    start, end = (int(part, 16) for part in span.split("-"))
    fd = os.open(f"/proc/{pid}/map_files/{span}", os.O_RDONLY)
    stat = os.fstat(fd)
    name = f"{os.major(stat.st_dev)}:{os.minor(stat.st_dev)}:{stat.st_ino}"
    mapping = read(f"/proc/{pid}/smaps").split(span)[1]
    yield "`/proc/PID/smaps`, the kernel's own count", int(re.search(r"^Swap: *(\d+)", mapping, re.M)[1]) // 4
    yield "`SHMEM_SCAN`", len(shmem_scan(fd, end - start, SWAPPED))
    yield "`shmem`", sum(int(line[3]) for line in lines(f"{VIEWS}/shmem") if line[0] == name)
    attach(pid)
    runs = lines(f"{VIEWS}/{pid}/swapmap")
    write(f"{VIEWS}/detach", f"{pid}\n")
    yield "`PID/swapmap`", sum(int(run[3]) for run in runs if start <= int(run[0].split("-")[0], 16) < end)
    yield "`/proc/PID/pagemap`, `vm.pagemap_shmem_swap=1`", in_swap(entries(f"/proc/{pid}/pagemap", start, end))
    yield "`xpagemap swap`", sum(owner["alone"] + owner["shared"] for owner in owners if owner.get("id") == name)


def different(span):
    """(entries, of these different) of the mapping in all processes of the group."""
    start, end = (int(part, 16) for part in span.split("-"))
    total = wrong = 0
    for pid in read(f"{os.environ['GROUP']}/cgroup.procs").split():
        if f"{span} rw-s" in read(f"/proc/{pid}/maps"):
            attach(pid)
            both = zip(entries(f"{VIEWS}/{pid}/pagemap", start, end), entries(f"/proc/{pid}/pagemap", start, end))
            wrong += sum(one != other for one, other in both)
            total += (end - start) // 4096
            write(f"{VIEWS}/detach", f"{pid}\n")
    return total, wrong


def main():
    pid, span = sys.argv[1:]
    start, end = (int(part, 16) for part in span.split("-"))
    told = sheet()
    used, unexplained = (sum(abs(device[key]) for device in told["devices"]) for key in ("used", "unexplained"))
    print("frozen-sheet", used, unexplained)
    pages = dict(counts(pid, span, told["owners"]))
    for by, count in pages.items():
        print(f"count {by} | {count}")
    write("/proc/sys/vm/pagemap_shmem_swap", "0\n")
    print(f"count `/proc/PID/pagemap`, the sysctl off | {in_swap(entries(f'/proc/{pid}/pagemap', start, end))}")
    write("/proc/sys/vm/pagemap_shmem_swap", "1\n")
    total, wrong = different(span)
    print("entries", total, wrong)
    differ = wrong or not total or not all(pages.values()) or len(set(pages.values())) != 1
    if unexplained:
        print(f"unexplained: {told['devices']}", file=sys.stderr)
    if differ:
        print(f"different: {pages}, {wrong} of {total} entries", file=sys.stderr)
    sys.exit(bool(unexplained or differ))


main()
