# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Directories, tools and messages of all scripts. Sourced, never run: variables set here
# are used elsewhere.
# shellcheck disable=SC2034

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
QEMU_DIR=$ROOT/qemu
SCRIPTS=$ROOT/scripts
BUILD=${XPAGEMAP_BUILD:-$ROOT/build}
CACHE=${XPAGEMAP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xpagemap}

LLVM=${LLVM:--22}
RUSTC=${RUSTC:-/usr/bin/rustc}
RUSTFMT=${RUSTFMT:-/usr/bin/rustfmt}
CLIPPY_DRIVER=${CLIPPY_DRIVER:-/usr/bin/clippy-driver}
CARGO=${CARGO:-/usr/bin/cargo}
PYTHON=${PYTHON:-/usr/bin/python3}
BINDGEN=${BINDGEN:-$CACHE/bindgen/bin/bindgen}
VIRTME_RUN=${VIRTME_RUN:-$CACHE/venv/bin/virtme-run}
PATH=$PATH:/usr/sbin:/sbin
# scripts/deps.sh puts a newer QEMU here if the system's is too old.
PATH=$CACHE/qemu/usr/bin:$PATH
if [ -e "$CACHE/qemu" ]; then
	QEMU_MODULE_DIR=$CACHE/qemu/usr/lib/$(uname -m)-linux-gnu/qemu
	export QEMU_MODULE_DIR
fi
# Options of the make that called this script are not for the makes that it calls.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

# The name of an LLVM tool, as the kernel's own Makefile reads LLVM=.
llvm_tool() {
	case $LLVM in
	*/) echo "$LLVM$1" ;;
	-*) echo "$1$LLVM" ;;
	*) echo "$1" ;;
	esac
}

# The variants of the kernel; each has a tree, fragments and patches of its own. Those of
# `each` come from scripts/each.sh, which builds a kernel after each patch.
EACH_SERIES=$BUILD/each-series
check_variant() {
	case $1 in
	stock | patched | debug | rfc | each) ;;
	*) die "no such kernel: $1 (patched, stock, debug or rfc)" ;;
	esac
}

variant_fragments() {
	echo "$QEMU_DIR/kernel.config"
	case $1 in
	patched | debug) [ ! -e "$QEMU_DIR/patched.config" ] || echo "$QEMU_DIR/patched.config" ;;
	esac
	case $1 in
	debug) echo "$QEMU_DIR/debug.config" ;;
	each) echo "$EACH_SERIES/config" ;;
	esac
}

# Time since the command that the user typed began.
XPAGEMAP_START=${XPAGEMAP_START:-$EPOCHSECONDS}
export XPAGEMAP_START
stamp() { printf '%02d:%02d' $(((EPOCHSECONDS - XPAGEMAP_START) / 60)) $(((EPOCHSECONDS - XPAGEMAP_START) % 60)); }

# Messages go to standard error: standard output is for results.
say() { printf '[%s] %s\n' "$(stamp)" "$*" >&2; }

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Sleeps without a child process, which could outlive this one.
nap() {
	local fd
	exec {fd}<> <(:)
	read -rt "$1" -u "$fd" || :
	exec {fd}>&-
}

# work LABEL LOG COMMAND...: runs COMMAND with its output in LOG, and says every ten
# seconds how far it has come and at the end how long it took. If COMMAND fails, the
# end of LOG is shown.
work() {
	local label=$1 log=$2 start=$SECONDS ticker status=0 user system TIMEFORMAT='%0U %0S'
	shift 2
	mkdir -p "$(dirname "$log")"
	say "$label ..."
	: >"$log"
	(
		trap - EXIT
		while nap 10; do
			say "$label: $((SECONDS - start)) s, $(wc -l <"$log") lines, $(tail -n 1 "$log" | cut -c 1-60)"
		done
	) &
	ticker=$!
	{ time "$@" >>"$log" 2>&1 </dev/null; } 2>"$log.time" || status=$?
	kill "$ticker" 2>/dev/null || :
	wait "$ticker" 2>/dev/null || :
	if [ "$status" -ne 0 ]; then
		say "$label: failed after $((SECONDS - start)) s; the end of $log:"
		{ grep -nE '(error|Error|ERROR|FAILED)' "$log" | tail -n 15 || :; } >&2
		echo '--' >&2
		tail -n 25 "$log" >&2
		return "$status"
	fi
	read -r user system <"$log.time"
	rm -f "$log.time"
	say "$label: done in $((SECONDS - start)) s, $((user + system)) s CPU"
}

# lock NAME: held to the end of this script; waits until no other script holds it.
lock() {
	mkdir -p "$CACHE/locks"
	exec {lock_fd}>"$CACHE/locks/$1"
	if ! flock -n "$lock_fd"; then
		say "waiting for another run to finish with $1"
		flock "$lock_fd"
	fi
}

debian_codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

# The Debian mirror that this machine's apt uses.
debian_mirror() {
	mkdir -p "$CACHE/tmp/no-lists"
	apt-get update --print-uris -o Dir::State::Lists="$CACHE/tmp/no-lists" 2>/dev/null |
		sed -n "s,^'\(.*\)/dists/$(debian_codename)/InRelease'.*,\1,p" | head -n 1
}

# from_suite SUITE DIR PACKAGE...: packages of any of Debian's suites, opened into
# DIR, their files beside it in DIR.debs. They come through the mirror this
# machine's apt uses; nothing in the system is touched.
from_suite() {
	local suite=$1 dir=$2 mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg apt deb
	local private=$2.apt
	shift 2
	command -v apt-get >/dev/null || return 1
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || return 1
	rm -rf "$dir" "$dir.debs"
	mkdir -p "$private"/{lists,archives}/partial "$dir.debs"
	echo "deb [signed-by=$keyring] $mirror $suite main" >"$private/sources.list"
	: >"$private/status"
	apt=(apt-get -q -o Dir::State="$private" -o Dir::State::Lists="$private/lists"
		-o Dir::State::Status="$private/status" -o Dir::Cache="$private"
		-o Dir::Cache::Archives="$private/archives" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::Etc::SourceList="$private/sources.list" -o Acquire::Languages=none
		-o APT::Sandbox::User="$(id -un)")
	work "index of $suite" "$CACHE/log/index-$suite.log" "${apt[@]}" update || return 1
	(cd "$dir.debs" && work "download $*" "$CACHE/log/download-$1.log" "${apt[@]}" download "$@") || return 1
	for deb in "$dir.debs"/*.deb; do
		work "open $(basename "$deb")" "$CACHE/log/open-$1.log" dpkg-deb -x "$deb" "$dir" || return 1
	done
	rm -rf "$private"
}

# The kernel source in use, as scripts/fetch.sh left it.
source_mark() { echo "$CACHE/source${KERNEL_SRC:+-$(printf %s "$KERNEL_SRC" | cksum | cut -d' ' -f1)}"; }
source_dir() { cat "$(source_mark)"; }

# The arguments that every make of a kernel tree or module gets.
kernel_make_args() {
	printf '%s\n' "LLVM=$LLVM" "RUSTC=$RUSTC" "RUSTFMT=$RUSTFMT" "CLIPPY_DRIVER=$CLIPPY_DRIVER" "BINDGEN=$BINDGEN"
}

# The compilers whose change makes another kernel.
compiler_versions() {
	"$(llvm_tool clang)" --version
	"$RUSTC" --version --verbose
	"$BINDGEN" --version
}

# Sets KBUILD_ARGS, the arguments of a make that compiles a kernel, and what it needs in the environment:
# ccache where there is one, and the same time and user in each kernel.
kernel_build_args() {
	mapfile -t KBUILD_ARGS < <(kernel_make_args)
	if command -v ccache >/dev/null; then
		export CCACHE_DIR=$CACHE/ccache CCACHE_BASEDIR CCACHE_NOHASHDIR=1
		CCACHE_BASEDIR=$(source_dir)
		export CCACHE_MAXSIZE=5G CCACHE_SLOPPINESS=time_macros
		# No look-up by preprocessed source, which makes a first build a tenth slower.
		export CCACHE_DEPEND=1
		KBUILD_ARGS+=("CC=ccache $(llvm_tool clang)")
	fi
	export KBUILD_BUILD_TIMESTAMP=2026-01-01 KBUILD_BUILD_USER=xpagemap KBUILD_BUILD_HOST=xpagemap
}

# copy_objects FROM TO: the objects of the build directory in the tree FROM, for the tree TO, which has
# the same sources. Some of kbuild's .cmd files name the directory; they are edited, since make rebuilds
# the object otherwise.
copy_objects() {
	local from to
	from=$1/build-$(basename "$1")
	to=$2/build-$(basename "$2")
	rm -rf "$to.new"
	work "copy $(basename "$1")'s objects" "$CACHE/log/copy-$(basename "$2").log" cp -a --reflink=auto "$from" "$to.new"
	grep -rlZF --include='*.cmd' "$1" "$to.new" | xargs -0r sed -i "s,$from,$to,g; s,$1,$2,g"
	# This Makefile names the directories; make writes another.
	rm "$to.new/Makefile"
	rm -rf "$to"
	mv "$to.new" "$to"
}

# build_selftests KERNEL [PROGRAM...]: the test programs, by default all, with that kernel's headers.
# The program `examples` runs those of examples/; `trace_forks` and those named cli* run the command line.
build_selftests() {
	local kernel=$1
	shift
	case " $* " in '  ' | *' examples '*) "$SCRIPTS/examples.sh" ;; esac
	case " $* " in '  ' | *' cli'* | *' trace_forks '*) "$SCRIPTS/tools.sh" ;; esac
	work "build the selftests" "$BUILD/log/selftests.log" \
		make -C "$ROOT/selftests" -j "$(nproc)" KSRC="$("$QEMU_DIR/build.sh" --source "$kernel")" \
		OUTPUT="$BUILD/selftests" CC="$(llvm_tool clang)" "${@/#/$BUILD/selftests/}"
}
