#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# How a program's own test suite uses sockwrench. '$PORT' is the audit's.
# shellcheck disable=SC2016

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	PATH=$PWD/build:$PATH
}

@test "the client says so when its server has gone" {
	coproc SERVER { exec build/examples/peer/peer echo; }
	read -ru "${SERVER[0]}" port
	run sockwrench run --must-fire -o /dev/null -e 'send when=2 error=EPIPE' \
		-- build/examples/echo/client_good "$port" <examples/echo/lines
	kill "$SERVER_PID"
	[ "$status" -eq 1 ]
	[[ $output == *'echo client: send: Broken pipe' ]]
}

@test "the client stands what a network does" {
	sockwrench audit --server 'build/examples/peer/peer echo' \
		--input examples/echo/lines -- \
		build/examples/echo/client_good '$PORT'
}
