#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# qemu/tree.sh VARIANT: brings a kernel's source tree up to date with its patches and
# prints its directory. The patched trees are hard links of the stock one; a file gets a
# new inode and a new time only if its content changes, so that a build afterwards
# compiles no more than it must.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
# shellcheck source=scripts/patches.sh
. "$SCRIPTS/patches.sh"

# Makes one file of the tree equal to the wanted one, with a new inode.
place() {
	local wanted=$1 target=$2
	if [ ! -e "$wanted" ]; then
		[ ! -e "$target" ] || { rm "$target"; changed=$((changed + 1)); }
	elif ! cmp -s "$wanted" "$target"; then
		mkdir -p "$(dirname "$target")"
		cp "$wanted" "$target.new"
		chmod --reference="$wanted" "$target.new"
		mv "$target.new" "$target"
		changed=$((changed + 1))
	fi
}

sync_tree() {
	local file wanted changed=0
	while read -r file; do
		wanted=$STOCK/$file
		if grep -qxF "$file" "$TMP/touched"; then
			wanted=$SCRATCH/$file
		fi
		place "$wanted" "$TREE/$file"
	done < <(sort -u "$TMP/touched" "$TREE.touched")
	cp "$TMP/touched" "$TREE.touched"
	say "${#PATCHES[@]} patches applied, $changed files changed"
}

SOURCE=$(source_dir)
STOCK=$SOURCE/stock
TREE=$SOURCE/${1:?which kernel}

if [ "$1" != stock ]; then
	mapfile -t PATCHES < <(variant_patches "$1")
	id=$(cat "$SOURCE/origin" "${PATCHES[@]}" | sha256sum)
	if [ ! -e "$TREE.id" ] || [ "$(cat "$TREE.id")" != "$id" ]; then
		mkdir -p "$CACHE/tmp"
		TMP=$(mktemp -d "$CACHE/tmp/tree.XXXXXX")
		trap 'rm -rf "$TMP"' EXIT
		SCRATCH=$TMP/scratch
		mkdir "$SCRATCH"
		[ ! -e "$TREE.origin" ] || cmp -s "$TREE.origin" "$SOURCE/origin" || rm -rf "$TREE"
		if [ ! -e "$TREE/.complete" ]; then
			rm -rf "$TREE"
			mkdir "$TREE"
			find "$STOCK" -mindepth 1 -maxdepth 1 ! -name 'build-*' -exec cp -al -t "$TREE" {} +
			: >"$TREE.touched"
			cp "$SOURCE/origin" "$TREE.origin"
			touch "$TREE/.complete"
		fi
		[ ${#PATCHES[@]} -eq 0 ] || touched_files "${PATCHES[@]}" >"$TMP/touched"
		touch "$TMP/touched"
		copy_files "$STOCK" "$SCRATCH" <"$TMP/touched"
		apply_patches "$SCRATCH" "${PATCHES[@]}"
		rm -f "$TREE.id"
		sync_tree
		echo "$id" >"$TREE.id"
	fi
fi
echo "$TREE"
