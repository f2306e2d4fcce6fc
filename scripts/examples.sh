#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the examples: those in C are build/examples/NAME, those in Rust
# build/examples/target/release/NAME.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

export RUSTC CARGO_TARGET_DIR=$BUILD/examples/target
work "build the examples in C" "$BUILD/log/examples-c.log" \
	make -C "$ROOT/examples" OUTPUT="$BUILD/examples" CC="$(llvm_tool clang)"
work "build the examples in Rust" "$BUILD/log/examples-rust.log" \
	"$CARGO" build --release --locked --manifest-path "$ROOT/examples/rust/Cargo.toml"
