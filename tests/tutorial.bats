#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Pages with commands in them: each is typed again, and prints the same.

load helpers

# same PAGE: made anew, it is the one that is kept.
same() {
	timeout 300 "$ROOT/docs/session.sh" "$1" "$BUILD" \
		>"$BATS_TEST_TMPDIR/$1"
	diff "$ROOT/docs/$1" "$BATS_TEST_TMPDIR/$1"
}

@test "tutorial.md: every command prints what the page says" {
	same tutorial.md
}

@test "states.md: every command prints what the page says" {
	same states.md
}
