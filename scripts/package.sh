# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The parts of a Debian package that scripts/deb.sh and scripts/deb-kernel.sh have in common.
# Sourced after common.sh, never run. TREE is the directory that a package is made from.
# shellcheck disable=SC2034

DEB=$BUILD/deb
VERSION=$(sed -nE '/^\[package\]/,/^\[dep/s/^version = "(.*)"/\1/p' "$ROOT/tools/Cargo.toml")
# git's identity, as in the mails of `make post`.
DEBFULLNAME=$(git -C "$ROOT" config user.name || echo xpagemap)
DEBEMAIL=$(git -C "$ROOT" config user.email || echo root@localhost)
MAINTAINER="$DEBFULLNAME <$DEBEMAIL>"

# need_tool TOOL PACKAGE
need_tool() { command -v "$1" >/dev/null || die "$1 is missing: install $2"; }

# install_as MODE PATH: standard input, as a file of the package.
install_as() {
	install -D -m "$1" /dev/stdin "$TREE/$2"
}

# The paragraphs of a copyright file that are the same in each package.
copyright_of_all() {
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

installed_size() { du -sk --apparent-size "$TREE" | cut -f 1; }

# pack FILE: the same commit gives the same bytes.
pack() {
	(cd "$TREE" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum) |
		install_as 644 DEBIAN/md5sums
	find "$TREE" -type d -exec chmod 755 {} +
	SOURCE_DATE_EPOCH=$(git -C "$ROOT" log -1 --format=%ct) dpkg-deb --root-owner-group --build "$TREE" "$1"
}
