# SPDX-License-Identifier: GPL-2.0
"""A mapping of shared memory under load: pages with data must be told by each scan, wherever they are.

MAPPING is `PID START-END`. The truth is the bytes: pages that are not all zero when the load begins have
content until its end, in memory or in swap.
"""

import os

from scans import content, pagemap_read, pagemap_scan, shmem_scan

CACHED, SWAPPED = 1, 2


class Mapping:
    def __init__(self):
        pid, span = os.environ["MAPPING"].split()
        self.start, self.end = (int(part, 16) for part in span.split("-"))
        self.file = os.open(f"/proc/{pid}/map_files/{span}", os.O_RDONLY)
        self.pagemap = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
        self.size = self.end - self.start
        self.data = content(self.file, self.size)
        self.rounds = 0
        # Pages in swap, at least and at most.
        self.swapped = (self.size, 0)
        self.wrong = []

    def round(self):
        for name, pages in (
            ("SHMEM_SCAN", shmem_scan(self.file, self.size, CACHED | SWAPPED)),
            ("PAGEMAP_SCAN", pagemap_scan(self.pagemap, self.start, self.end)),
            ("PAGEMAP_READ", pagemap_read(self.pagemap, self.start, self.end)),
        ):
            lost = sorted(self.data - pages)
            if lost:
                self.wrong.append(f"{name} has not {len(lost)} pages with data, {lost[:10]}")
        swapped = len(shmem_scan(self.file, self.size, SWAPPED))
        self.swapped = min(self.swapped[0], swapped), max(self.swapped[1], swapped)
        self.rounds += 1

    def done(self):
        if not self.data or not self.swapped[1]:
            self.wrong.append(f"{len(self.data)} pages have data, {self.swapped[1]} were in swap")
        print(self.rounds, len(self.data), *self.swapped)
