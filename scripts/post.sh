#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/post.sh SERIES: writes the mails of patches/SERIES to build/post/SERIES/,
# ready for git send-email, and sends nothing. The author of the mails and of the
# patches is git config's user; Signed-off-by lines of others are kept. The cover
# letter gets a diffstat, a shortlog and the addresses of get_maintainer.pl.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/patches.sh
. "$SCRIPTS/patches.sh"

# The commit message on standard input, signed off by the poster instead of by $1,
# at the place of the stored line.
sign_off() {
	POSTER=$POSTER awk -v stored="Signed-off-by: $1" '
		BEGIN { poster = "Signed-off-by: " ENVIRON["POSTER"] }
		$0 == stored { $0 = poster }
		$0 == poster && signed++ { next }
		{ print }
		END { if (!signed) print poster }'
}

# commit_patch PATCH: applies it as a commit of the poster's.
commit_patch() {
	local stored
	git -C "$TREE" am -q "$1" || die "$(patch_name "$1") does not apply: see above"
	stored=$(git -C "$TREE" log -1 --format='%an <%ae>')
	git -C "$TREE" log -1 --format=%B | sign_off "$stored" >"$WORK/message"
	git -C "$TREE" commit -q --amend --reset-author -F "$WORK/message"
}

# A repository of just the files that the patches touch. Their blobs, and so the
# index lines of the mails, are those of the whole tree.
make_tree() {
	local stock needed=() dir
	stock=$(source_dir)/stock
	while read -r dir; do mapfile -t -O "${#needed[@]}" needed < <(series_files "$dir"); done < <(series_needs "$DIR")
	git init -q -b base "$TREE"
	git -C "$TREE" config user.name "$NAME"
	git -C "$TREE" config user.email "$EMAIL"
	git -C "$TREE" config commit.gpgSign false
	touched_files "${needed[@]}" "${PATCHES[@]}" | copy_files "$stock" "$TREE"
	git -C "$TREE" add -A -f
	git -C "$TREE" commit -q --allow-empty -m "Linux $(cat "$(source_dir)/origin")"
	[ ${#needed[@]} -eq 0 ] || git -C "$TREE" am -q "${needed[@]}"
	git -C "$TREE" branch needed
	git -C "$TREE" checkout -q -b "$SERIES"
	for patch in "${PATCHES[@]}"; do commit_patch "$patch"; done
}

# The cover letter as git takes it from a branch: subject, blank line, body.
description() {
	local dir
	sed '1s/^Subject: *//' "$DIR/0000-cover-letter.txt"
	mapfile -t needed < <(series_needs "$DIR")
	[ ${#needed[@]} -eq 0 ] || printf '\nApplies after these series:\n'
	for dir in "${needed[@]}"; do
		printf '  %s\n' "$(sed -n '1s/^Subject: *//p' "$dir/0000-cover-letter.txt")"
	done
}

# Cc: lines for the cover letter, one address each.
maintainers() {
	local tree
	tree=$("$QEMU_DIR/build.sh" --source stock)
	(cd "$tree" && perl scripts/get_maintainer.pl --nogit --nogit-fallback --no-rolestats "$OUT"/*.patch) |
		grep @ | grep -vF "<$EMAIL>" | sed 's/^/Cc: /'
}

main() {
	local cover
	git -C "$TREE" config "branch.$SERIES.description" "$(description)"
	rm -rf "$OUT"
	mkdir -p "$OUT"
	git -C "$TREE" -c core.abbrev=12 -c format.signature='' -c diff.renames=true format-patch -q \
		--numbered --thread=shallow --cover-letter --cover-from-description=subject -o "$OUT" "needed..$SERIES"
	cover=$OUT/0000-cover-letter.patch
	if maintainers >"$WORK/cc" 2>"$WORK/errors" && [ -s "$WORK/cc" ]; then
		# They end the header: the first empty line comes after them.
		awk -v cc="$WORK/cc" '!done && /^$/ { while ((getline line <cc) > 0) print line; done = 1 } { print }' \
			"$cover" >"$WORK/cover"
		cp "$WORK/cover" "$cover"
	else
		cat "$WORK/errors" >&2
		say "get_maintainer.pl names nobody: the cover letter has no Cc lines"
	fi
	(cd "$OUT" && printf '%s\n' *)
	cat <<-END

		${#PATCHES[@]} patches and a cover letter in ${OUT#"$ROOT/"}/, from $POSTER; nothing was sent.
		Read them and their Cc lines (To: a maintainer where one is to take the series), then:
		  git send-email --to-cover --cc-cover --dry-run ${OUT#"$ROOT/"}/*.patch
		and without --dry-run to send.
	END
}

SERIES=${1:-}
[ -s "$ROOT/patches/${SERIES:-none}/series" ] ||
	die "SERIES= one of $(series_dirs | sed 's,.*/,,' | paste -sd ' ')"
DIR=$ROOT/patches/$SERIES
OUT=$BUILD/post/$SERIES
grep -q '^Subject: ' <(head -n 1 "$DIR/0000-cover-letter.txt") ||
	die "patches/$SERIES/0000-cover-letter.txt: its first line is to be \`Subject: ...\`"
! grep -nE '@[A-Z_]+@' "$DIR/0000-cover-letter.txt" >&2 || die "patches/$SERIES/0000-cover-letter.txt has a gap to fill in: see above"
NAME=$(git -C "$ROOT" config user.name || :)
EMAIL=$(git -C "$ROOT" config user.email || :)
[ -n "${NAME:+$EMAIL}" ] ||
	die "the mails are from git config's user.name and user.email, and they are not set: git config --global user.name NAME; git config --global user.email ADDRESS"
POSTER="$NAME <$EMAIL>"
mapfile -t PATCHES < <(series_files "$DIR")
"$SCRIPTS/deps.sh"
"$SCRIPTS/fetch.sh" >/dev/null
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
TREE=$WORK/tree
# git's own settings on the machine change no mail.
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
make_tree
main
exit
