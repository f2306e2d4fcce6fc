# SPDX-License-Identifier: GPL-2.0
"""table.py pages|times|judge FILE...: tables of what criu-guest.sh wrote; the files' names are those of the kernels.

judge: fails unless each kind of memory was restored on each kernel, from swap, and without a wrong page.
"""

import os
import sys

KINDS = {
    "memfd": "memfd",
    "anonymous": "anonymous, shared",
    "sysv": "System V segment",
    "tmpfs": "file on a tmpfs",
    "tmpfs-unlinked": "the same, unlinked",
    "memfd-private": "private mapping of a memfd",
    "memfd-huge": "memfd with huge pages",
}
KERNELS = ("stock", "patched", "patched, sysctl on")
# CRIU with the patch of examples/criu/.
PATCH = ", with the patch"
EXPECTED = (*KERNELS, "stock" + PATCH, "patched" + PATCH)
HEADER = [
    "memory",
    "kernels",
    "pages",
    "of these in swap",
    "swapped in by the dump",
    "read from the device",
    "shared pages written",
    "images, in pages",
    "pages after restore",
    "wrong",
    "by `lseek()`",
    "by `SHMEM_SCAN`",
]


def rows(paths):
    """A dictionary for each line, with the kernel's name and setting."""
    for path in paths:
        with open(path) as file:
            for line in file:
                words = line.split()
                row = {key: int(value) if value.isdigit() else value for key, value in zip(words[::2], words[1::2])}
                row["kernel"] = os.path.basename(path) + (", sysctl on" if row["sysctl"] == "on" else "")
                # A line that ends early is of a case that failed.
                if "wrong" in row:
                    yield row


def table(header, lines):
    for line in [header, ["---"] * len(header), *lines]:
        print("|", " | ".join(str(cell) for cell in line), "|")


def span(values):
    values = set(values)
    return " to ".join(str(value) for value in sorted({min(values), max(values)})) if values else "-"


def pages(every):
    """A line for each kind, or several if the kernels differ in it."""
    for kind, name in KINDS.items():
        of_kind = [row for row in every if row["kind"] == kind]
        scans = [row["scan"] for row in of_kind if row["scan"] != "-"]
        groups = {}
        for row in of_kind:
            key = row["pages"], row["swapped"], row["swapped"] - row["after"], row["lseek"], row["shared-written"]
            groups.setdefault((*key, row["restored"], row["wrong"]), []).append(row)
        for (has, swapped, back, lseek, written, restored, wrong), group in groups.items():
            kernels = [row["kernel"] for row in group]
            if set(KERNELS) <= set(kernels):
                kernels = ["all", *(kernel for kernel in kernels if kernel not in KERNELS)]
            read = span(row["read"] for row in group)
            images = span(round(row["bytes"] / 4096) for row in group)
            yield name, "; ".join(kernels), has, swapped, back, read, written, images, restored, wrong, lseek, span(scans)


def times(every):
    cpu = {(row["kind"], row["kernel"]): row["cpu"] for row in every}
    for kind, name in KINDS.items():
        if all((kind, kernel) in cpu for kernel in EXPECTED):
            stock, off, on = (cpu[kind, kernel] for kernel in KERNELS)
            lseek, scan = cpu[kind, "stock" + PATCH], cpu[kind, "patched" + PATCH]
            yield name, f"{off / stock:.2f}", f"{on / off:.2f}", f"{scan / lseek:.2f}"


def judge(every):
    found = {(row["kind"], row["kernel"]) for row in every}
    for kernel in EXPECTED:
        for kind in KINDS:
            if (kind, kernel) not in found:
                sys.exit(f"{kind} was not restored on {kernel}")
    for row in every:
        if row["wrong"] or not row["swapped"] or row["lseek"] != row["pages"]:
            sys.exit(f"wrong, or nothing in swap: {row}")
        # Pages that have an image of their own are not counted.
        saved = row["scan"] if row["kernel"] == "patched" + PATCH else row["lseek"]
        if row["shared-written"] not in (0, saved):
            sys.exit(f"not what was to be saved: {row}")


def main():
    every = list(rows(sys.argv[2:]))
    if sys.argv[1] == "pages":
        table(HEADER, pages(every))
    elif sys.argv[1] == "times":
        table(["memory", "patched / stock", "sysctl on / off", "with the patch, patched / stock"], times(every))
    else:
        judge(every)


main()
