#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fails if a crate that the command line is linked with has no licence that GPL-2.0-only
# allows: Apache-2.0 alone does not. Reads the manifests of the locked versions.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

export RUSTC
"$CARGO" metadata --format-version 1 --locked --manifest-path "$ROOT/tools/Cargo.toml" | "$PYTHON" -c '
import json, re, sys

ALLOWED = {"MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unlicense", "0BSD", "GPL-2.0-only",
           "GPL-2.0-or-later", "LGPL-2.1-or-later", "Unicode-3.0"}

def allows(expression):
    """Takes each licence for true if it is allowed, and the expression as it is meant."""
    words = re.findall(r"[()]|[\w.+-]+(?: WITH [\w.+-]+)?", expression.replace("/", " OR "))
    terms = [w if w in "()" else w.lower() if w in ("AND", "OR") else str(w in ALLOWED) for w in words]
    return bool(terms) and eval(" ".join(terms), {"__builtins__": {}})

assert allows("MIT/Apache-2.0") and allows("(MIT OR Apache-2.0) AND Unicode-3.0")
assert not allows("Apache-2.0") and not allows("(MIT OR Apache-2.0) AND Proprietary") and not allows("")

wrong = [p for p in json.load(sys.stdin)["packages"] if not allows(p["license"] or "")]
for package in wrong:
    print(package["name"], package["version"] + ":", package["license"])
sys.exit(bool(wrong))'
