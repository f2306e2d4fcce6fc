#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Programs that others wrote, unmodified, as judges and as users of the interfaces: runs each in a
# guest and writes what it found, its section of Documentation/clients.md. CLIENTS="drgn redis"
# chooses; sections of the others stay. Packages of Debian and PyPI are opened in the cache.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

DOC=$ROOT/Documentation/clients.md
OUT=$BUILD/clients
# Each file in scripts/clients/ is a client, but for what they share and what runs in guests.
mapfile -t ALL < <(find "$SCRIPTS/clients" -maxdepth 1 -name '*.sh' ! -name '*-guest.sh' ! -name packages.sh -printf '%f\n' |
	sed 's/\.sh$//' | sort)

# run_client NAME: scripts/clients/NAME.sh prints the section's text, and fails if the client
# disagrees or a guest's kernel log is not clean. A shell of its own: `set -e` holds in it.
run_client() {
	mkdir -p "$OUT/$1"
	say "client: $1 ..."
	# shellcheck disable=SC2016 # for the inner shell to expand
	DIR=$OUT/$1 bash -c '. "$1/common.sh"; . "$1/clients/packages.sh"; . "$1/clients/$2.sh"' \
		"clients/$1" "$SCRIPTS" "$1" >"$OUT/$1.md"
}

section() { awk -v heading="## $1" '/^## /{ on = $0 == heading } on' "$DOC"; }

# The section as it is now, where it was, or before the last one, which is no client's.
replace_section() {
	local heading="## $1" before='## Readers of /proc/PID/pagemap'
	! grep -qx "$heading" "$DOC" || before=$heading
	{
		awk -v heading="$heading" -v before="$before" -v file="$OUT/$1.md" '
			$0 == before { print heading; print ""; while ((getline line < file) > 0) print line; print "" }
			/^## / { old = $0 == heading }
			!old' "$DOC"
	} | cat -s >"$OUT/document"
	# No blank line at the end.
	printf '%s\n' "$(cat "$OUT/document")" >"$DOC"
}

read -ra chosen <<<"${CLIENTS:-${ALL[*]}}"
failed=()
for client in "${chosen[@]}"; do
	[ -e "$SCRIPTS/clients/$client.sh" ] || die "no such client: $client (${ALL[*]})"
	if run_client "$client"; then
		replace_section "$client"
	else
		failed+=("$client")
		cat "$OUT/$client.md" >&2
	fi
done
for client in "${chosen[@]}"; do section "$client"; done
[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}"
