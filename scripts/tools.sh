#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the command line, build/tools/release/xpagemap.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

export RUSTC CARGO_TARGET_DIR=$BUILD/tools
work "build the command line" "$BUILD/log/tools.log" \
	"$CARGO" build --release --locked --manifest-path "$ROOT/tools/Cargo.toml"
