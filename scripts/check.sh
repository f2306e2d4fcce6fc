#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/check.sh: runs every test on the host, those of the guest on the patched
# kernel, and the tests that have a known result on the stock kernel there. Ends with
# the line `N passed, N failed, N skipped`. TESTS chooses programs and tests; those on
# the host are left out then.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/budget.sh
. "$SCRIPTS/budget.sh"
# shellcheck source=scripts/results.sh
. "$SCRIPTS/results.sh"

# The guests of the stock kernel, which take little of one CPU.
stock_guests() {
	[ -n "${TESTS:-}" ] || host harness "$SCRIPTS/test-harness.sh" stock
	[ -z "$1" ] || guest stock stock selftests/run.sh --stock
}

main() {
	local on_stock beside name
	rm -rf "$RESULTS"
	mkdir -p "$RESULTS" "$BUILD/log"
	"$SCRIPTS/deps.sh"
	"$SCRIPTS/fetch.sh" >/dev/null
	cd "$ROOT"
	on_stock=$(selftests/run.sh --stock-list) || die "$on_stock"
	"$QEMU_DIR/build.sh" patched
	[ -z "$on_stock" ] || "$QEMU_DIR/build.sh" stock
	build_selftests patched
	if [ -z "${TESTS:-}" ]; then
		cargo_tests tools tools "the command line's own tests"
		cargo_tests models models "explore the models of the races"
		host tally selftests/tally_test.sh
		host cases selftests/cases_test.sh
		host series "$SCRIPTS/test-series.sh"
		host budget "$SCRIPTS/test-budget.sh"
		host results "$SCRIPTS/test-results.sh"
		for name in tally cases series budget results harness; do DOCUMENTS+=("$RESULTS/$name.tap"); done
	else
		say "TESTS chooses $TESTS: the tests on the host are left out"
	fi
	stock_guests "$on_stock" >"$BUILD/log/stock-guests.log" &
	beside=$!
	guest patched patched selftests/run.sh
	wait "$beside" || :
	cat "$BUILD/log/stock-guests.log"
	count_guest patched
	[ -z "$on_stock" ] || count_guest stock
	say "all tests have run"
	exec selftests/tally "${DOCUMENTS[@]}"
}

# Read whole before it runs, so that an edit meanwhile changes nothing.
main "$@"
exit
