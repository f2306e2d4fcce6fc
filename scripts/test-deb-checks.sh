# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# A line `ok` or `not ok` for each check. Sourced by the tests that run in an empty Debian.

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 MANPAGER=cat
number=0

check() {
	number=$((number + 1))
	name=$1
	shift
	if "$@"; then echo "ok $number $name"; else echo "not ok $number $name"; fi
}

fails() { ! "$@" >/dev/null 2>&1; }
is() { [ "$1" = "$2" ] || { echo "# $1, not $2"; return 1; }; }
