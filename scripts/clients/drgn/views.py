#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reads the module's views of processes and shared memory files, in the guest, into a file.

views.py FILE SAMPLES PID...: SAMPLES pages of each process are also looked at by PID/page.
"""

import pickle
import re
import struct
import sys

DIR = "/sys/kernel/debug/xpagemap"


def write(name, text):
    with open(f"{DIR}/{name}", "w") as file:
        file.write(f"{text}\n")


def maps(pid):
    with open(f"/proc/{pid}/maps") as lines:
        for line in lines:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if start < 1 << 47 and not re.search(r"\[(vvar|vdso|vvar_vclock)\]", line):
                yield start, end


def entries(path, start, end):
    with open(path, "rb", buffering=0) as file:
        file.seek(start // 4096 * 8)
        data = b""
        while len(data) < (end - start) // 4096 * 8:
            more = file.read((end - start) // 4096 * 8 - len(data))
            if not more:
                break
            data += more
    return data


def page(pid, addresses):
    with open(f"{DIR}/{pid}/page", "r+", buffering=1) as file:
        for address in addresses:
            file.seek(0)
            file.write(f"{address:x}\n")
            file.flush()
            file.seek(0)
            yield address, file.read().splitlines()


def populated(regions):
    for start, _, pagemap, exclusive in regions:
        for i in range(0, len(pagemap), 8):
            if pagemap[i + 7] & 0xE0 or exclusive[i + 7] & 0xE0:
                yield start + i // 8 * 4096


def process(pid):
    regions = [
        (start, end, entries(f"{DIR}/{pid}/pagemap", start, end), entries(f"{DIR}/{pid}/exclusive", start, end))
        for start, end in maps(pid)
    ]
    with open(f"{DIR}/{pid}/swapmap") as file:
        return regions, file.read()


def sample(pid, samples):
    addresses = list(populated(process(pid)[0]))
    return list(page(pid, addresses[:: max(1, len(addresses) // samples)]))


def shared_files():
    with open(f"{DIR}/shmem") as file:
        listed = [line.split(None, 5) for line in file if not line.startswith("#")]
    for name, pages, *_ in listed:
        write("attach_file", name)
        with open(f"{DIR}/files/{name}/filemap", "rb", buffering=0) as file:
            filemap = b"".join(iter(lambda: file.read(1 << 16), b""))
        texts = [open(f"{DIR}/files/{name}/{text}").read() for text in ("swapmap", "summary")]
        write("detach_fd", name)
        yield name, (int(pages), filemap, *texts)


def own_frames():
    """Frames that this process maps: it is a mapping more of the libraries that all use."""
    frames = set()
    with open("/proc/self/pagemap", "rb", buffering=0) as file:
        for start, end in maps("self"):
            file.seek(start // 4096 * 8)
            data = file.read((end - start) // 4096 * 8)
            frames |= {entry & ((1 << 55) - 1) for (entry,) in struct.iter_unpack("<Q", data) if entry >> 63}
    return frames


def main():
    out, samples, *pids = sys.argv[1:]
    for pid in pids:
        write("attach", pid)
    # PID/page first: it moves pages out of the LRU's batches, which changes references.
    pages = {int(pid): sample(pid, int(samples)) for pid in pids}
    processes = {int(pid): process(pid) for pid in pids}
    for pid in pids:
        write("detach", pid)
    with open(out, "wb") as file:
        pickle.dump((pages, processes, dict(shared_files()), own_frames()), file)


main()
