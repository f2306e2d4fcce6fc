#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""costs.py BENCH.JSON: an SVG of the cost of an entry over the entries per read, as measured."""

import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "xpagemap", "font.size": 9})
from matplotlib import pyplot  # noqa: E402

MEMORIES = ["never touched (hole)", "private, resident", "private, swapped", "shared, resident", "shared, swapped",
            "shared, swapped, 2 MiB folios"]
# Kernel and file, its name, and a line that is told apart without colours.
READERS = [
    (("stock", "/proc/PID/pagemap"), "/proc/PID/pagemap, without the patches", dict(color="#888888", marker="o", linestyle="--")),
    (("patched", "xpagemap/PID/pagemap"), "PID/pagemap", dict(color="#1f77b4", marker="s", linestyle="-")),
    (("patched", "PAGEMAP_READ, both flags"), "PAGEMAP_READ, both flags", dict(color="#d62728", marker="^", linestyle=":")),
]
COSTS = [10, 30, 100, 300, 1000, 3000]
# `QUICK=1` measures fewer sizes of a read: too few for a picture.
BATCHES = 4


def main(path):
    with open(path, encoding="utf-8") as file:
        rows = {(row["kernel"], row["memory"], row["file"]): row["per_page"] for row in json.load(file)["pagemap"]}
    figure, plots = pyplot.subplots(2, 3, figsize=(10, 5.6), sharex=True, sharey=True, layout="constrained")
    for memory, plot in zip(MEMORIES, plots.flat):
        for (kernel, reader), name, style in READERS:
            costs = rows.get((kernel, memory, reader), {})
            if len(costs) < BATCHES:
                sys.exit(f"{path}: no costs of {reader} on {kernel}, {memory}, for {BATCHES} sizes of a read; "
                         "`make bench TESTS=bench` measures them")
            batches = sorted(costs, key=int)
            plot.loglog([int(batch) for batch in batches], [costs[batch] for batch in batches], label=name, markersize=3, **style)
        sizes = [1, 8, 64, 512, 4096, 16384]
        plot.set_xticks(sizes, sizes)
        plot.set_yticks(COSTS, COSTS)
        plot.minorticks_off()
        plot.set_title(memory, fontsize=9)
        plot.grid(True, which="major", linewidth=0.3)
    figure.supxlabel("entries per read")
    figure.supylabel("instructions per entry")
    figure.legend(*plots.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(READERS))
    figure.savefig(sys.stdout.buffer, format="svg", metadata={"Date": None})


main(sys.argv[1])
