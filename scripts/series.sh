#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/series.sh tree DIR: a git tree of the kernel with the series as commits.
# scripts/series.sh export DIR: that tree's commits, back as patches/.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

BASE=refs/tags/xpagemap-base
PATCHES=$ROOT/patches

# The stock source as one commit, made once for each source.
base_repository() {
	local git=(git --git-dir="$1" --work-tree="$SOURCE/stock" -c core.compression=1 -c gc.auto=0
		-c user.name=xpagemap -c user.email=xpagemap@localhost)
	"${git[@]}" init -q
	# Debian's source has a .gitignore that ignores everything.
	(cd "$SOURCE/stock" && "${git[@]}" add -A -f -- . ':!build-*')
	GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' \
		"${git[@]}" commit -q -m "Linux $(cat "$SOURCE/origin")"
	"${git[@]}" tag "${BASE#refs/tags/}"
}

make_tree() {
	local base patches
	[ ! -e "$TREE" ] || die "$TREE exists: take its commits out with \`make patches\`, then remove it"
	"$SCRIPTS/deps.sh"
	"$SCRIPTS/fetch.sh" >/dev/null
	SOURCE=$(source_dir)
	base=$SOURCE/base.git
	lock base
	if [ ! -e "$base.origin" ] || ! cmp -s "$base.origin" "$SOURCE/origin"; then
		rm -rf "$base"
		work "commit the stock source" "$CACHE/log/base-git.log" base_repository "$base"
		cp "$SOURCE/origin" "$base.origin"
	fi
	mkdir -p "$(dirname "$TREE")"
	work "check out $TREE" "$CACHE/log/clone.log" \
		git -c advice.detachedHead=false clone -q -b "${BASE#refs/tags/}" "$base" "$TREE"
	git -C "$TREE" checkout -q -b xpagemap
	identity=()
	git -C "$TREE" config user.email >/dev/null ||
		identity=(-c user.name=xpagemap -c user.email=xpagemap@localhost)
	mapfile -t patches < <(series_files "$PATCHES")
	[ ${#patches[@]} -eq 0 ] || git "${identity[@]}" -C "$TREE" am -q "${patches[@]}" ||
		die "the series does not apply: see above; the tree is left as git am left it"
	say "$TREE: ${#patches[@]} patches on top of $BASE"
}

export_patches() {
	local name
	git -C "$TREE" rev-parse -q --verify "$BASE" >/dev/null || die "$TREE is no tree of \`make kernel-tree\`"
	[ -z "$(git -C "$TREE" status --porcelain --untracked-files=no)" ] || die "$TREE has changes that are not committed"
	mkdir -p "$PATCHES"
	rm -f "$PATCHES"/[0-9][0-9][0-9][0-9]-*.patch
	# 12 digits, as the kernel has it: the default depends on what else a tree holds.
	git -C "$TREE" -c core.abbrev=12 format-patch -q -N --zero-commit --no-signature -o "$PATCHES" "$BASE..HEAD"
	for name in "$PATCHES"/[0-9]*.patch; do
		[ ! -e "$name" ] || basename "$name"
	done >"$PATCHES/series"
	say "patches/: $(grep -c patch "$PATCHES/series") patches"
}

TREE=$(realpath -m "${2:?which directory}")
case $1 in
tree) make_tree ;;
export) export_patches ;;
*) die "tree or export" ;;
esac
