# SPDX-License-Identifier: GPL-2.0
"""stress-ng-watch.py readers|check|swap: reads until the file `stop` is there, then prints counts.

A keeper process has PAGES pages of a memfd and as many of its own in swap, and nobody touches them: what is
told of them must be the same at all times. Wrong answers are printed on standard error; exit status 1.
"""

import collections
import ctypes
import errno
import json
import mmap
import os
import re
import signal
import struct
import subprocess
import sys

VIEWS = "/sys/kernel/debug/xpagemap"
GROUP = "/sys/fs/cgroup/stress"
PAGES = 512
PAGEOUT = 21
# A process exits, or executes another program, while its views are open.
EXPECTED = {errno.ENOENT, errno.ESRCH, errno.EIO, errno.EEXIST}


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


def attach(pid):
    with open(f"{VIEWS}/attach", "w") as file:
        file.write(f"{pid}\n")


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
        try:
            attach(pid)
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
            try:
                with open(f"{VIEWS}/detach", "w") as file:
                    file.write(f"{pid}\n")
            except OSError:
                pass

    def round(self):
        with open(f"{GROUP}/cgroup.procs") as procs:
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


class Command:
    """`xpagemap check --all`, or the balance sheet, again and again."""

    def __init__(self, *words):
        self.words = [os.environ["XPAGEMAP"], *words, "--json"]
        self.times = 0
        self.used = 0
        self.worst = (0, 0)
        self.wrong = []
        self.pid, _ = keeper() if words[0] == "swap" else (0, None)

    def round(self):
        run = subprocess.run(self.words, capture_output=True, text=True)
        if run.returncode or run.stderr:
            self.wrong.append(f"{self.words}: {run.returncode} {run.stderr} {run.stdout[:2000]}")
            return
        told = json.loads(run.stdout)
        if "devices" in told:
            self.sheet(told)
        elif told["certain"]:
            self.wrong.append(run.stdout[:2000])
        self.times += 1

    def sheet(self, told):
        own = [owner["alone"] for owner in told["owners"] if owner.get("pid") == self.pid]
        file = [owner["alone"] + owner["shared"] for owner in told["owners"] if "keeper-swap" in str(owner.get("name"))]
        if len(own) != 1 or own[0] < PAGES or file != [PAGES]:
            self.wrong.append(f"the keeper has {PAGES} slots and its file as many, not {own} and {file}")
        unexplained = sum(abs(device["unexplained"]) for device in told["devices"])
        change = told["changed"] + told["moved"]
        if unexplained > change:
            self.wrong.append(f"unexplained: {unexplained} of {told['devices']}, and {change} changed")
        self.used = max(self.used, *(device["used"] for device in told["devices"]))
        self.worst = max(self.worst, (unexplained, change))

    def done(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
        print(self.times, *((self.used, *self.worst) if self.pid else ()))


def main():
    role = sys.argv[1]
    watch = Readers() if role == "readers" else Command("check", "--all") if role == "check" else Command("swap", "--top", "0")
    with open(f"{role}.ready", "w"):
        pass
    while not os.path.exists("stop"):
        watch.round()
    watch.done()
    for line in watch.wrong[:20]:
        print(f"{role}: {line}", file=sys.stderr)
    sys.exit(bool(watch.wrong))


main()
