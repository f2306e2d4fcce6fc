#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs the packages of `make deb` and `make deb-kernel` in an empty Debian 12, uses them there as a user
# would, boots the installed kernel in a guest with that Debian as its root, and removes them.
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

# The root, and the tests in it as the last steps of making it. QEMU boots the kernel that was installed.
install_and_use() {
	local cli=$1 version tests=("$SCRIPTS/test-deb.sh" "$SCRIPTS/test-deb-kernel.sh" "$SCRIPTS/test-deb-checks.sh")
	version=$(dpkg-deb -f "$cli" Version)
	apt-config dump | grep '^Acquire::' >"$WORK/apt.conf"
	TMPDIR=$WORK mmdebstrap --variant=minbase --include=man-db --format=null --aptopt="$WORK/apt.conf" \
		--customize-hook="copy-in $* ${tests[*]} /root" \
		--customize-hook="chroot \"\$1\" sh /root/test-deb.sh /root/${cli##*/} $version" \
		--customize-hook="chroot \"\$1\" sh /root/test-deb-kernel.sh install" \
		--customize-hook="$SCRIPTS/boot-root.sh \"\$1\" \"\$1\"/boot/vmlinuz-* /root/test-deb-kernel.sh" \
		--customize-hook="chroot \"\$1\" sh /root/test-deb-kernel.sh remove" \
		"$SUITE" /dev/null "deb [signed-by=$KEYRING] $MIRROR $SUITE main"
}

MIRROR=$(debian_mirror)
[ -n "$MIRROR" ] || die "apt here has no Debian mirror"
[ -e "$KEYRING" ] || die "$KEYRING is missing: install debian-archive-keyring"
rm -rf "$WORK"
mkdir -p "$WORK"
DEB=$("$SCRIPTS/deb.sh")
mapfile -t KERNEL < <("$SCRIPTS/deb-kernel.sh")
[ ${#KERNEL[@]} -eq 2 ] || die "make deb-kernel failed"
status=0
work "install ${DEB##*/} and the kernel in an empty Debian" "$BUILD/log/check-deb.log" \
	install_and_use "$DEB" "${KERNEL[@]}" || status=1
rm -rf "$WORK"
grep -E '^(not )?ok ' "$BUILD/log/check-deb.log" || :
passed=$(grep -c '^ok ' "$BUILD/log/check-deb.log" || :)
failed=$(grep -c '^not ok ' "$BUILD/log/check-deb.log" || :)
# A test that did not reach its end has failed.
for end in '# done' '# guest done' '# kernel done'; do
	grep -q "^$end\r*\$" "$BUILD/log/check-deb.log" || failed=$((failed + 1))
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ] && [ "$status" -eq 0 ]
