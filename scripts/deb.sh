#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the Debian package of the command line, build/deb/xpagemap_VERSION_ARCH.deb: the program, its
# completions, its manual page, and the licences of all that it is linked with. VERSION is that of
# tools/Cargo.toml. The same commit gives the same bytes.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/package.sh
. "$SCRIPTS/package.sh"

export RUSTC
TOOL=$BUILD/tools/release/xpagemap
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
	echo
	copyright_of_all
}

# The libraries that the program needs, with their least versions.
dependencies() {
	mkdir -p "$TREE.shlibs/debian"
	printf 'Source: xpagemap\n\nPackage: xpagemap\nArchitecture: any\n' >"$TREE.shlibs/debian/control"
	(cd "$TREE.shlibs" && dpkg-shlibdeps -O "$TOOL" 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
}

build() {
	local arch depends
	arch=$(dpkg --print-architecture)
	rm -rf "$TREE" "$TREE.shlibs" "$DEB"/xpagemap_*.deb
	install -D -m 755 "$TOOL" "$TREE/usr/bin/xpagemap"
	"$TOOL" man | gzip -9n | install_as 644 usr/share/man/man8/xpagemap.8.gz
	"$TOOL" completions bash | install_as 644 usr/share/bash-completion/completions/xpagemap
	"$TOOL" completions zsh | install_as 644 usr/share/zsh/vendor-completions/_xpagemap
	"$TOOL" completions fish | install_as 644 usr/share/fish/vendor_completions.d/xpagemap.fish
	copyright | install_as 644 usr/share/doc/xpagemap/copyright
	gzip -9nc "$ROOT/CHANGELOG.md" | install_as 644 usr/share/doc/xpagemap/changelog.gz
	depends=$(dependencies)
	[ -n "$depends" ] || die "dpkg-shlibdeps names no library"
	install_as 644 DEBIAN/control <<-END
		Package: xpagemap
		Version: $VERSION
		Architecture: $arch
		Maintainer: $MAINTAINER
		Section: admin
		Priority: optional
		Depends: $depends
		Suggests: xpagemap-modules
		Installed-Size: $(installed_size)
		Description: tells where each page of a process is, shared memory in swap included
		 The command line of xpagemap: pages in memory and in swap by process, file and
		 swap device, and whether they are exclusive to the process. On any kernel it
		 tells what /proc knows, and says what it does not.
		 .
		 The rest needs the xpagemap module, and that a Linux 7.3 with xpagemap's
		 patches, as the packages of \`make deb-kernel\`. There is no DKMS package, since the
		 module does not build without them.
	END
	pack "$DEB/xpagemap_${VERSION}_$arch.deb"
}

need_tool dpkg-shlibdeps dpkg-dev
"$SCRIPTS/tools.sh"
work "build the package" "$BUILD/log/deb.log" build
ls "$DEB"/xpagemap_*.deb
