#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the Debian package of the command line, build/deb/xpagemap_VERSION_ARCH.deb: the program, its
# completions, its manual page, and the licences of all that it is linked with. VERSION is that of
# tools/Cargo.toml. The same commit gives the same bytes.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

export RUSTC
TOOL=$BUILD/tools/release/xpagemap
DEB=$BUILD/deb
TREE=$DEB/tree

# The crates that the program is linked with, a line each: name, version, licence.
linked_crates() {
	"$CARGO" tree --locked --manifest-path "$ROOT/tools/Cargo.toml" --edges normal,no-proc-macro \
		--prefix none --no-dedupe --format '{p} {l}' |
		sed -nE 's/^([^ ]+) v([^ ]+) (\([^)]*\) )?(.*)$/\1 \2: \4/p' | grep -v '^xpagemap ' | sort -u
}

# A machine-readable copyright file. The texts of the licences named in the comment are in the sources
# of each crate, on its registry.
copyright() {
	cat <<-END
		Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
		Upstream-Name: xpagemap
		Comment:
		 The program is linked with these crates, which may be used under their licences:
	END
	linked_crates | sed 's/^/  /'
	cat <<-END

		Files: *
		Copyright: the authors of xpagemap
		License: GPL-2.0-only
		 This program is free software; you can redistribute it and/or modify it under
		 the terms of version 2 of the GNU General Public License as published by the
		 Free Software Foundation.
		 .
		 On Debian systems, its text is in /usr/share/common-licenses/GPL-2.
	END
}

# install_as MODE PATH: standard input, as a file of the package.
install_as() {
	install -D -m "$1" /dev/stdin "$TREE/$2"
}

# The libraries that the program needs, with their least versions.
dependencies() {
	mkdir -p "$DEB/shlibs/debian"
	printf 'Source: xpagemap\n\nPackage: xpagemap\nArchitecture: any\n' >"$DEB/shlibs/debian/control"
	(cd "$DEB/shlibs" && dpkg-shlibdeps -O "$TOOL" 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
}

build() {
	local version arch depends size
	version=$(sed -nE '/^\[package\]/,/^\[dep/s/^version = "(.*)"/\1/p' "$ROOT/tools/Cargo.toml")
	arch=$(dpkg --print-architecture)
	rm -rf "$DEB"
	install -D -m 755 "$TOOL" "$TREE/usr/bin/xpagemap"
	"$TOOL" man | gzip -9n | install_as 644 usr/share/man/man8/xpagemap.8.gz
	"$TOOL" completions bash | install_as 644 usr/share/bash-completion/completions/xpagemap
	"$TOOL" completions zsh | install_as 644 usr/share/zsh/vendor-completions/_xpagemap
	"$TOOL" completions fish | install_as 644 usr/share/fish/vendor_completions.d/xpagemap.fish
	copyright | install_as 644 usr/share/doc/xpagemap/copyright
	gzip -9nc "$ROOT/CHANGELOG.md" | install_as 644 usr/share/doc/xpagemap/changelog.gz
	depends=$(dependencies)
	[ -n "$depends" ] || die "dpkg-shlibdeps names no library"
	size=$(du -sk --apparent-size "$TREE" | cut -f 1)
	install_as 644 DEBIAN/control <<-END
		Package: xpagemap
		Version: $version
		Architecture: $arch
		Maintainer: $MAINTAINER
		Section: admin
		Priority: optional
		Depends: $depends
		Installed-Size: $size
		Description: tells where each page of a process is, shared memory in swap included
		 The command line of xpagemap: pages in memory and in swap by process, file and
		 swap device, and whether they are exclusive to the process. On any kernel it
		 tells what /proc knows, and says what it does not.
		 .
		 The rest needs the xpagemap module, and that a Linux 7.3 with xpagemap's
		 patches: there is no DKMS package, since the module does not build without them.
	END
	(cd "$TREE" && find usr -type f -print0 | sort -z | xargs -0 md5sum) | install_as 644 DEBIAN/md5sums
	find "$TREE" -type d -exec chmod 755 {} +
	SOURCE_DATE_EPOCH=$(git -C "$ROOT" log -1 --format=%ct) \
		dpkg-deb --root-owner-group --build "$TREE" "$DEB/xpagemap_${version}_$arch.deb"
}

command -v dpkg-shlibdeps >/dev/null || die "dpkg-shlibdeps is missing: install dpkg-dev"
# git's identity, as in the mails of \`make post\`.
NAME=$(git -C "$ROOT" config user.name || echo xpagemap)
MAINTAINER="$NAME <$(git -C "$ROOT" config user.email || echo root@localhost)>"
"$SCRIPTS/tools.sh"
work "build the package" "$BUILD/log/deb.log" build
ls "$DEB"/*.deb
