# SPDX-License-Identifier: GPL-2.0
"""A process with memory of all kinds, for scripts/pictures.sh: prints the first and the last address."""

import ctypes
import mmap
import os
import signal

MADV_PAGEOUT = 21
PAGE = mmap.PAGESIZE
PRIVATE, SHARED = 2048, 2048  # pages


def address(memory):
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def fill(memory, first, last):
    for page in range(first, last):
        memory[page * PAGE : page * PAGE + 8] = (page + 1).to_bytes(8, "little")


def page_out(memory, first, last):
    memory.madvise(MADV_PAGEOUT, first * PAGE, (last - first) * PAGE)


private = mmap.mmap(-1, PRIVATE * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
shared = mmap.mmap(-1, SHARED * PAGE)
private.madvise(mmap.MADV_NOHUGEPAGE)
fill(private, 0, 1800)
fill(shared, 0, 1500)
page_out(shared, 0, 1100)
page_out(private, 300, 1000)
if os.fork() == 0:
    signal.pause()
# Copied, and the child keeps the old ones.
fill(private, 1000, 1300)
addresses = sorted([(address(private), PRIVATE), (address(shared), SHARED)])
print(f"{addresses[0][0]:x} {addresses[-1][0] + addresses[-1][1] * PAGE:x}", flush=True)
signal.pause()
