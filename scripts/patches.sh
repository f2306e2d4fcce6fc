# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The patches: a directory of patches/ for each series, patches/rfc for the rfc
# kernel. A series has its file names in `series`, in order, and the names of the
# series it needs in `prerequisites`. Sourced after common.sh, never run.

# The series that the patched kernel has, as directories, in the order they apply.
series_dirs() {
	local dir
	for dir in "$ROOT"/patches/[0-9]*; do
		[ ! -s "$dir/series" ] || echo "$dir"
	done
}

# A series, or a patch, as messages name it: 3-pagemap, 3-pagemap/0001-subject.
patch_name() { echo "${1#"$ROOT/patches/"}"; }

# The patch files of one directory, in order.
series_files() {
	local name
	[ -e "$1/series" ] || return 0
	while read -r name _; do
		case $name in '' | '#'*) ;; *) echo "$1/$name" ;; esac
	done <"$1/series"
}

# The names of a series and of those it needs, directly or not. A prerequisite comes earlier in the order.
series_closure() {
	local name
	while read -r name _; do
		case $name in '' | '#'*) continue ;; esac
		[ -s "$ROOT/patches/$name/series" ] || die "patches/$1/prerequisites: there is no series $name"
		[[ $name < $1 ]] || die "patches/$1/prerequisites: $name does not come before $1"
		series_closure "$name"
	done < <(cat "$ROOT/patches/$1/prerequisites" 2>/dev/null)
	echo "$1"
}

# The directories of the series that the one in $1 needs, in the order they apply.
series_needs() {
	local dir closure
	closure=$(series_closure "$(basename "$1")")
	while read -r dir; do
		[ "$dir" != "$1" ] || return 0
		! grep -qxF "$(basename "$dir")" <<<"$closure" || echo "$dir"
	done < <(series_dirs)
}

# The patch files of a kernel, in order; stock has none.
variant_patches() {
	local dir
	case $1 in
	stock) ;;
	patched | debug | deb) while read -r dir; do series_files "$dir"; done < <(series_dirs) ;;
	rfc) series_files "$ROOT/patches/rfc" ;;
	each) cat "$EACH_SERIES/patches" ;;
	esac
}

# The files of the kernel that these patches change, add or remove.
touched_files() { sed -nE 's,^(---|\+\+\+) [ab]/([^\t]*).*,\2,p' "$@" | sort -u; }

# copy_files STOCK DIR: copies of the files named on standard input, as far as STOCK has them.
copy_files() {
	local file
	while read -r file; do
		[ -e "$1/$file" ] || continue
		mkdir -p "$2/$(dirname "$file")"
		cp -p "$1/$file" "$2/$file"
	done
}

# apply_patches DIR PATCH...: without fuzz, on the files in DIR.
apply_patches() {
	local dir=$1 patch output
	shift
	for patch; do
		[ -e "$patch" ] || { echo "$(patch_name "$patch"): in the series, but no such file" >&2; return 1; }
		if ! output=$(patch -d "$dir" -p1 -F0 --no-backup-if-mismatch -r- <"$patch" 2>&1); then
			printf '%s\n' "$output" >&2
			echo "$(patch_name "$patch") does not apply to Linux $(cat "$(source_dir)/origin"): see the hunk above" >&2
			return 1
		fi
	done
}
