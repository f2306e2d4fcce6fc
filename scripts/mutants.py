#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""mutants.py [--programs-only] [NUMBER...]: which mutants of src/ do the tests find?

Builds the module with each change of mutants.txt, all of them or those with the numbers,
and loads one after the other in a guest, where the KUnit suites and the programs that cover
the changed code run. A mutant is killed by the first of these that fails; the others survive.
A guest that dies of a mutant has killed it, and another takes the rest. Results are in
build/mutants/results; mutants that have one there are not tried again.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("XPAGEMAP_BUILD", ROOT / "build"))
WORK = BUILD / "mutants"
KUNIT = pathlib.Path("/sys/kernel/debug/kunit")
PROGRAM_SECONDS = 400
UNMUTATED = 0


class Mutant:
    def __init__(self, number, line):
        path, old, new, programs = (part.strip(" ") for part in line.split("~"))
        self.number = number
        self.path = path
        self.old = old.encode().decode("unicode_escape")
        self.new = new.encode().decode("unicode_escape")
        self.programs = programs.split()

    def __str__(self):
        return f"{self.path}: {self.old!r} -> {self.new!r}"


def mutants():
    lines = (ROOT / "scripts/mutants.txt").read_text().splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    return [Mutant(number, line) for number, line in enumerate(lines, 1)]


def module(number):
    return WORK / f"{number}.ko"


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def copy_sources(tree):
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    shutil.copy(ROOT / "Kbuild", tree)
    shutil.copytree(ROOT / "src", tree / "src")


def build(mutant, kdir):
    """Returns whether the module with this change was built."""
    tree = WORK / "tree"
    copy_sources(tree)
    if mutant.number != UNMUTATED:
        path = tree / mutant.path
        text = path.read_text()
        if text.count(mutant.old) != 1:
            sys.exit(f"mutant {mutant.number}: {mutant.old!r} is {text.count(mutant.old)} times in {mutant.path}")
        path.write_text(text.replace(mutant.old, mutant.new))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    command = ["nice", "-n", "5", "make", "-C", kdir, f"M={tree}", f"MO={WORK / 'out'}", "modules"]
    command += output_of("bash", "-c", f". {ROOT}/scripts/common.sh; kernel_make_args").split()
    with open(WORK / f"{mutant.number}.log", "w") as log:
        status = subprocess.run(command, stdout=log, stderr=log, env=environment).returncode
    if status == 0:
        shutil.copy(WORK / "out/src/xpagemap.ko", module(mutant.number))
    return status == 0


def results():
    """The verdict of each mutant so far, by its number."""
    try:
        lines = (WORK / "results").read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {int(number): verdict for number, verdict in (line.split(" ", 1) for line in lines)}


def record(number, verdict):
    with open(WORK / "results", "a") as file:
        file.write(f"{number} {verdict}\n")
        file.flush()
        os.fsync(file.fileno())
    print(f"mutant {number}: {verdict}", flush=True)


def kunit_failures():
    names = (path.parent.name for path in KUNIT.glob("xpagemap_*/results")
             if re.search(r"^ *not ok ", path.read_text(), re.M))
    return sorted(names)


def log_reports():
    """Warnings that the kernel has logged: its taint tells of them."""
    return int(pathlib.Path("/proc/sys/kernel/tainted").read_text()) & (1 << 5 | 1 << 7 | 1 << 9 | 1 << 14)


def verdict_of(mutant):
    """Loads a mutant, in the guest, and runs what covers it."""
    subprocess.run(["rmmod", "xpagemap"])
    if subprocess.run(["insmod", str(module(mutant.number))]).returncode:
        return "killed by insmod"
    failures = kunit_failures()
    if failures:
        return f"killed by kunit {' '.join(failures)}"
    environment = dict(os.environ, XPAGEMAP_MODULE=str(module(mutant.number)))
    for name in mutant.programs:
        command = ["timeout", "--kill-after=10", str(PROGRAM_SECONDS), f"{BUILD}/selftests/{name}"]
        with open(WORK / f"{mutant.number}.{name}", "w") as out:
            status = subprocess.run(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=ROOT,
                                    env=environment).returncode
        detach_all()
        if status:
            return f"killed by {name}"
        if log_reports():
            return f"killed by the kernel log, in {name}"
    return "survived"


def detach_all():
    directory = pathlib.Path("/sys/kernel/debug/xpagemap")
    for kind, names in (("detach", directory.glob("[0-9]*")), ("detach_fd", directory.glob("files/*"))):
        for path in list(names):
            try:
                (directory / kind).write_text(path.name)
            except OSError:
                pass


def in_guest(numbers):
    for mutant in mutants():
        if mutant.number in numbers:
            (WORK / "current").write_text(str(mutant.number))
            record(mutant.number, verdict_of(mutant))
            if log_reports():
                # Another guest takes the rest.
                return


def run_guests(numbers):
    me = pathlib.Path(__file__).resolve()
    while left := [number for number in numbers if number not in results()]:
        (WORK / "current").unlink(missing_ok=True)
        subprocess.run([ROOT / "qemu/run.sh", "--kernel", "patched", "--no-build", "--nodes", "2", "--timeout", "7200",
                        "--", "env", f"XPAGEMAP_BUILD={BUILD}", "python3", str(me), "--in-guest", *map(str, left)])
        if all(number not in results() for number in left):
            current = WORK / "current"
            if not current.exists():
                sys.exit("the guest did not start")
            record(int(current.read_text()), "killed by the guest's end")


def report(numbers):
    known = results()
    all_mutants = [mutant for mutant in mutants() if mutant.number in numbers]
    killed = [m for m in all_mutants if known.get(m.number, "").startswith("killed")]
    survived = [m for m in all_mutants if known.get(m.number) == "survived"]
    for mutant in survived:
        print(f"survived: {mutant.number}: {mutant}")
    tried = len(killed) + len(survived)
    print(f"{tried} mutants, {len(killed)} killed, {len(survived)} survived: {100 * len(killed) // max(tried, 1)} %")


def main(arguments):
    numbers = [int(number) for number in arguments] or [mutant.number for mutant in mutants()]
    WORK.mkdir(parents=True, exist_ok=True)
    kdir = output_of(ROOT / "qemu/build.sh", "--kdir", "patched")
    for mutant in mutants():
        known = results().get(mutant.number) is not None or module(mutant.number).exists()
        if mutant.number not in numbers or known:
            continue
        start = time.monotonic()
        if build(mutant, kdir):
            print(f"mutant {mutant.number}: built in {time.monotonic() - start:.0f} s", flush=True)
        else:
            record(mutant.number, f"not built, see {mutant.number}.log")
    run_guests([number for number in numbers if module(number).exists()])
    report(numbers)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in-guest"]:
        in_guest([int(number) for number in sys.argv[2:]])
    else:
        main(sys.argv[1:])
