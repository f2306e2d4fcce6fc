#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/test.sh NAME...: runs these programs or single tests in one guest, and builds
# no more than they need. Prints their KTAP. KERNEL in the environment: patched, debug,
# or stock for the results that the tests have there. XPAGEMAP_STORM_SECONDS is passed on.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

KERNEL=${KERNEL:-patched}
export TESTS=$*

# The programs that TESTS names, or whose tests it names.
programs() {
	cd "$ROOT/selftests"
	# shellcheck source=selftests/names.sh
	. ./names.sh
	{ all_programs | sed 's/.*/& & &/'; test_table; } | awk -v tests="$TESTS" '
		BEGIN { split(tests, name, " "); for (i in name) wanted[name[i]] }
		(($1 in wanted) || ($2 in wanted) || ($3 in wanted)) && !seen[$1]++ { print $1 }'
}

[ $# -gt 0 ] || die "T= a program or a test, as selftests/run.sh --list names them: T=memfd, T=memfd.every_page_swapped"
check_variant "$KERNEL"
names=$("$ROOT/selftests/run.sh" --stock-list) || die "$names"
[ "$KERNEL" != stock ] || [ -n "$names" ] || die "$TESTS: nothing to run on stock"
"$QEMU_DIR/build.sh" "$KERNEL"
mapfile -t PROGRAMS < <(programs)
[ ${#PROGRAMS[@]} -eq 0 ] || build_selftests "$KERNEL" "${PROGRAMS[@]}"
cd "$ROOT"
command=(selftests/run.sh)
[ "$KERNEL" != stock ] || command+=(--stock)
limit=300
[ "$KERNEL" != debug ] || limit=900
seconds=${XPAGEMAP_STORM_SECONDS:-0}
exec "$QEMU_DIR/run.sh" --kernel "$KERNEL" --no-build --nodes 2 --timeout $((1800 + 10 * seconds)) -- \
	env "TESTS=$TESTS" "XPAGEMAP_SELFTESTS=$BUILD/selftests" "XPAGEMAP_PROGRAM_TIMEOUT=$limit" \
	"XPAGEMAP_STORM_SECONDS=${XPAGEMAP_STORM_SECONDS:-}" "${command[@]}"
