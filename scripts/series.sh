#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/series.sh tree DIR: a git tree of the kernel with all series as commits,
# one on top of the other. Branch series/NAME is the last commit of patches/NAME;
# a rebase of the last branch moves the others along (rebase.updateRefs).
# scripts/series.sh export DIR: that tree's commits, back as patches/NAME.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/patches.sh
. "$SCRIPTS/patches.sh"

BASE=refs/tags/xpagemap-base

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
	local base patches dir
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
	git -C "$TREE" config rebase.updateRefs true
	identity=()
	git -C "$TREE" config user.email >/dev/null ||
		identity=(-c user.name=xpagemap -c user.email=xpagemap@localhost)
	while read -r dir; do
		git -C "$TREE" checkout -q -b "series/$(basename "$dir")"
		mapfile -t patches < <(series_files "$dir")
		git "${identity[@]}" -C "$TREE" am -q "${patches[@]}" ||
			die "$(basename "$dir") does not apply: see above; the tree is left as git am left it"
		say "$TREE: series/$(basename "$dir"), ${#patches[@]} patches"
	done < <(series_dirs)
}

# export_series DIR FIRST LAST: the commits after FIRST, up to LAST.
export_series() {
	local name
	mkdir -p "$1"
	rm -f "$1"/[0-9][0-9][0-9][0-9]-*.patch
	# 12 digits, as the kernel has it: the default depends on what else a tree holds.
	git -C "$TREE" -c core.abbrev=12 format-patch -q -N --zero-commit --no-signature -o "$1" "$2..$3"
	for name in "$1"/[0-9]*.patch; do
		[ ! -e "$name" ] || basename "$name"
	done >"$1/series"
	touch "$1/prerequisites"
	say "${1#"$ROOT/"}: $(wc -l <"$1/series") patches"
}

export_patches() {
	local before=$BASE branch branches dir
	git -C "$TREE" rev-parse -q --verify "$BASE" >/dev/null || die "$TREE is no tree of \`make kernel-tree\`"
	[ -z "$(git -C "$TREE" status --porcelain --untracked-files=no)" ] || die "$TREE has changes that are not committed"
	mapfile -t branches < <(git -C "$TREE" for-each-ref --format='%(refname:short)' refs/heads/series)
	[ ${#branches[@]} -gt 0 ] || die "$TREE has no branch series/NAME"
	for branch in "${branches[@]}"; do
		git -C "$TREE" merge-base --is-ancestor "$before" "$branch" ||
			die "$TREE: $branch is not on top of $before: rebase it; nothing was exported"
		before=$branch
	done
	[ -z "$(git -C "$TREE" rev-list "$before..HEAD")" ] ||
		die "$TREE: HEAD has commits after $before, in no series: move the branch, or give them one; nothing was exported"
	before=$BASE
	for branch in "${branches[@]}"; do
		dir=$ROOT/patches/${branch#series/}
		export_series "$dir" "$before" "$branch"
		before=$branch
	done
	# A commit's context may have lines of an earlier series.
	"$SCRIPTS/each.sh" --apply >&2 || die "exported, but see above: a series needs another one; name it in its prerequisites"
}

TREE=$(realpath -m "${2:?which directory}")
case $1 in
tree) make_tree ;;
export) export_patches ;;
*) die "tree or export" ;;
esac
