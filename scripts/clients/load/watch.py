# SPDX-License-Identifier: GPL-2.0
"""watch.py readers|check|swap|mapping: reads until the file `stop` is there, then prints counts.

Watches the load in the cgroup GROUP. Wrong answers are printed on standard error; exit status 1.
"""

import json
import os
import signal
import subprocess
import sys

from keeper import PAGES, keeper
from mapping import Mapping
from readers import Readers


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


ROLES = {
    "readers": Readers,
    "check": lambda: Command("check", "--all"),
    "swap": lambda: Command("swap", "--top", "0"),
    "mapping": Mapping,
}


def main():
    role = sys.argv[1]
    watch = ROLES[role]()
    with open(f"{role}.ready", "w"):
        pass
    while not os.path.exists("stop"):
        watch.round()
    watch.done()
    for line in watch.wrong[:20]:
        print(f"{role}: {line}", file=sys.stderr)
    sys.exit(bool(watch.wrong))


main()
