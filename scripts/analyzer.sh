#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Writes rust-project.json, from which rust-analyzer knows the module's crates. tools/
# and models/ are Cargo projects, which rust-analyzer reads as they are.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

"$QEMU_DIR/build.sh" patched
mapfile -t MAKE_ARGS < <(kernel_make_args)
work "describe the module for rust-analyzer" "$BUILD/log/rust-analyzer.log" \
	make -C "$("$QEMU_DIR/build.sh" --kdir patched)" "${MAKE_ARGS[@]}" M="$ROOT" MO="$BUILD/module-patched" rust-analyzer
[ -s "$BUILD/module-patched/rust-project.json" ] || die "no rust-project.json: see $BUILD/log/rust-analyzer.log"
cp "$BUILD/module-patched/rust-project.json" "$ROOT/rust-project.json"
cat <<-END
	rust-project.json is written. An editor that takes just one project of a directory
	is told of all of them by the setting
	  "rust-analyzer.linkedProjects": ["rust-project.json", "tools/Cargo.toml", "models/Cargo.toml"]
END
