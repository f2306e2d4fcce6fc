# SPDX-License-Identifier: GPL-2.0
"""The ioctls of the patches on a mapping of shared memory: numbers of pages, from its start, with content."""

import ctypes
import fcntl
import os
import struct

PAGE = 4096
VECTOR = 512
ALL = 2**64 - 1


def ioctl_number(number, size):
    return 3 << 30 | size << 16 | ord("f") << 8 | number


def scan(fd, number, fields, at, region, start, end):
    """Page numbers in the regions that an ioctl reports; `fields`: its argument for an address and a vector."""
    pages = set()
    first = start
    while start < end:
        vector = ctypes.create_string_buffer(region * VECTOR)
        argument = bytearray(struct.pack(f"{at['fields']}Q", *fields(start, end, ctypes.addressof(vector))))
        count = fcntl.ioctl(fd, ioctl_number(number, len(argument)), argument)
        for i in range(count):
            begins, ends = struct.unpack_from("2Q", vector, i * region)
            pages.update(range((begins - first) // PAGE, (ends - first) // PAGE))
        (start,) = struct.unpack_from("Q", argument, 8 * at["walk_end"])
    return pages


def shmem_scan(fd, size, categories):
    """Pages of a file in any of the categories of SHMEM_SCAN."""
    fields = lambda start, end, vector: (72, 0, start, end, vector, VECTOR, categories, 0, 0)
    return scan(fd, 48, fields, {"fields": 9, "walk_end": 7}, 32, 0, size)


def pagemap_scan(fd, start, end):
    """Pages of a mapping that PAGEMAP_SCAN finds present, swapped or cached."""
    content = 1 << 3 | 1 << 4 | 1 << 10
    fields = lambda start, end, vector: (96, 1 << 2 | 1 << 3, start, end, 0, vector, VECTOR, 0, 0, 0, content, content)
    return scan(fd, 16, fields, {"fields": 12, "walk_end": 4}, 24, start, end)


def pagemap_read(fd, start, end):
    """Pages of a mapping that PAGEMAP_READ finds present, swapped or cached."""
    pages = set()
    at = start
    while at < end:
        vector = (ctypes.c_uint64 * VECTOR)()
        argument = bytearray(struct.pack("7Q", 56, 3, at, end, ctypes.addressof(vector), VECTOR, 0))
        count = fcntl.ioctl(fd, ioctl_number(18, 56), argument)
        pages.update((at - start) // PAGE + i for i in range(count) if vector[i] >> 60 & 0b1101)
        (at,) = struct.unpack_from("Q", argument, 48)
    return pages


def content(fd, size):
    """Pages of a file whose bytes are not all zero."""
    zeroes = bytes(PAGE)
    return {i for i in range(size // PAGE) if os.pread(fd, PAGE, i * PAGE) != zeroes}
