#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What make demo and make check do on a machine where something is missing.

load helpers

@test "packages that are there: nothing is said or done" {
	echo bash >"$BATS_TEST_TMPDIR/list"
	run "$ROOT/tests/need.sh" "$BATS_TEST_TMPDIR/list"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "packages missing and no right to install: the one command is named" {
	printf '# a comment\nbash\nsockwrench-no-such-package\n' \
		>"$BATS_TEST_TMPDIR/list"
	chmod 755 "$BATS_TEST_TMPDIR"
	cp "$ROOT/tests/need.sh" "$BATS_TEST_TMPDIR/need.sh"
	cd "$BATS_TEST_TMPDIR"
	run setpriv --reuid=65534 --clear-groups bash -s list <need.sh
	[ "$status" -eq 1 ]
	[[ $output == *"sudo apt-get install -y --no-install-recommends sockwrench-no-such-package"* ]]
}

@test "every package that the suite names exists in this Debian" {
	local package
	for package in $(sed 's/#.*//' "$ROOT/tests/packages.txt" \
		"$ROOT/examples/packages.txt"); do
		dpkg-query -W "$package" >/dev/null
	done
}
