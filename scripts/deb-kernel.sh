#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds two Debian packages in build/deb/ and prints their files: linux-image-RELEASE, the patched kernel
# by its own bindeb-pkg, and xpagemap-modules-RELEASE, the module for exactly that image.
# Without CONFIG=, the configuration is that of the guest, and RELEASE ends with -xpagemap-guest.
# CONFIG=FILE is the configuration of another kernel: scripts/deb.config is added, RELEASE ends with
# -xpagemap. The trees and objects are the cache's `deb`; those of `patched` are only read.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/package.sh
. "$SCRIPTS/package.sh"
# shellcheck source=scripts/patches.sh
. "$SCRIPTS/patches.sh"

CONFIG=${CONFIG:-}
# No variable of the kernel's own makes.
export -n CONFIG
mapfile -t PATCHES < <(variant_patches deb)
mapfile -t FRAGMENTS < <(variant_fragments patched)
[ -z "$CONFIG" ] || FRAGMENTS=("$CONFIG" "$SCRIPTS/deb.config")

# The tree and, for the guest's configuration, the objects begin as those of the patched kernel. Its files
# are hard links: tree.sh replaces a file, and never writes into it.
begin_with_patched() {
	local patched=$SOURCE/patched
	[ ! -e "$DIR/.complete" ] || return 0
	"$QEMU_DIR/build.sh" patched
	(
		lock patched
		rm -rf "$DIR"
		mkdir "$DIR"
		work "copy the patched tree" "$CACHE/log/tree-deb.log" \
			find "$patched" -mindepth 1 -maxdepth 1 ! -name 'build-*' ! -name .complete -exec cp -al -t "$DIR" {} +
		cp "$patched.touched" "$DIR.touched"
		cp "$patched.origin" "$DIR.origin"
		cp "$patched.id" "$DIR.id"
		copy_objects "$patched" "$DIR"
	)
	touch "$DIR/.complete"
}

same() { [ -e "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# A hash of everything that goes into the image.
image_key() {
	{
		echo "$VERSION $DEBFULLNAME $DEBEMAIL"
		cat "$SOURCE/origin" "$QEMU_DIR/configure.sh" "$SCRIPTS/deb-kernel.sh" "${FRAGMENTS[@]}" "${PATCHES[@]}"
		compiler_versions
	} 2>&1 | sha256sum | cut -d' ' -f1
}

kernel_make() { make -C "$KDIR" -j "$(nproc)" "${KBUILD_ARGS[@]}" LOCALVERSION="$SUFFIX" "$@"; }

# The last of the files to name an option has it.
configure_as_given() {
	mkdir -p "$KDIR"
	cat "${FRAGMENTS[@]}" >"$KDIR/.config"
	make -C "$DIR" O="$KDIR" "${KBUILD_ARGS[@]}" LOCALVERSION="$SUFFIX" olddefconfig
}

check_demands() {
	local line name got
	while read -r line; do
		name=$(sed -nE 's/^(# )?(CONFIG_[A-Z0-9_]+)[= ].*/\2/p' <<<"$line")
		got=$(grep "^$name=" "$KDIR/.config" || :)
		case $line in
		CONFIG_*=\"\" | '# CONFIG_'*' is not set') [ -z "$got" ] || [ "$got" = "$line" ] ;;
		CONFIG_*) [ "$got" = "$line" ] ;;
		esac || die "$CONFIG: asked for $line, got ${got:-nothing (does it exist? are its dependencies there?)}"
	done <"$SCRIPTS/deb.config"
}

configure() {
	if [ -z "$CONFIG" ]; then
		"$QEMU_DIR/configure.sh" "$KDIR" "${FRAGMENTS[@]}"
	else
		work "configure as in $CONFIG" "$CACHE/log/configure-deb$SUFFIX.log" configure_as_given
		check_demands
	fi
}

# bindeb-pkg would also pack libc's headers, which would replace Debian's own, and those for modules:
# binary-image is its target for the image alone.
build_image() {
	rm -f "$KDIR/.key" "$MARK" "$DIR"/linux-image-* "$DEB"/*"$SUFFIX"_*.deb
	configure
	export DEBFULLNAME DEBEMAIL
	work "build the package of the kernel" "$CACHE/log/build-deb$SUFFIX.log" \
		kernel_make bindeb-pkg KDEB_SOURCENAME=linux-xpagemap KDEB_PKGVERSION="$KERNEL-$VERSION" \
		KDEB_CHANGELOG_DIST=unstable DPKG_FLAGS="--no-check-builddeps --target=binary-image"
	mkdir -p "$DEB"
	mv "$DIR"/linux-image-*.deb "$DEB"
	echo "$KEY" >"$KDIR/.key"
	{ echo "$KEY" && ls "$DEB"/linux-image-*"$SUFFIX"_*.deb; } >"$MARK"
}

maintainer_script() {
	install_as 755 "DEBIAN/$1" <<-END
		#!/bin/sh
		set -e
		$2
	END
}

# The directory is that of modules_install of any external module: depmod prefers it.
build_modules() {
	rm -rf "$TREE"
	kernel_make M="$ROOT" MO="$BUILD/module-deb$SUFFIX" modules
	kernel_make M="$ROOT" MO="$BUILD/module-deb$SUFFIX" INSTALL_MOD_PATH="$TREE" INSTALL_MOD_STRIP=1 DEPMOD=true modules_install
	{
		printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: xpagemap\n\n'
		copyright_of_all
	} | install_as 644 "usr/share/doc/$PACKAGE/copyright"
	gzip -9nc "$ROOT/CHANGELOG.md" | install_as 644 "usr/share/doc/$PACKAGE/changelog.gz"
	maintainer_script postinst "depmod $RELEASE"
	# Without the image, there is nothing to index.
	maintainer_script postrm "[ ! -e /lib/modules/$RELEASE/modules.order ] || depmod $RELEASE"
	install_as 644 DEBIAN/control <<-END
		Package: $PACKAGE
		Version: $VERSION
		Architecture: $ARCH
		Maintainer: $MAINTAINER
		Section: kernel
		Priority: optional
		Depends: linux-image-$RELEASE (= $KERNEL-$VERSION), kmod
		Suggests: xpagemap
		Provides: xpagemap-modules
		Installed-Size: $(installed_size)
		Description: module of xpagemap for Linux $RELEASE
		 It tells where each page of a process is, shared memory in swap included, in
		 files of debugfs, which the command line in the package xpagemap reads.
		 .
		 It is for that package of the kernel alone, which has xpagemap's patches: there
		 is no DKMS package, since it does not build without them.
	END
	pack "$MODULES"
}

need_tool dpkg-buildpackage dpkg-dev
[ -z "$CONFIG" ] || [ -r "$CONFIG" ] || die "CONFIG=$CONFIG: cannot be read"
"$SCRIPTS/deps.sh" --deb
"$SCRIPTS/fetch.sh" >/dev/null
SOURCE=$(source_dir)
DIR=$SOURCE/deb
KDIR=$DIR/build-deb SUFFIX=-xpagemap-guest
[ -z "$CONFIG" ] || KDIR=$DIR/build-config SUFFIX=-xpagemap
read -r KERNEL _ <"$SOURCE/origin"
ARCH=$(dpkg --print-architecture)
TREE=$DEB/tree$SUFFIX
lock deb
begin_with_patched
"$QEMU_DIR/tree.sh" deb >/dev/null
kernel_build_args
KEY=$(image_key)
# The key beside the packages names the file, which may have been removed.
MARK=$DEB/image$SUFFIX
if ! same "$KDIR/.key" "$KEY" || ! grep -sqxF "$KEY" "$MARK" || [ ! -e "$(tail -n 1 "$MARK")" ]; then
	build_image
fi
IMAGE=$(tail -n 1 "$MARK")
RELEASE=$(cat "$KDIR/include/config/kernel.release")
PACKAGE=xpagemap-modules-$RELEASE
MODULES=$DEB/${PACKAGE}_${VERSION}_$ARCH.deb
work "build the package of the module" "$BUILD/log/deb-modules.log" build_modules
ls "$IMAGE" "$MODULES"
