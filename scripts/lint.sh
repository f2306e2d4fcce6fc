#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs every checker, and fails at the end if one of them found something.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/patches.sh
. "$SCRIPTS/patches.sh"

FOUND=()

# check NAME COMMAND...: shows COMMAND's output if it fails.
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

# Run in the source tree, which is no git repository: checkpatch takes any repository
# that it is run in for the kernel's.
checkpatch() { (cd "$KSRC" && perl scripts/checkpatch.pl --strict --quiet --show-types "$@"); }

# maintained PATCH: MAINTAINERS of the patched tree has a section for each file that the patch adds.
# checkpatch asks for a change of MAINTAINERS even where a directory of the file is named there.
maintained() {
	local file status=0
	while read -r file; do
		(cd "$KSRC" && perl scripts/get_maintainer.pl --no-tree --no-git --no-git-fallback --sections -f "$file") |
			grep -vxF 'THE REST' | grep -qE '^[A-Z0-9][A-Z0-9 ]+' || { echo "MAINTAINERS has no section for $file"; status=1; }
	done < <(awk '/^diff --git/ { f = substr($4, 3) } /^new file mode/ { print f }' "$1")
	return $status
}

check_patches() {
	local patch ignored status=0
	for patch in "${PATCHES[@]}"; do
		# Without a git repository, every commit that is named is unknown.
		ignored=UNKNOWN_COMMIT_ID,FILE_PATH_CHANGES
		# A Rust helper has the name of its C function behind rust_helper_.
		[[ $patch != */5-rust/* ]] || ignored+=,CAMELCASE
		if ! checkpatch --ignore "$ignored" --root="$KSRC" "$patch" || ! maintained "$patch"; then
			echo "in $(patch_name "$patch")"
			status=1
		fi
	done
	return $status
}

check_c() {
	local file status=0
	for file in "$ROOT"/selftests/*.h "$ROOT"/selftests/*/*.[ch] "$ROOT"/selftests/lib/*/*.[ch] "$ROOT"/examples/c/*.[ch]; do
		[ ! -e "$file" ] || checkpatch --no-tree -f "$file" || status=1
	done
	return $status
}

check_module() {
	make -C "$KDIR" "${MAKE_ARGS[@]}" W=1 CLIPPY=1 KRUSTFLAGS=-Dwarnings \
		M="$ROOT" MO="$BUILD/module-lint" modules &&
		! grep -E '^(warning|error)' "$BUILD/log/lint-clippy-module.log"
}

# check_crate NAME DIR: a crate that runs on the host.
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
mkdir -p "$BUILD/log"
"$SCRIPTS/deps.sh" --lint
"$SCRIPTS/fetch.sh" >/dev/null
mapfile -t SHELL_SCRIPTS < <(shell_scripts)
mapfile -t MODULE_SOURCES < <(find src -name '*.rs' | sort)
mapfile -t MAKE_ARGS < <(kernel_make_args)
mapfile -t PATCHES < <(variant_patches patched; variant_patches rfc)
# cargo takes cargo-clippy and cargo-fmt from PATH: its own, not another toolchain's.
PATH=$(dirname "$CARGO"):$PATH
export PATH RUSTC RUSTFMT

# Cheap checks first: the others need a kernel.
check words "$SCRIPTS/lint-words.sh"
check layout "$SCRIPTS/lint-layout.sh"
check imports "$PYTHON" "$SCRIPTS/lint-imports.py" src tools/src models/src examples/rust/src
check shellcheck shellcheck -x "${SHELL_SCRIPTS[@]}"
check series "$SCRIPTS/each.sh" --apply
KSRC=$("$QEMU_DIR/build.sh" --source stock)
check rustfmt-module "$RUSTFMT" --check --edition 2021 --config-path "$KSRC/.rustfmt.toml" "${MODULE_SOURCES[@]}"
check_crate tools tools
check licences-tools "$SCRIPTS/lint-licences.sh"
check_crate models models
check_crate examples examples/rust
check checkpatch-selftests check_c
"$QEMU_DIR/build.sh" patched
# Files that a patch adds are looked up in the patched tree.
KSRC=$("$QEMU_DIR/build.sh" --source patched)
[ ${#PATCHES[@]} -eq 0 ] || check checkpatch-patches check_patches
mapfile -t ABI < <(git ls-files 'selftests/*.[ch]' 'examples/*.[ch]' 'examples/*.rs' 'tools/*.rs')
check abi "$PYTHON" "$SCRIPTS/lint-abi.py" "$KSRC/include/uapi/linux/fs.h" "${ABI[@]}"
KDIR=$("$QEMU_DIR/build.sh" --kdir patched)
rm -rf "$BUILD/module-lint"
check clippy-module check_module

[ ${#FOUND[@]} -eq 0 ] || die "not clean: ${FOUND[*]}"
say "lint: clean"
