#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs the package of `make deb` in an empty Debian 12, uses it there as a user would, and removes it.
# mmdebstrap makes that root in a directory of its own, from the mirror of this machine's apt, and removes
# it in the end; neither this system's packages nor its sources change. The last line is
# `N passed, N failed, N skipped`.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

SUITE=bookworm
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
WORK=$BUILD/check-deb

# mmdebstrap of the system, or of the archive, opened in the cache: it is a Perl script.
mmdebstrap() {
	local opened=$CACHE/mmdebstrap
	if type -P mmdebstrap >/dev/null; then
		command mmdebstrap "$@"
		return
	fi
	if [ ! -e "$opened/usr/bin/mmdebstrap" ]; then
		rm -rf "$CACHE/tmp/mmdebstrap"
		from_suite "$(debian_codename)" "$CACHE/tmp/mmdebstrap" mmdebstrap || return 1
		rm -rf "$opened" "$CACHE/tmp/mmdebstrap.debs"
		mv "$CACHE/tmp/mmdebstrap" "$opened"
	fi
	perl "$opened/usr/bin/mmdebstrap" "$@"
}

# The root, and the test in it as the last step of making it.
install_and_use() {
	local deb=$1 version
	version=$(dpkg-deb -f "$deb" Version)
	apt-config dump | grep '^Acquire::' >"$WORK/apt.conf"
	TMPDIR=$WORK mmdebstrap --variant=minbase --include=man-db --format=null --aptopt="$WORK/apt.conf" \
		--customize-hook="copy-in $deb $SCRIPTS/test-deb.sh /root" \
		--customize-hook="chroot \"\$1\" sh /root/test-deb.sh /root/${deb##*/} $version" \
		"$SUITE" /dev/null "deb [signed-by=$KEYRING] $MIRROR $SUITE main"
}

MIRROR=$(debian_mirror)
[ -n "$MIRROR" ] || die "apt here has no Debian mirror"
[ -e "$KEYRING" ] || die "$KEYRING is missing: install debian-archive-keyring"
rm -rf "$WORK"
mkdir -p "$WORK"
DEB=$("$SCRIPTS/deb.sh")
status=0
work "install ${DEB##*/} in an empty Debian" "$BUILD/log/check-deb.log" install_and_use "$DEB" || status=1
rm -rf "$WORK"
grep -E '^(not )?ok ' "$BUILD/log/check-deb.log" || :
passed=$(grep -c '^ok ' "$BUILD/log/check-deb.log" || :)
failed=$(grep -c '^not ok ' "$BUILD/log/check-deb.log" || :)
# A test that did not reach its end has failed.
grep -q '^# done$' "$BUILD/log/check-deb.log" || failed=$((failed + 1))
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ] && [ "$status" -eq 0 ]
