#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Draws the pictures of README.md into Documentation/: a process with memory in swap, on the
# screen of `xpagemap watch`, and by `xpagemap plot`. tmux is the terminal; rich, from PyPI,
# makes a drawing of the screen. Documentation/costs.svg, where build/bench.json has what `make
# bench` measures; matplotlib, from PyPI, draws it.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/clients/packages.sh
. "$SCRIPTS/clients/packages.sh"

RICH_VERSION=14.1.0
MATPLOTLIB_VERSION=3.10.7
OUT=$BUILD/pictures

rich=$(client_python rich "$RICH_VERSION") || die "no rich"
tmux=$(command -v tmux) || tmux=$(client_packages tmux tmux)/usr/bin/tmux || die "no tmux"
rm -rf "$OUT"
mkdir -p "$OUT"
say "draw the pictures in a guest ..."
LD_LIBRARY_PATH=$(client_libraries "$CACHE/clients/tmux") \
	"$QEMU_DIR/run.sh" -- "$SCRIPTS/pictures/guest.sh" "$OUT" "$PYTHON" "$tmux"
"$rich/bin/python" "$SCRIPTS/pictures/screen.py" "xpagemap watch" <"$OUT/screen" >"$ROOT/Documentation/watch.svg"
cp "$OUT/plot.svg" "$ROOT/Documentation/plot.svg"
drawn="Documentation/watch.svg, Documentation/plot.svg"
matplotlib=$(client_python matplotlib "$MATPLOTLIB_VERSION") || die "no matplotlib"
if "$matplotlib/bin/python" "$SCRIPTS/pictures/costs.py" "$BUILD/bench.json" >"$OUT/costs.svg"; then
	cp "$OUT/costs.svg" "$ROOT/Documentation/costs.svg"
	drawn+=", Documentation/costs.svg"
fi
say "done: $drawn"
