#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs missing tools and names them; silent if none is missing.
# Packages come from apt, bindgen from cargo's registry and virtme-ng from PyPI, the
# last two into the cache, and so a newer QEMU where the system's is too old.
# --lint: also those that only `make lint` needs. --deb: those of `make deb-kernel`.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

BINDGEN_VERSION=0.72.1
VIRTME_VERSION=1.42
# Before this one, QEMU's emulation does not notice when the code that it is just
# translating is changed by another CPU, and executes breakpoints through which the
# kernel patches itself long after they are gone: switching a tracepoint crashes.
QEMU_VERSION=8.1

# A line for each tool: a command or a file's path, and its Debian package.
needs() {
	cat <<-END
		make make
		git git
		gcc gcc
		/usr/include/stdlib.h libc6-dev
		flex flex
		bison bison
		bc bc
		patch patch
		xz xz-utils
		tar tar
		perl perl
		rsync rsync
		strings binutils
		file file
		kmod kmod
		ip iproute2
		ccache ccache
		/usr/include/libelf.h libelf-dev
		qemu-system-x86_64 qemu-system-x86
		/bin/udevadm udev
		/etc/ssl/certs/ca-certificates.crt ca-certificates
		$PYTHON python3
	END
	if [ "$VIRTME_RUN" = "$CACHE/venv/bin/virtme-run" ]; then
		echo /usr/lib/python3*/ensurepip/__init__.py python3-venv
	fi
	if [[ $LLVM = -[0-9]* ]]; then
		cat <<-END
			clang$LLVM clang$LLVM
			ld.lld$LLVM lld$LLVM
			llvm-ar$LLVM llvm$LLVM
			/usr/lib/llvm$LLVM/lib/libclang.so libclang$LLVM-dev
		END
	fi
	[ "$RUSTC" != /usr/bin/rustc ] || echo "$RUSTC rustc-web
/usr/lib/rustlib/src/rust/library/core/src/lib.rs rust-web-src"
	[ "$CARGO" != /usr/bin/cargo ] || echo "$CARGO cargo-web"
	if [ "$OPTION" = --deb ]; then
		echo "dpkg-buildpackage dpkg-dev
dh_builddeb debhelper
/usr/include/openssl/opensslv.h libssl-dev"
	fi
	if [ "$OPTION" = --lint ]; then
		echo shellcheck shellcheck
		[ "$RUSTFMT" != /usr/bin/rustfmt ] || echo "$RUSTFMT rustfmt-web"
		[ "$CLIPPY_DRIVER" != /usr/bin/clippy-driver ] || echo "$CLIPPY_DRIVER rust-web-clippy"
	fi
}

missing_packages() {
	local thing package
	while read -r thing package; do
		case $thing in
		/*) [ -e "$thing" ] || echo "$package" ;;
		*) command -v "$thing" >/dev/null || echo "$package" ;;
		esac
	done < <(needs)
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

# Options of the apt calls: where this release's security suite is not among the
# machine's sources, it is for these calls, since the compilers come from there.
APT=(-q)
add_security() {
	local parts=$CACHE/apt mirror
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || return 0
	rm -rf "$parts"
	mkdir -p "$parts"
	find /etc/apt/sources.list.d \( -name '*.list' -o -name '*.sources' \) -exec cp -t "$parts" {} +
	echo "deb $mirror-security $(debian_codename)-security main" >"$parts/xpagemap.list"
	say "with Debian's security suite for this installation: it has the compilers"
	APT+=(-o Dir::Etc::SourceParts="$parts")
}

# Brings apt's lists up to date and installs; without the update where the lists
# are of today, and with it after all where that does not do.
apt_install() {
	export DEBIAN_FRONTEND=noninteractive
	[ "$1" != update ] || work "apt-get update" "$CACHE/log/apt-update.log" as_root apt-get "${APT[@]}" update
	shift
	work "apt-get install" "$CACHE/log/apt-install.log" \
		as_root apt-get "${APT[@]}" install -y --no-install-recommends "$@"
}

lists_are_fresh() { [ -n "$(find /var/lib/apt/lists -name '*_Packages*' -mtime -1 2>/dev/null | head -n 1)" ]; }

install_packages() {
	local packages=("$@")
	if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && sudo -v; }; then
		die "these packages are missing, and there is neither root nor sudo to install them: ${packages[*]}"
	fi
	command -v apt-get >/dev/null || die "missing, and no apt to install them (names as in Debian): ${packages[*]}"
	say "packages to install: ${packages[*]}"
	mkdir -p "$CACHE/tmp"
	apt-get update --print-uris 2>/dev/null | grep -q "/dists/$(debian_codename)-security/" || add_security
	if [ ${#APT[@]} -eq 1 ] && lists_are_fresh && apt_install no "${packages[@]}"; then
		return
	fi
	apt_install update "${packages[@]}"
}

# bindgen of Debian's testing, with the C library it was built for: it runs beside the system's own, by a
# script that calls its dynamic linker. Building it takes three CPU minutes, this takes seconds.
bindgen_from_debian() {
	local dir=$CACHE/tmp/bindgen arch
	arch=$(uname -m)-linux-gnu
	from_suite testing "$dir" bindgen libc6 || return 1
	cat >"$dir/usr/bin/run" <<-END
		#!/bin/sh
		dir=\${0%/bin/bindgen}
		exec "\$dir/lib/ld.so" --library-path "\$dir/lib:/usr/lib/$arch:/lib/$arch" "\$dir/lib/bindgen" "\$@"
	END
	rm -rf "$CACHE/bindgen" "$dir.debs"
	mkdir -p "$CACHE/bindgen/bin"
	mv "$dir/usr/lib/$arch" "$CACHE/bindgen/lib"
	mv "$CACHE"/bindgen/lib/ld-linux-*.so.* "$CACHE/bindgen/lib/ld.so"
	mv "$dir/usr/bin/bindgen" "$CACHE/bindgen/lib/bindgen"
	install -m 755 "$dir/usr/bin/run" "$CACHE/bindgen/bin/bindgen"
	rm -rf "$dir"
	bindgen_works
}

# Old enough to lack a symbol, or mistaken about libclang 22: the kernel's own test of it decides later.
bindgen_works() {
	local version header=$CACHE/tmp/bindgen.h
	version=$("$CACHE/bindgen/bin/bindgen" --version 2>/dev/null) || return 1
	version=${version#bindgen }
	[ "$(printf '%s\n' "$BINDGEN_VERSION" "$version" | sort -V | head -n 1)" = "$BINDGEN_VERSION" ] || return 1
	echo 'struct probe { int member; };' >"$header"
	"$CACHE/bindgen/bin/bindgen" "$header" 2>/dev/null | grep -q 'pub member'
}

bindgen_from_source() {
	rm -rf "$CACHE/bindgen"
	# Without its log and its formatter; quick to build counts for more than quick to run.
	work "build bindgen $BINDGEN_VERSION" "$CACHE/log/bindgen.log" \
		env RUSTC="$RUSTC" CARGO_PROFILE_RELEASE_OPT_LEVEL=1 "$CARGO" install --locked --force \
		--no-default-features --features runtime --root "$CACHE/bindgen" \
		--target-dir "$CACHE/tmp/bindgen" "bindgen-cli@$BINDGEN_VERSION"
	rm -rf "$CACHE/tmp/bindgen"
}

install_bindgen() {
	if ! bindgen_from_debian; then
		say "no bindgen $BINDGEN_VERSION or newer from Debian's testing: build it instead"
		bindgen_from_source
	fi
	touch "$CACHE/bindgen/.$BINDGEN_VERSION"
}

virtme_commands() {
	"$PYTHON" -m venv "$CACHE/venv" || return 1
	"$CACHE/venv/bin/pip" install --disable-pip-version-check "virtme-ng==$VIRTME_VERSION"
}

install_virtme() {
	rm -rf "$CACHE/venv"
	work "set up virtme-ng $VIRTME_VERSION" "$CACHE/log/virtme.log" virtme_commands
	touch "$CACHE/venv/.$VIRTME_VERSION"
}

qemu_too_old() {
	local version
	version=$(qemu-system-x86_64 --version 2>/dev/null | sed -nE '1s/.*version ([0-9.]+).*/\1/p')
	[ "$(printf '%s\n' "$QEMU_VERSION" "$version" | sort -V | head -n 1)" != "$QEMU_VERSION" ]
}

# The libraries it needs besides, the system's own QEMU brought along.
install_qemu() {
	say "QEMU $(qemu-system-x86_64 --version | sed -nE '1s/.*version ([0-9.]+).*/\1/p') is older than $QEMU_VERSION: a newer one goes into the cache"
	from_suite "$(debian_codename)-backports" "$CACHE/tmp/qemu" \
		qemu-system-x86 qemu-system-common qemu-system-data seabios ||
		die "QEMU $QEMU_VERSION or newer is needed, and Debian's backports do not have it"
	rm -rf "$CACHE/qemu" "$CACHE/tmp/qemu.debs"
	mv "$CACHE/tmp/qemu" "$CACHE/qemu"
}

bindgen_missing() { [ "$BINDGEN" = "$CACHE/bindgen/bin/bindgen" ] && [ ! -e "$CACHE/bindgen/.$BINDGEN_VERSION" ]; }
virtme_missing() { [ "$VIRTME_RUN" = "$CACHE/venv/bin/virtme-run" ] && [ ! -e "$CACHE/venv/.$VIRTME_VERSION" ]; }

OPTION=${1:-}

mapfile -t missing < <(missing_packages)
if [ ${#missing[@]} -gt 0 ] || bindgen_missing || virtme_missing || qemu_too_old; then
	lock deps
	mapfile -t missing < <(missing_packages)
	[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
	mapfile -t missing < <(missing_packages)
	[ ${#missing[@]} -eq 0 ] || die "installed, yet still not found: ${missing[*]}"
	! bindgen_missing || install_bindgen
	! virtme_missing || install_virtme
	! qemu_too_old || install_qemu
fi
