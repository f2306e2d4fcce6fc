# SPDX-License-Identifier: GPL-2.0
"""qemu-snapshot.py MEMFD DATA QEMU PROGRAM...: rows `PROGRAM | pages saved | pages that differ | of these, of DATA`.

Each PROGRAM is a file in the working directory with the runs that the program told; a snapshot of them is
compared with a full copy of MEMFD. QEMU is the full copy that QEMU wrote itself, DATA what was loaded at AT.
"""

import sys

PAGE = 4096
AT = 16 << 20
# The machine maps video memory and firmware over these addresses: QEMU's own copy has other bytes there.
COVERED = range(0xA0000, 0x100000)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def runs(program):
    with open(program) as lines:
        for line in lines:
            if not line.startswith("total"):
                start, end = (int(part, 16) for part in line.split("-"))
                yield start, end


def different(one, other, start=0, end=None):
    """The offsets of the pages that differ."""
    end = len(other) if end is None else end
    return [at for at in range(start, end, PAGE) if one[at : at + PAGE] != other[at : at + PAGE]]


def main():
    memfd, data, qemu, *programs = sys.argv[1:]
    full = read(memfd)
    loaded = read(data)
    own = read(qemu)
    if len(own) != len(full) or [at for at in different(own, full) if at not in COVERED]:
        sys.exit("QEMU's own copy of the memory is another")
    if full[AT : AT + len(loaded)] != loaded:
        sys.exit("the memory does not have the data that was loaded")
    zeroes = bytes(PAGE)
    content = sum(full[at : at + PAGE] != zeroes for at in range(0, len(full), PAGE))
    with open(memfd, "rb") as file:
        for program in programs:
            saved = bytearray(len(full))
            pages = 0
            for start, end in runs(program):
                file.seek(start)
                saved[start:end] = file.read(end - start)
                pages += (end - start) // PAGE
            wrong = different(saved, full)
            lost = sum(AT <= at < AT + len(loaded) for at in wrong)
            print(program, pages, len(wrong), lost, sep=" | ")
    print("pages not all zero", content, len(full) // PAGE, sep=" | ")


main()
