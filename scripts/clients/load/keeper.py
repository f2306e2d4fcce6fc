# SPDX-License-Identifier: GPL-2.0
"""A process that has pages in swap which nobody touches: PAGES of a memfd, and as many of its own."""

import ctypes
import mmap
import os
import re
import signal
import struct
import sys

PAGES = 512
PAGEOUT = 21


def swapped_by_smaps(pid, start):
    with open(f"/proc/{pid}/smaps") as smaps:
        mapping = smaps.read().split(f"{start:x}-")[1]
    return int(re.search(r"^Swap: *(\d+)", mapping, re.M)[1]) // 4


def keeper():
    """(PID, [first page of each mapping]), all swapped out, by the kernel's own count."""
    out, into = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(out)
        fd = os.memfd_create(f"keeper-{sys.argv[1]}")
        os.ftruncate(fd, PAGES * 4096)
        both = [mmap.mmap(fd, PAGES * 4096), mmap.mmap(-1, PAGES * 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)]
        for memory in both:
            for i in range(PAGES):
                memory[i * 4096 : i * 4096 + 8] = struct.pack("Q", i + 1)
        starts = [address_of(memory) for memory in both]
        while any(swapped_by_smaps(os.getpid(), start) < PAGES for start in starts):
            for memory in both:
                memory.madvise(PAGEOUT)
        os.write(into, " ".join(map(str, starts)).encode())
        while True:
            signal.pause()
    os.close(into)
    return pid, [int(start) // 4096 for start in os.read(out, 100).split()]


def address_of(memory):
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))
