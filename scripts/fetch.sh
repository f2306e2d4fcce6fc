#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Gets the kernel's source into the cache, from the first of these that works: KERNEL_SRC=
# (a tree or a tarball), the cache itself, the Debian package through the mirror that
# this machine's apt uses, kernel.org. Changes nothing in the system. Prints the directory
# that holds the trees.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

SUITE=trixie-backports
PACKAGE=linux-source-7.3
KERNEL_VERSION=${KERNEL_VERSION:-7.3.4}

tree_version() {
	sed -n 's/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = //p' "$1/Makefile" | head -n 3 | paste -sd.
}

# Takes an unpacked tree into its place: keep DIRECTORY SUFFIX ORIGIN
keep() {
	local version dir
	version=$(tree_version "$1")
	case $version in
	7.3.*) ;;
	*) die "$3 is Linux $version; the patches are for 7.3.y" ;;
	esac
	dir=$CACHE/linux-$version$2
	mkdir -p "$dir"
	rm -rf "$dir/stock"
	mv "$1" "$dir/stock"
	echo "$version $3" >"$dir/origin"
	echo "$dir" >"$MARK.new"
	mv "$MARK.new" "$MARK"
	say "kernel source: Linux $version, from $3"
}

unpack() {
	mkdir -p "$TMP/tree"
	work "unpack $(basename "$1")" "$CACHE/log/unpack.log" \
		tar -xf "$1" -C "$TMP/tree" --strip-components=1
}

from_debian() {
	local tarball
	from_suite "$SUITE" "$TMP/deb" "$PACKAGE" || return 1
	tarball=("$TMP"/deb/usr/src/linux-source-*.tar.*)
	unpack "${tarball[0]}" || return 1
	keep "$TMP/tree" '' "Debian's $(basename "$TMP"/deb.debs/*.deb)"
}

# A checksum from kernel.org itself proves no more than the file: scripts/kernel.sha256
# has one for each version, from elsewhere.
from_kernel_org() {
	local file=linux-$KERNEL_VERSION.tar.xz sum
	sum=${KERNEL_SHA256:-$(sed -n "s/^\([0-9a-f]\{64\}\)  $file\$/\1/p" "$SCRIPTS/kernel.sha256")}
	if [ -z "$sum" ]; then
		say "kernel.org: no checksum of $file in scripts/kernel.sha256; KERNEL_SHA256= gives one"
		return 1
	fi
	command -v curl >/dev/null || { say "kernel.org: no curl to download with"; return 1; }
	work "download $file" "$CACHE/log/fetch.log" \
		curl -fSL --retry 3 -o "$TMP/$file" "https://cdn.kernel.org/pub/linux/kernel/v7.x/$file" || return 1
	echo "$sum  $TMP/$file" | sha256sum -c --quiet - || die "$file: wrong checksum"
	unpack "$TMP/$file" || return 1
	keep "$TMP/tree" '' "kernel.org's $file"
}

# The user's tree is copied, so that it is never written to; later, only changed files are
# copied. A tarball is unpacked once for each content.
from_user() {
	local version dir id
	id=$(printf %s "$KERNEL_SRC" | cksum | cut -d' ' -f1)
	if [ ! -d "$KERNEL_SRC" ]; then
		[ -e "$KERNEL_SRC" ] || die "KERNEL_SRC=$KERNEL_SRC: no such tree or tarball"
		id=$(cksum <"$KERNEL_SRC" | cut -d' ' -f1)
		[ ! -e "$MARK" ] || [ "$(cat "$(cat "$MARK")/tarball" 2>/dev/null)" != "$id" ] || return 0
		unpack "$KERNEL_SRC"
		keep "$TMP/tree" "-$id" "$KERNEL_SRC"
		echo "$id" >"$(cat "$MARK")/tarball"
		return 0
	fi
	[ -e "$KERNEL_SRC/Kbuild" ] || die "KERNEL_SRC=$KERNEL_SRC is not a kernel tree"
	[ ! -e "$KERNEL_SRC/.config" ] || die "KERNEL_SRC=$KERNEL_SRC has been built in: make mrproper there first"
	version=$(tree_version "$KERNEL_SRC")
	case $version in 7.3.*) ;; *) die "KERNEL_SRC is Linux $version; the patches are for 7.3.y" ;; esac
	dir=$CACHE/linux-$version-$id
	mkdir -p "$dir/stock"
	rsync -a --delete --exclude=/.git --exclude='/build-*' --out-format=%n \
		"$KERNEL_SRC/" "$dir/stock/" >"$TMP/changed"
	if [ -s "$TMP/changed" ] || [ ! -e "$dir/origin" ]; then
		echo "$version $KERNEL_SRC $(cd "$dir" && cksum <"$TMP/changed") $(date +%s)" >"$dir/origin"
		say "kernel source: Linux $version, from $KERNEL_SRC"
	fi
	echo "$dir" >"$MARK"
}

MARK=$(source_mark)

cached() { [ -e "$MARK" ] && [ -e "$(cat "$MARK")/stock/Kbuild" ]; }

main() {
	if [ -z "${KERNEL_SRC:-}" ] && cached; then
		return
	fi
	lock source
	mkdir -p "$CACHE/tmp"
	TMP=$(mktemp -d "$CACHE/tmp/fetch.XXXXXX")
	trap 'rm -rf "$TMP"' EXIT
	if [ -n "${KERNEL_SRC:-}" ]; then
		from_user
		return
	fi
	cached && return
	(from_debian) || (from_kernel_org) ||
		die "no kernel source: neither KERNEL_SRC=, nor $PACKAGE of $SUITE, nor kernel.org"
}

main
source_dir
