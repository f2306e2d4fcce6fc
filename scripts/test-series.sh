#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests `make check-series APPLY=1` and `make post` in KTAP, with two small series:
# 1-one adds a file, 2-two changes it.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
TREE=$WORK/repo
export XPAGEMAP_BUILD=$WORK/build XPAGEMAP_CACHE=$CACHE
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$WORK/gitconfig
unset SERIES FROM TESTS
COUNT=0

result() {
	local name=$1
	shift
	COUNT=$((COUNT + 1))
	if "$@"; then
		echo "ok $COUNT series.$name"
	else
		echo "# $* does not hold"
		tail -n 30 "$WORK/out" | sed 's/^/# /'
		echo "not ok $COUNT series.$name"
	fi
}

run() { "$@" >"$WORK/out" 2>&1 </dev/null; }
fails() { ! run "$@"; }
says() { grep -qF -- "$1" "$WORK/out"; }

# A series from a commit, as make patches writes it.
add_series() {
	local dir=$TREE/patches/$1
	mkdir -p "$dir"
	git -C "$WORK/source" format-patch -q -N --zero-commit --no-signature -o "$dir" -1
	(cd "$dir" && printf '%s\n' [0-9]*.patch >series)
	: >"$dir/prerequisites"
	printf 'Subject: mm: cover of %s\n\nThe body of %s,\n  indented.\n' "$1" "$1" >"$dir/0000-cover-letter.txt"
}

commit() {
	git -C "$WORK/source" add -A
	git -C "$WORK/source" -c user.name='Stored Author' -c user.email=stored@example.org commit -q -s \
		-m "$1" -m "Cc: stable@vger.kernel.org
Reviewed-by: A Reviewer <reviewer@example.org>
Signed-off-by: Another <another@example.org>"
}

prepare() {
	mkdir -p "$TREE" "$WORK/source/mm"
	cp -r "$ROOT/scripts" "$ROOT/qemu" "$TREE/"
	git init -q "$TREE"
	git init -q "$WORK/source"
	seq 20 >"$WORK/source/mm/xpagemap_test.c"
	commit 'mm: add a file'
	add_series 1-one
	sed -i 's/^7$/seven/' "$WORK/source/mm/xpagemap_test.c"
	commit 'mm: change a file'
	add_series 2-two
}

mail() { cat "$WORK/build/post/2-two/$1"*; }
posted() { run "$TREE/scripts/post.sh" 2-two && [ "$(find "$WORK/build/post/2-two" -name '*.patch' | wc -l)" -eq 2 ]; }
subjects() { mail 0000 | grep -qx 'Subject: \[PATCH 0/1\] mm: cover of 2-two' && mail 0001 | grep -qx 'Subject: \[PATCH 1/1\] mm: change a file'; }

authors() {
	! mail 000 | grep 'stored@example' && mail 000 | grep '^From: ' | grep -vxF 'From: The Poster <poster@example.org>' && return 1
	[ "$(mail 0001 | grep '^Signed-off-by: ')" = 'Signed-off-by: Another <another@example.org>
Signed-off-by: The Poster <poster@example.org>' ] && mail 0001 | grep -q '^Reviewed-by: A Reviewer'
}

cover() {
	mail 0000 | grep -qx 'The body of 2-two,' && mail 0000 | grep -qx '  mm: cover of 1-one' &&
		mail 0000 | grep -qx 'The Poster (1):' && mail 0000 | grep -q '1 file changed, 1 insertion(+), 1 deletion(-)'
}

maintainers() { mail 0000 | sed '/^$/q' | grep -qx 'Cc: linux-mm@kvack.org'; }

prepare
echo 'KTAP version 1'
echo '1..11'
result series_alone_lacks_its_prerequisite fails "$TREE/scripts/each.sh" --apply
result series_that_does_not_apply_is_named says 'not ok 2 2-two'
echo 1-one >"$TREE/patches/2-two/prerequisites"
result series_applies_after_its_prerequisite run "$TREE/scripts/each.sh" --apply
echo 3-three >"$TREE/patches/1-one/prerequisites"
result prerequisite_that_does_not_exist fails "$TREE/scripts/each.sh" --apply
: >"$TREE/patches/1-one/prerequisites"
result post_without_identity fails "$TREE/scripts/post.sh" 2-two
result post_without_identity_is_explained says user.email
git config --global user.name 'The Poster'
git config --global user.email poster@example.org
result post posted
result post_subjects subjects
result post_authors authors
result post_cover_letter cover
result post_maintainers maintainers
