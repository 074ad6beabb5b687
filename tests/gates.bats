#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Faults in time: what comes later under a rule is to the program what really
# comes later. Each case of tests/progs/gates.c runs twice, with the kernel's
# own event and under its rule, and has to print the same.

load helpers

setup() {
	GATES=$PROGS/gates
	export GATES SW TMP=$BATS_TEST_TMPDIR
}

# view HOW NAME RULE T: one run's lines in $TMP/HOW.NAME; its status.
view() {
	local out=$TMP/$1.${2//\//_}

	if [ "$1" = real ]; then
		timeout 60 "$GATES" -r -t "$4" "$2"
	else
		timeout 60 "$SW" run --must-fire -o /dev/null \
			-e "${3//@T@/$4ms}" -- "$GATES" -t "$4" "$2"
	fi >"$out" 2>"$out.err" </dev/null
}

# pair LINE: both runs of a line of the list. Where the machine was too slow to
# look while the gate was closed (75; 125 if the rule was not even asked), again
# with a longer time.
pair() {
	local name rule how status t n

	IFS=$'\t' read -r name rule <<<"$1"
	n=${name//\//_}
	for how in real ours; do
		for t in 200 800 3200; do
			status=0
			view "$how" "$name" "$rule" "$t" || status=$?
			[[ $status =~ ^(75|125)$ ]] || break
		done
		[ "$status" -eq 0 ] ||
			echo "status $status: $(head -c 300 "$TMP/$how.$n.err")" \
				>>"$TMP/$how.$n"
	done
	cmp -s "$TMP/real.$n" "$TMP/ours.$n" || {
		echo "$name under '${rule//@T@/${t}ms}': -kernel +rule"
		diff -U20 "$TMP/real.$n" "$TMP/ours.$n" | tail -n +4
	} >"$TMP/differs.$n"
}

# same REGEX: these cases, some at least. Most of their time is spent waiting.
same() {
	export -f view pair
	"$GATES" list | grep -E -- "$1" >"$TMP/cases"
	tr '\n' '\0' <"$TMP/cases" |
		xargs -0 -P $((8 * $(nproc))) -I{} bash -c 'pair "$1"' _ {}
	! cat "$TMP"/differs.* 2>/dev/null
}

@test "a connection that takes its time, in every way to wait for it" {
	same '^connect(-stall)?:(block|.*poll|.*select|epoll_.*|edge)(\+asked)?	'
}

@test "a connection that fails in the end, in every way to wait for it" {
	same '^(refused|timedout|unreachable):(block|.*poll|.*select|epoll_.*|edge)(\+asked)?	'
}

@test "connect: what else a program can do meanwhile" {
	same '^connect:(again|view|until|close|dissolve|shut|then|set-|edge-|oneshot|mod|two|fork|already|forever)'
}

@test "connect: how it is learnt that it has failed, and what follows" {
	same '^(refused|unreachable):(connect|send|recv|peek|shutdown|names|SO_ERROR|un|set-|edge-)'
}

@test "AF_UNIX: connect waits for room in the queue" {
	same '^unix-connect:'
}

@test "accept: the connection there was word of is gone" {
	same '^accept:'
}

@test "accept: clients that come later" {
	same '^accept-latency:'
}

@test "recv: latency, in every way to wait for it" {
	same '^recv-latency[-:]'
}

@test "recv: a stall, in every way to wait for its end" {
	same '^recv-stall[-:]'
}

@test "send: latency, in every way to wait for it" {
	same '^send-latency[-:]'
}

@test "send: a stall, in every way to wait for its end" {
	same '^send-stall[-:]'
}

@test "recv and send: so many bytes a second" {
	same '^(recv|send)-rate:'
}

@test "recv: through every function" {
	same '^recv-by:'
}

@test "send: through every function" {
	same '^send-by:'
}

@test "flags, and what else is told about data" {
	same '^flag:'
}

@test "SO_RCVTIMEO and SO_SNDTIMEO" {
	same '^timeout:'
}

@test "signals, with SA_RESTART and without" {
	same '^signal:'
}

@test "signals, let in and kept out by the mask of a wait" {
	same '^mask:'
}

@test "handlers that make calls, and those that jump out of one" {
	same '^(handler|jump):'
}

@test "threads that are cancelled" {
	same '^cancel:'
}

@test "threads that wait already" {
	same '^already:'
}

@test "epoll: latency" {
	same '^epoll:[^+]*	'
}

@test "epoll: a stall that a call has met" {
	same '^epoll:.*\+asked	'
}

@test "other sockets are served meanwhile" {
	same '^other:'
}

@test "other processes and numbers" {
	same '^(fork|close):'
}

@test "the end of the stream waits its turn" {
	same '^end:'
}

@test "a stall for ever, and the reset that ends it" {
	same '^(forever|reset):'
}

@test "the cases above leave out no run" {
	local pattern chosen
	chosen=$(grep -oE "same '[^']+'" "$BATS_TEST_FILENAME" |
		grep '\^' | cut -d"'" -f2 | paste -sd'|')
	pattern=$("$GATES" list | grep -vE -- "$chosen" || true)
	[ -z "$pattern" ] || { echo "$pattern"; false; }
	[ "$("$GATES" list | wc -l)" -gt 500 ]
}

# By hand: FLOOD=100000000 SEEDS=100 bats -f careful tests/gates.bats
@test "a careful reader and writer on edges get every byte" {
	local seed bytes=${FLOOD:-2000000}

	for ((seed = 1; seed <= ${SEEDS:-5}; seed++)); do
		run timeout 3600 "$SW" run --must-fire --seed "$seed" \
			-o /dev/null -e 'recv,send prob=30% error=EAGAIN' \
			-e 'recv,send short=1..4096' -- "$GATES" flood "$bytes"
		[ "$status" -eq 0 ] && [ "$output" = "$bytes bytes, 0 wrong" ] ||
			{ echo "seed $seed: $status: $output"; false; }
	done
}
