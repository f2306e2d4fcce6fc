#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fails if a crate that the command line is linked with has no licence that GPL-2.0-only
# allows: Apache-2.0 alone does not. Reads the manifests of the locked versions.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

export RUSTC
# tree, not metadata: the lock file also has crates of features that are off.
"$CARGO" tree --locked --manifest-path "$ROOT/tools/Cargo.toml" --target all --edges normal,build,dev \
	--prefix none --no-dedupe --format '{p}|{l}' | "$PYTHON" -c '
import re, sys

ALLOWED = {"MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unlicense", "0BSD", "GPL-2.0-only",
           "GPL-2.0-or-later", "LGPL-2.1-or-later", "Unicode-3.0", "BSL-1.0"}

def allows(expression):
    """Takes each licence for true if it is allowed, and the expression as it is meant."""
    words = re.findall(r"[()]|[\w.+-]+(?: WITH [\w.+-]+)?", expression.replace("/", " OR "))
    terms = [w if w in "()" else w.lower() if w in ("AND", "OR") else str(w in ALLOWED) for w in words]
    return bool(terms) and eval(" ".join(terms), {"__builtins__": {}})

assert allows("MIT/Apache-2.0") and allows("(MIT OR Apache-2.0) AND Unicode-3.0")
assert not allows("Apache-2.0") and not allows("(MIT OR Apache-2.0) AND Proprietary") and not allows("")

packages = sorted({line.strip() for line in sys.stdin if line.strip()})
wrong = [package for package in packages if not allows(package.rsplit("|", 1)[1])]
print(*wrong, sep="\n", end="")
sys.exit(bool(wrong) or not packages)'
