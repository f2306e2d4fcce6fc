#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every checker there is for what is in the repository; all run, then it fails
# if one of them found something.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/patches.sh
. "$SCRIPTS/patches.sh"

FOUND=()

# check NAME COMMAND...: silent where the checker is content.
check() {
	local name=$1 log=$BUILD/log/lint-$1.log
	shift
	if "$@" >"$log" 2>&1; then
		say "lint: $name: clean"
	else
		say "lint: $name:"
		cat "$log" >&2
		FOUND+=("$name")
	fi
}

# From the source tree, which is no git repository: where there is one around it,
# checkpatch takes it for the kernel's.
checkpatch() { (cd "$KSRC" && perl scripts/checkpatch.pl --strict --quiet --show-types "$@"); }

check_patches() {
	local patch status=0
	for patch in "${PATCHES[@]}"; do
		# New files below a directory that MAINTAINERS names need no line of their own;
		# and without a git repository, every commit that is named is unknown.
		checkpatch --ignore FILE_PATH_CHANGES,UNKNOWN_COMMIT_ID --root="$KSRC" "$patch" || { echo "in $(patch_name "$patch")"; status=1; }
	done
	return $status
}

check_c() {
	local file status=0
	for file in "$ROOT"/selftests/*.h "$ROOT"/selftests/*/*.[ch]; do
		[ ! -e "$file" ] || checkpatch --no-tree -f "$file" || status=1
	done
	return $status
}

check_module() {
	make -C "$KDIR" "${MAKE_ARGS[@]}" W=1 CLIPPY=1 KRUSTFLAGS=-Dwarnings \
		M="$ROOT" MO="$BUILD/module-lint" modules &&
		! grep -E '^(warning|error)' "$BUILD/log/lint-clippy-module.log"
}

# check_crate NAME DIR: a crate of the host's.
check_crate() {
	local manifest=$ROOT/$2/Cargo.toml
	export CARGO_TARGET_DIR=$BUILD/$1-lint
	check "rustfmt-$1" "$CARGO" fmt --check --manifest-path "$manifest"
	check "clippy-$1" "$CARGO" clippy --locked --all-targets --manifest-path "$manifest" -- -D warnings
}

shell_scripts() {
	git -C "$ROOT" ls-files -co --exclude-standard | while read -r file; do
		[ ! -f "$ROOT/$file" ] || ! head -n 1 "$ROOT/$file" | grep -qE '^#!.*[ /](ba)?sh$' || echo "$ROOT/$file"
	done
}

cd "$ROOT"
"$SCRIPTS/deps.sh" --lint
"$QEMU_DIR/build.sh" patched
KSRC=$("$QEMU_DIR/build.sh" --source patched)
KDIR=$("$QEMU_DIR/build.sh" --kdir patched)
mapfile -t MAKE_ARGS < <(kernel_make_args)
mapfile -t PATCHES < <(variant_patches patched; variant_patches rfc)
mapfile -t MODULE_SOURCES < <(find src -name "*.rs" | sort)
mapfile -t SHELL_SCRIPTS < <(shell_scripts)
# cargo takes cargo-clippy and cargo-fmt from PATH: its own, not another toolchain's.
PATH=$(dirname "$CARGO"):$PATH
export PATH RUSTC RUSTFMT
mkdir -p "$BUILD/log"

check rustfmt-module "$RUSTFMT" --check --edition 2021 --config-path "$KSRC/.rustfmt.toml" "${MODULE_SOURCES[@]}"
rm -rf "$BUILD/module-lint"
check clippy-module check_module
check_crate tools tools
check_crate models models
check series "$SCRIPTS/each.sh" --apply
[ ${#PATCHES[@]} -eq 0 ] || check checkpatch-patches check_patches
check checkpatch-selftests check_c
check shellcheck shellcheck -x "${SHELL_SCRIPTS[@]}"

[ ${#FOUND[@]} -eq 0 ] || die "not clean: ${FOUND[*]}"
say "lint: clean"
