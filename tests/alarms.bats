#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the audit must not say: programs that do nothing wrong where it might
# look so (tests/progs/innocent.c). Real programs were accused of each.

# '$PORT' is audit's, '$0' of the inner shell, and run sets status and output:
# shellcheck disable=SC2016,SC2154

load helpers
bats_require_minimum_version 1.5.0

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
}

# cleared FAULTS OPTIONS... -- PROG...: some of these happen, nothing is found.
cleared() {
	run "$SW" audit -j 2 --faults "$@"
	echo "$output"
	[ "$status" -eq 0 ]
	grep -qE ' trials?: .* 0 findings' <<<"$output"
	run ! grep -qE ' trials?: 0 tolerated, 0 handled' <<<"$output"
}

# client FAULTS CASE
client() {
	cleared "$1" --server "$BUILD/examples/peer/peer answer 400" -- \
		"$PROGS/innocent" "$2" '$PORT'
}

# server FAULTS CASE
server() {
	cleared "$1" --client \
		"$BUILD/examples/peer/peer ask \$PORT hello" -- \
		"$PROGS/innocent" "$2"
}

@test "what was measured is another number, with another unit" {
	client latency measures
}

@test "a report on standard output says what went wrong" {
	client ECONNREFUSED,reset,eof reports
}

@test "who waits to try again does not hang" {
	client ECONNREFUSED,EHOSTUNREACH,reset tries_again
}

@test "who still gets on does not hang" {
	client short takes_its_time
}

@test "who asks again in other words has lost nothing" {
	client EPIPE,ETIMEDOUT asks_anew
}

@test "what poll has told of a stream TCP does not take back: a note" {
	client EAGAIN,latency trusts_poll
	run "$SW" audit --notes --faults EAGAIN --server \
		"$BUILD/examples/peer/peer answer 400" -- \
		"$PROGS/innocent" trusts_poll '$PORT'
	[[ $output == *'note: wrong-output: recv at receive innocent.c:'* ]]
	[[ $output == *'note: wrong-output: send at sent innocent.c:'* ]]
}

@test "the first bytes of a connection are sent whole: a note" {
	client short=1,short=50% sends_once
	run "$SW" audit --notes --faults short=1 --server \
		"$BUILD/examples/peer/peer answer 400" -- \
		"$PROGS/innocent" sends_once '$PORT'
	[[ $output == *'note: short-write-lost: send at '* ]]
}

@test "the kernel sends 536 first bytes whole, with the smallest of buffers" {
	local mss first
	for mss in 536 1460 9000; do
		first=$(examples/own-net.sh sh -c \
			'ip link set lo gso_max_segs 1; exec "$0" "$1"' \
			"$PROGS/first_bytes" "$mss")
		echo "MSS $mss: $first"
		[ "$first" -ge 536 ]
		[ "$first" -lt 1000000 ]
	done
}

@test "a client that is sent away for want of descriptors is not the next" {
	server EMFILE sends_away
}

@test "a server that has said that it begins with less is not stuck" {
	server EADDRINUSE goes_on_with_one
}
