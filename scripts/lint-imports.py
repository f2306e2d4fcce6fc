#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Fails if the modules in the directory given import each other in a circle.

A module is a file. An edge is a `use` of another file's module, or of something in
it. A parent that declares or re-exports (`pub ... use`) its own children imports
nothing. Inline modules, such as those of tests, belong to their file.
"""

import pathlib
import re
import sys

TOKENS = re.compile(r"\bmod\s+(\w+)\s*\{|(?P<use>(?P<pub>\bpub(?:\([^)]*\))?\s+)?\buse\s+(?P<tree>[^;]+);)|[{}]")


def without_comments_and_strings(text):
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'', '""', text, flags=re.S)


def flatten(tree):
    """The paths of a use tree: `a::{b, c::d}` is a::b and a::c::d."""
    tree = tree.strip()
    if "{" not in tree:
        return [re.sub(r"\s+as\s+\w+$", "", tree)]
    prefix, rest = tree.split("{", 1)
    parts, depth, part = [], 0, ""
    for char in rest[: rest.rindex("}")] + ",":
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += char
    return [prefix.strip() + path for part in parts if part.strip() for path in flatten(part)]


def uses(text):
    """Yields (path, is it public, number of inline modules around it)."""
    blocks = []
    for token in TOKENS.finditer(without_comments_and_strings(text)):
        if token.group("use"):
            for path in flatten(token.group("tree")):
                yield path, bool(token.group("pub")), blocks.count("mod")
        elif token.group() == "}":
            if blocks:
                blocks.pop()
        else:
            blocks.append("mod" if token.group(1) else "other")


def resolve(path, module, inline, modules):
    """The file's module that a path leads to, or None where it leads out of the crate."""
    parts = [part.strip() for part in path.split("::")]
    if parts[0] == "crate":
        parts = parts[1:]
    elif parts[0] in ("self", "super"):
        base = list(module)
        while parts and parts[0] in ("self", "super"):
            if parts.pop(0) == "super":
                if inline:
                    inline -= 1
                else:
                    base.pop()
        parts = base + parts
    elif module + (parts[0],) in modules:
        parts = list(module) + parts
    else:
        return None
    while parts and tuple(parts) not in modules:
        parts.pop()
    return tuple(parts)


def imports(root):
    files = {}
    for file in sorted(root.rglob("*.rs")):
        parts = file.relative_to(root).with_suffix("").parts
        files[() if parts[-1] in ("lib", "main") or parts[-1].endswith("_main") else parts] = file
    edges = {module: set() for module in files}
    for module, file in files.items():
        for path, public, inline in uses(file.read_text()):
            target = resolve(path, module, inline, files)
            if target in (None, module, ()):
                continue
            if not (public and target[: len(module)] == module):
                edges[module].add(target)
    return edges


def circle(edges):
    """Some circle as a list of modules, or None."""
    done = set()

    def visit(module, way):
        if module in way:
            return way[way.index(module):] + [module]
        if module in done:
            return None
        for target in sorted(edges[module]):
            found = visit(target, way + [module])
            if found:
                return found
        done.add(module)
        return None

    for module in sorted(edges):
        found = visit(module, [])
        if found:
            return found
    return None


def main():
    status = 0
    for root in sys.argv[1:]:
        found = circle(imports(pathlib.Path(root)))
        if found:
            print(f"{root}: modules import each other: " + " -> ".join("::".join(module) for module in found))
            status = 1
    return status


sys.exit(main())
