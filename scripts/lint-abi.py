#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Fails if a definition of the ABI differs from that of the patched kernel's header.

The first argument is include/uapi/linux/fs.h; the others are files in C and in Rust that
repeat definitions of it, for systems with older headers. Structures are compared by the
names of their fields, in order; constants and ioctl numbers by their values. Definitions
with a name that the header does not have are not compared.
"""

import pathlib
import re
import sys

# Of the selftests' C header and of kernel headers.
BITS = re.compile(r"\b(?:PM_BIT|BIT|_BITUL|_BITULL)\((\w+)\)")
IOCTL = re.compile(r"^_IOWR\('(.)', (\d+), (?:struct )?(\w+)\)$")


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


def value(text):
    """The number or ioctl that a definition stands for; None for all others."""
    text = text.strip().replace("PROCFS_IOCTL_MAGIC", "'f'")
    if ioctl := IOCTL.match(text):
        return (ioctl[1], int(ioctl[2]), camel(ioctl[3]))
    text = BITS.sub(r"(1 << \1)", text)
    if not re.fullmatch(r"[0-9a-fA-FxXuUlL()<| ]+", text):
        return None
    try:
        return eval(re.sub(r"(?<=[0-9a-fA-F])[uUlL]+\b", "", text), {"__builtins__": {}})
    except SyntaxError:
        return None


def camel(name):
    """struct pm_scan_arg is PmScanArg in Rust."""
    return "".join(part.capitalize() for part in name.split("_")) if name.islower() else name


def definitions(path):
    text = without_comments(path.read_text())
    if path.suffix == ".rs":
        structs = re.findall(r"#\[repr\(C\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))? )?struct (\w+) \{(.*?)\n\}", text, re.S)
        fields = r"(\w+):\s*u64"
        constants = re.findall(r"\bconst ([A-Z]\w+): \w+ = ([^;]+);", text)
    else:
        structs = re.findall(r"\bstruct (\w+) \{(.*?)\n\};", text, re.S)
        fields = r"(\w+)\s*[,;]"
        constants = re.findall(r"^#\s*define\s+([A-Z]\w+)\s+(.+)$", text, re.M)
    found = {camel(name): tuple(re.findall(fields, body)) for name, body in structs}
    for name, text in constants:
        if (number := value(text)) is not None:
            found[name] = number
    return found


def main(header, files):
    truth, compared, wrong = definitions(pathlib.Path(header)), 0, 0
    for file in map(pathlib.Path, files):
        for name, found in definitions(file).items():
            if name not in truth:
                continue
            compared += 1
            if found != truth[name]:
                print(f"{file}: {name} is {found}, in {header} {truth[name]}")
                wrong += 1
    if not compared:
        print("nothing to compare")
    return wrong or not compared


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1], sys.argv[2:]) else 0)
