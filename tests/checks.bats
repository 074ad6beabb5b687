#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A connect that did not wait, as the kernel decides it and as rules do: every
# way of asking for it gets the same answer (examples/checks).

load helpers
bats_require_minimum_version 1.5.0

CHECKS=$BUILD/examples/checks/checks

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
}

ours() {
	"$SW" run -o "$LOG" -r examples/checks/checks.rules --must-fire -- \
		"$CHECKS" plain
}

@test "checks: refused, timed out and all the rest, the kernel's and ours" {
	timeout 60 "$CHECKS" real >"$BATS_TEST_TMPDIR/kernel"
	ours >"$BATS_TEST_TMPDIR/ours"
	diff "$BATS_TEST_TMPDIR/kernel" "$BATS_TEST_TMPDIR/ours"
	grep -q '^SO_ERROR .* ECONNREFUSED .* ETIMEDOUT$' \
		"$BATS_TEST_TMPDIR/kernel"
}

@test "checks: without the rules it is another table" {
	timeout 60 "$CHECKS" plain >"$BATS_TEST_TMPDIR/plain"
	run ! diff -q "$BATS_TEST_TMPDIR/plain" <(ours)
}

@test "checks: the page is what comes of it today" {
	diff docs/checks.md <(timeout 120 docs/checks.sh "$BUILD")
}
