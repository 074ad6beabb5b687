#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make demo tells the truth: it fails where its story does not happen.

load helpers

# demo_with CLIENT: the demo, where that one has the naive client's place.
demo_with() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p build/examples
	cp -r "$ROOT/examples" .
	cp -r "$BUILD/examples/echo" "$BUILD/examples/peer" build/examples
	cp "$SW" "$LIB" build
	cp -f "$BUILD/examples/echo/$1" build/examples/echo/client
	run timeout 120 examples/demo.sh
}

@test "demo: it happens, is found, is reproduced and is fixed" {
	demo_with client
	[ "$status" -eq 0 ]
	[[ $output == *'error: sigpipe-death: write at main client.c'* ]]
	[[ $output == *' 0 findings'* ]]
}

@test "demo: with a client that has nothing wrong it fails" {
	demo_with client_good
	[ "$status" -eq 1 ]
	[[ $output == *'expected status 141'* ]]
}
