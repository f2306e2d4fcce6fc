# SPDX-License-Identifier: GPL-2.0
"""Reads all views of the load's processes, and of a keeper, whose entries must stay the same."""

import collections
import errno
import os
import signal
import struct

from keeper import PAGES, keeper

VIEWS = "/sys/kernel/debug/xpagemap"
# A process exits, or executes another program, while its views are open.
EXPECTED = {errno.ENOENT, errno.ESRCH, errno.EIO, errno.EEXIST}


def attach(pid):
    with open(f"{VIEWS}/attach", "w") as file:
        file.write(f"{pid}\n")


def detach(pid):
    """Fails quietly: the target of a process that executed another program may have been replaced."""
    try:
        with open(f"{VIEWS}/detach", "w") as file:
            file.write(f"{pid}\n")
    except OSError:
        pass


def entries(path, first):
    with open(path, "rb") as file:
        file.seek(first * 8)
        return file.read(PAGES * 8)


class Readers:
    def __init__(self):
        self.pid, self.starts = keeper()
        attach(self.pid)
        self.slots = [entries(f"{VIEWS}/{self.pid}/pagemap", start) for start in self.starts]
        self.counts = collections.Counter(rounds=0, bytes=0)
        self.wrong = []

    def hold(self, what, told, right):
        if told != right:
            self.wrong.append(f"{what} of the keeper: {told}, not {right}")

    def keeper_is_the_same(self):
        for start, slots in zip(self.starts, self.slots):
            for path in (f"{VIEWS}/{self.pid}/pagemap", f"/proc/{self.pid}/pagemap"):
                self.hold(path, entries(path, start), slots)
            swapped = sum(entry >> 62 == 1 for (entry,) in struct.iter_unpack("Q", slots))
            self.hold("pages in swap", swapped, PAGES)
        with open(f"{VIEWS}/slots", "rb") as slots:
            for (entry,) in struct.iter_unpack("Q", b"".join(self.slots)):
                slots.seek(((entry & 31) << 32 | entry >> 5 & (1 << 50) - 1) * 8)
                self.hold("slots", slots.read(8) != bytes(8), True)
        with open(f"{VIEWS}/{self.pid}/swapmap") as swapmap:
            runs = [line.split() for line in swapmap if not line.startswith("#")]
        for start in self.starts:
            pages = sum(int(run[3]) for run in runs if start <= int(run[0].split("-")[0], 16) >> 12 < start + PAGES)
            self.hold("swapmap", pages, PAGES)

    def read(self, pid):
        attached = False
        try:
            attach(pid)
            attached = True
            for view in ("summary", "swapmap", "kept", "violations"):
                with open(f"{VIEWS}/{pid}/{view}") as file:
                    text = file.read()
                self.counts["bytes"] += len(text)
                if view == "violations":
                    self.wrong += [f"{pid}: {line}" for line in text.splitlines() if line[0] != "#" and "suspected" not in line]
            with open(f"/proc/{pid}/maps") as maps:
                spans = [[int(part, 16) // 4096 for part in line.split()[0].split("-")] for line in maps]
            for view in ("pagemap", "exclusive"):
                for start, end in spans:
                    with open(f"{VIEWS}/{pid}/{view}", "rb") as file:
                        if start < 1 << 35:
                            file.seek(start * 8)
                            self.counts["bytes"] += len(file.read((end - start) * 8))
            if not spans:
                return
            with open(f"{VIEWS}/{pid}/page", "r+b", buffering=0) as file:
                file.write(f"{spans[self.counts['rounds'] % len(spans)][0] << 12:x}".encode())
                self.counts["bytes"] += len(file.read(4096))
        except OSError as error:
            self.counts[errno.errorcode[error.errno]] += 1
            if error.errno not in EXPECTED:
                self.wrong.append(f"{pid}: {error}")
        finally:
            # Another watcher's target is left to it.
            if attached:
                detach(pid)

    def round(self):
        with open(f"{os.environ['GROUP']}/cgroup.procs") as procs:
            pids = procs.read().split()
        for pid in pids:
            if os.path.exists("stop"):
                return
            self.read(pid)
        self.keeper_is_the_same()
        with open(f"{VIEWS}/shmem") as shmem:
            self.counts["bytes"] += len(shmem.read())
        self.counts["rounds"] += 1

    def done(self):
        os.kill(self.pid, signal.SIGKILL)
        print(self.counts.pop("rounds"), self.counts.pop("bytes"), *(f"{k}={v}" for k, v in self.counts.items()))
