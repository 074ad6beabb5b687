#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sockwrench show: a trace as text, as JSON, at a glance; and what is no trace.

# run sets stderr_lines
# shellcheck disable=SC2154

load helpers
bats_require_minimum_version 1.5.0

setup() {
	CONNS=$PROGS/show_conns
	SUMMARY=$BATS_TEST_TMPDIR/summary
}

# summary FATE: the summary of a program with that fate, in $SUMMARY.
summary() {
	traced "$CONNS" "$1"
	"$SW" show -f summary "$TRACE" >"$SUMMARY"
	cat "$SUMMARY"
}

# ends N TEXT [PATH]: connection N has that end, and went that way.
ends() {
	grep -qE "^ *$1  .* $2\$" "$SUMMARY"
	[ -z "${3-}" ] ||
		[ "$(grep -A1 -E "^ *$1  " "$SUMMARY" | sed -n '2s/^ *//p')" = "$3" ]
}

# none REGEX FILE: no line of it matches (! would not make a test fail).
none() {
	[ "$(grep -cE -- "$1" "$2")" -eq 0 ]
}

# fails TEXT ARGS...: exit 125 and one line that says TEXT.
fails() {
	local text=$1
	shift
	run --separate-stderr "$SW" show "$@"
	echo "exit $status: $output $stderr"
	[ "$status" -eq 125 ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == sockwrench:*"$text"* ]]
}

# json PYTHON: run it with the objects of the trace in `calls`, the header in
# `head`.
json() {
	"$SW" show -f json -e trace=all "$TRACE" |
		"$PYTHON" -c 'import json, sys
head, *calls = [json.loads(line) for line in sys.stdin]
'"$1"
}

# patch OFFSET BYTES: change the trace.
patch() {
	printf "$2" | dd of="$TRACE" bs=1 seek="$1" conv=notrunc status=none
}

# ---- text and JSON

@test "text: the same lines as the log, but for the clock" {
	local same='s/^([0-9]+) [0-9.]+/\1 T/; s/<[0-9.]+>$/<D>/'
	for fate in client_first reset refused udp pair copies; do
		rm -f "$LOG" "$TRACE"
		SOCKWRENCH_STRSIZE=32 SOCKWRENCH_LOG=$LOG traced "$CONNS" "$fate"
		"$SW" show "$TRACE" >"$LOG.show"
		diff <(sed -E "$same" "$LOG") <(sed -E "$same" "$LOG.show")
		[ "$(wc -l <"$LOG.show")" -gt 5 ]
	done
}

@test "text: times agree with the log's to a millisecond" {
	SOCKWRENCH_LOG=$LOG traced "$CONNS" thread
	"$SW" show "$TRACE" | sort -k3 >"$LOG.show"
	sort -k3 "$LOG" | paste -d' ' - "$LOG.show" | awk '{
		d = $2 - $(NF / 2 + 2)
		if (d > 0.001 || d < -0.001) { print; bad = 1 }
		n++
	} END { exit bad || n < 10 }'
}

@test "text: calls in the order in which they began, across threads" {
	traced "$CONNS" thread
	"$SW" show "$TRACE" | cut -d' ' -f2 >"$LOG"
	sort -n -c "$LOG"
	# the second thread's recv before the shutdown that ends it
	"$SW" show "$TRACE" | grep -A1 ' recv(' | grep -q ' shutdown('
}

@test "text: a call that a kill has interrupted is unfinished" {
	run traced "$CONNS" killed
	[ "$status" -eq 137 ]
	run --separate-stderr "$SW" show "$TRACE"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ $output == *'recv('*') = ? <unfinished>'* ]]
	[[ $output == *' accept('* ]]
}

@test "-t, -tt, -ttt: the clock, the time zone and the epoch" {
	traced "$CONNS" pair
	local now
	now=$(date +%s)
	TZ=UTC-5 "$SW" show -t "$TRACE" |
		grep -qE "^[0-9]+ $(TZ=UTC-5 date -d "@$now" +%H):[0-9]{2}:[0-9]{2} socketpair"
	"$SW" show -tt "$TRACE" | grep -qE '^[0-9]+ ([0-9]{2}:){2}[0-9]{2}\.[0-9]{6} socketpair'
	"$SW" show -ttt "$TRACE" | grep ' socketpair' | awk -v now="$now" \
		'{ exit !($2 > now - 60 && $2 < now + 60) }'
}

@test "json: a header, then objects with exactly the documented keys" {
	traced "$CONNS" client_first
	json '
assert list(head) == ["sockwrench"], head
h = head["sockwrench"]
assert list(h) == ["version", "clock", "epoch", "seed", "argv", "dropped",
		   "damaged"], h
assert h["clock"] in ("tsc", "monotonic") and h["seed"] == 0
assert h["argv"][0].endswith("/show_conns"), h
assert h["argv"][1:] == ["client_first"], h
assert h["dropped"] == h["damaged"] == 0
keys = ("time pid tid call fd conn proto local peer bytes flags ret errno "
	"duration caller rule").split()
assert len(calls) > 10
for c in calls:
    assert list(c) == keys, c
    assert isinstance(c["time"], int) and isinstance(c["duration"], int), c
assert [c["time"] for c in calls] == sorted(c["time"] for c in calls)
(send,) = [c for c in calls if c["call"] == "send"]
assert send["bytes"] == send["ret"] == 5 and send["proto"] == "tcp", send
assert send["conn"] == 2 and send["errno"] is None, send
(conn,) = [c for c in calls if c["call"] == "connect"]
assert send["peer"] == conn["peer"] and send["peer"].startswith("127.0.0.1:")
assert h["epoch"] + send["time"] > 1700000000 * 10**9
'
}

@test "json: errors by name, unfinished calls without a result" {
	run traced "$CONNS" killed
	json '
c = calls[-1]
assert c["call"] == "recv", c
assert c["ret"] is None and c["duration"] is None and c["bytes"] is None, c
'
	traced "$CONNS" refused
	json '
(c,) = [c for c in calls if c["call"] == "connect"]
assert c["ret"] == -1 and c["errno"] == "EINPROGRESS", c
'
}

@test "a resolver's code says nothing of errno, but for EAI_SYSTEM" {
	# as another call has left it; a number that is none needs no server
	SOCKWRENCH_TRACE=$TRACE logged "$PYTHON" -c '
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
hints = (ctypes.c_int * 12)(4)	# AI_NUMERICHOST
ctypes.set_errno(errno.ENOTTY)
found = ctypes.c_void_p()
libc.getaddrinfo(b"no.number", b"80", hints, ctypes.byref(found))
'
	in_log ' getaddrinfo\("no.number", "80"\) = EAI_NONAME <' 1
	json 'c, = [c for c in calls if c["call"] == "getaddrinfo"]
assert c["ret"] == -2 and c["errno"] is None, c'
	# the same record with EAI_SYSTEM, -11, in place of -2
	patch "$("$PYTHON" -c 'import struct, sys
d = open(sys.argv[1], "rb").read()
at, = [at for at in range(24576, len(d), 64) if d[at] == 2 and
       struct.unpack_from("<H", d, at + 4)[0] == 25]	# ENOTTY
print(at + 24)' "$TRACE")" '\365'
	"$SW" show -e trace=resolve "$TRACE" >"$LOG"
	in_log '"no.number", "80"\) = EAI_SYSTEM ENOTTY \(Inappropriate ioctl for device\) <' 1
	json 'c, = [c for c in calls if c["call"] == "getaddrinfo"]
assert c["errno"] == "ENOTTY", c'
}

@test "json: the header comes even when no call is chosen" {
	traced "$CONNS" client_first
	"$SW" show -f json -Z "$TRACE" >"$LOG"
	[ "$(wc -l <"$LOG")" -eq 1 ]
}

# ---- choosing

@test "-e trace=SET: the default set, a family, all" {
	traced "$CONNS" client_first
	"$SW" show "$TRACE" | grep -q ' execve('
	"$SW" show -e trace=send,close "$TRACE" >"$LOG"
	in_log ' (send|close)\(' 4
	[ "$(wc -l <"$LOG")" -eq 4 ]
	SOCKWRENCH_CALLS=all traced "$CONNS" forked
	"$SW" show "$TRACE" >"$LOG"
	none ' fork\(' "$LOG"
	"$SW" show -e trace=all "$TRACE" | grep -q ' fork('
	"$SW" show -f json -e trace=process "$TRACE" | grep -q '"call":"fork"'
	"$SW" show -f json "$TRACE" >"$LOG"
	none '"call":"fork"' "$LOG"
}

@test "--conn: calls about one socket, and the one that made it" {
	traced "$CONNS" client_first
	"$SW" show --conn 2 "$TRACE" >"$LOG"
	in_log ' (socket|connect|send|close)\(' 4
	[ "$(wc -l <"$LOG")" -eq 4 ]
	"$SW" show --conn 3 "$TRACE" >"$LOG"
	in_log ' (accept|recv|close)\(' 4
	[ "$(wc -l <"$LOG")" -eq 4 ]
	"$SW" show --conn=77 "$TRACE" >"$LOG"
	[ ! -s "$LOG" ]
	"$SW" show -f summary --conn 2 "$TRACE" >"$SUMMARY"
	ends 2 'closed by us'
	none '^ *[13]  ' "$SUMMARY"
	# accept is about the listener too
	"$SW" show -f summary --conn 3 "$TRACE" >"$SUMMARY"
	ends 3 'closed by peer first'
	none '^ *[12]  ' "$SUMMARY"
}

@test "--pid: one process of several" {
	traced "$CONNS" forked
	local child parent
	child=$("$SW" show "$TRACE" | awk '/ send\(/ { print $1 }')
	parent=$("$SW" show "$TRACE" | awk '/ connect\(/ { print $1 }')
	[ "$child" -ne "$parent" ]
	"$SW" show --pid "$child" "$TRACE" >"$LOG"
	in_log "^$child " 3
	[ "$(wc -l <"$LOG")" -eq 3 ]
	"$SW" show --pid "$parent" "$TRACE" >"$LOG"
	none "^$child " "$LOG"
	in_log ' connect\('
}

@test "--injected: nothing was, so nothing is shown" {
	traced "$CONNS" client_first
	"$SW" show --injected "$TRACE" >"$LOG"
	[ ! -s "$LOG" ]
}

@test "--injected: a call that a rule has touched" {
	traced "$CONNS" client_first
	# the rule of the record is its third 16-bit number after state and slots
	local at
	at=$("$PYTHON" -c 'import struct, sys
d = open(sys.argv[1], "rb").read()
for at in range(24576 + 64, len(d), 64):
    if d[at] == 2 and struct.unpack_from("<q", d, at + 24)[0] == 5:
        print(at + 6)
        break' "$TRACE")
	patch "$at" '\003'
	"$SW" show --injected "$TRACE" >"$LOG"
	[ "$(wc -l <"$LOG")" -eq 1 ]
	in_log ' = 5(<.*>)? .* \[#3\]$'
}

@test "-z and -Z: what succeeded, what failed" {
	traced "$CONNS" later
	"$SW" show -Z "$TRACE" >"$LOG"
	in_log ' = -1 E(AGAIN|INPROGRESS) ' 3
	[ "$(wc -l <"$LOG")" -eq 3 ]
	"$SW" show -z "$TRACE" >"$LOG"
	none ' = -1 ' "$LOG"
	in_log ' listen\('
}

# ---- at a glance

@test "summary: the client closes first" {
	summary client_first
	ends 1 'closed by us' 'CLOSED > LISTEN > CLOSED'
	ends 2 'closed by us' \
		'CLOSED > SYN_SENT > ESTABLISHED > FIN_WAIT_1 (> FIN_WAIT_2 > TIME_WAIT)'
	ends 3 'closed by peer first' \
		'SYN_RCVD > ESTABLISHED > CLOSE_WAIT > LAST_ACK (> CLOSED)'
	grep -qE '^ *2  tcp +client +127\.0\.0\.1:[0-9]+ -> 127\.0\.0\.1:[0-9]+ +0\.[0-9]{6}  +3  5 in 1 +- +closed' "$SUMMARY"
	grep -qE '^ *3  tcp +server .* 3  - +5 in 1 +closed' "$SUMMARY"
	grep -qE '^process 1, pid [0-9]+, show_conns$' "$SUMMARY"
}

@test "summary: the peer closes first" {
	summary peer_first
	ends 1 'still open at the end' 'CLOSED > LISTEN'
	ends 2 'closed by peer first' \
		'CLOSED > SYN_SENT > ESTABLISHED > CLOSE_WAIT > LAST_ACK (> CLOSED)'
}

@test "summary: shutdown, then the peer's end" {
	summary shut_first
	ends 2 'closed by us' \
		'CLOSED > SYN_SENT > ESTABLISHED > FIN_WAIT_1 > FIN_WAIT_2 > TIME_WAIT'
	# a send after it fails for that reason alone
	grep -q '^        errors: EPIPE 1$' "$SUMMARY"
}

@test "summary: a reset, on both sides" {
	summary reset
	ends 2 'reset by peer' 'CLOSED > SYN_SENT > ESTABLISHED > CLOSED'
	ends 3 'reset by us' 'SYN_RCVD > ESTABLISHED > CLOSED'
	grep -q '^        errors: ECONNRESET 1$' "$SUMMARY"
}

@test "summary: a reset by what the listener was told" {
	summary inherited
	ends 2 'reset by peer' 'CLOSED > SYN_SENT > ESTABLISHED > CLOSED'
	ends 3 'reset by us' 'SYN_RCVD > ESTABLISHED > CLOSED'
}

@test "summary: a close with data unread is a reset" {
	summary unread
	ends 2 'reset by peer' 'CLOSED > SYN_SENT > ESTABLISHED > CLOSED'
	ends 3 'reset by us' 'SYN_RCVD > ESTABLISHED > CLOSED'
}

@test "summary: so is one with data that came while the close was held back" {
	"$SW" run --must-fire -w "$TRACE" -e 'close conn=3 delay=2s' -- \
		"$CONNS" unread_late
	"$SW" show -f summary "$TRACE" >"$SUMMARY"
	ends 2 'reset by peer' 'CLOSED > SYN_SENT > ESTABLISHED > CLOSED'
	ends 3 'reset by us' 'SYN_RCVD > ESTABLISHED > CLOSED'
}

@test "summary: a connection refused in the background, and one made" {
	summary refused
	ends 2 'refused' 'CLOSED > SYN_SENT > CLOSED'
	summary later
	ends 2 'still open at the end' 'CLOSED > SYN_SENT > ESTABLISHED'
	grep -q '^        waits: EINPROGRESS 1 EAGAIN 2$' "$SUMMARY"
	none 'errors: ' "$SUMMARY"
}

@test "summary: UDP has no states, and an empty datagram is no end" {
	summary udp
	ends 1 'closed by us'
	ends 2 'still open at the end'
	grep -qE '^ *1  udp .* 3 in 1 +closed' "$SUMMARY"
	none 'ESTABLISHED' "$SUMMARY"
}

@test "summary: a pair of AF_UNIX sockets" {
	summary pair
	ends 1 'closed by us'
	ends 2 'closed by peer first, never closed by us'
	grep -q '^        errors: EPIPE 1$' "$SUMMARY"
}

@test "summary: the last descriptor's close is the end, not the first's" {
	summary copies
	ends 1 'still open at the end'
	ends 2 'closed by peer first' \
		'CLOSED > SYN_SENT > ESTABLISHED > CLOSE_WAIT > LAST_ACK (> CLOSED)'
	# dup2 over it was the close
	grep -qE '^ *2  .*[0-9]  +4  - ' "$SUMMARY"
}

@test "summary: a connection goes on in the child" {
	summary forked
	ends 3 'closed by us' \
		'SYN_RCVD > ESTABLISHED > FIN_WAIT_1 (> FIN_WAIT_2 > TIME_WAIT)'
	grep -qE '^ *3  tcp .* 3  2 in 1 ' "$SUMMARY"
	ends 2 'closed by peer first'
	# what they share is the parent's
	[ "$(grep -c '^process ' "$SUMMARY")" -eq 1 ]
	summary left
	ends 3 'still open at the end' 'SYN_RCVD > ESTABLISHED'
}

@test "summary: the end that our own shutdown makes is not the peer's" {
	summary thread
	ends 2 'closed by us' \
		'CLOSED > SYN_SENT > ESTABLISHED > FIN_WAIT_1 (> FIN_WAIT_2 > TIME_WAIT)'
}

@test "summary: a shell's children have their own connections" {
	traced sh -c '"$0" pair; "$0" peer_first' "$CONNS"
	"$SW" show -f summary "$TRACE" >"$SUMMARY"
	grep -qE '^process 1\.1, pid [0-9]+, show_conns$' "$SUMMARY"
	grep -qE '^process 1\.2, pid [0-9]+, show_conns$' "$SUMMARY"
	[ "$(grep -cE '^ *1  ' "$SUMMARY")" -eq 2 ]
}

@test "summary: calls counted as strace -c counts them" {
	summary later
	grep -qE '^ *[0-9.]+ +[0-9]+\.[0-9]{6} +[0-9]+ +2 +2 recv$' "$SUMMARY"
	grep -qE '^ *[0-9.]+ +[0-9]+\.[0-9]{6} +[0-9]+ +1 +listen$' "$SUMMARY"
	none ' execve$' "$SUMMARY"
	sed -n '/^% time/,$p' "$SUMMARY" | awk '
		$NF == "total" { if (n != $4 || ($1 != "100.00")) exit 1; ok = 1 }
		$1 ~ /^[0-9.]+$/ { n += $4 }
		END { exit !ok }'
}

# ---- what is missing

@test "a full trace says how many calls it lacks" {
	(ulimit -f 32; traced "$CONNS" many)
	run --separate-stderr "$SW" show "$TRACE"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -gt 20 ]
	[[ $stderr =~ ^'sockwrench: '([0-9]+)' calls did not fit into the trace and are missing'$ ]]
	[ "${BASH_REMATCH[1]}" -gt 1000 ]
	json "assert head['sockwrench']['dropped'] == ${BASH_REMATCH[1]}" 2>/dev/null
}

@test "a damaged record is counted, the others are shown" {
	traced "$CONNS" client_first
	local before
	before=$("$SW" show "$TRACE" | wc -l)
	# the last record that is a call
	patch "$("$PYTHON" -c 'import sys
d = open(sys.argv[1], "rb").read()
print(max(at for at in range(24576, len(d), 64) if d[at] == 2) + 2)' \
		"$TRACE")" '\377\377'
	run --separate-stderr "$SW" show "$TRACE"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq $((before - 1)) ]
	[ "$stderr" = "sockwrench: the trace is damaged: 1 of its records could not be read" ]
}

@test "a trace cut anywhere is refused or shown, never a crash" {
	traced "$CONNS" forked
	local size len
	size=$(stat -c %s "$TRACE")
	for ((len = 0; len < size; len += 397)); do
		head -c "$len" "$TRACE" >"$TRACE.cut"
		for form in text json summary; do
			run -"$((len < 24576 ? 125 : 0))" --separate-stderr \
				"$SW" show -f "$form" "$TRACE.cut"
			[ "${#stderr_lines[@]}" -eq 1 ]
		done
	done
}

@test "a trace that is being written can be read" {
	local said=$BATS_TEST_TMPDIR/said go=$BATS_TEST_TMPDIR/go
	mkfifo "$said" "$go"
	exec 4<>"$said" 5<>"$go"
	background env SOCKWRENCH_TRACE="$TRACE" LD_PRELOAD="$LIB" \
		"$PYTHON" -c 'import os, socket
a, b = socket.socketpair()
a.send(b"x")
os.write(4, b"sent\n")
os.read(5, 1)
a.send(b"y")'
	read -r -t 10 -u 4
	[ "$(stat -c %s "$TRACE")" -gt $((1 << 32)) ]
	"$SW" show "$TRACE" >"$LOG"
	in_log ' send\(' 1
	echo >&5
	wait "${PIDS[0]}"
	"$SW" show "$TRACE" >"$LOG"
	in_log ' send\(' 2
}

@test "a trace too large to be copied is mapped" {
	traced "$CONNS" client_first
	"$SW" show "$TRACE" >"$LOG"
	truncate -s 300M "$TRACE"
	# the number of units that have been taken: 76800
	patch 64 '\000\054\001\000'
	run --separate-stderr "$SW" show "$TRACE"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$output" = "$(cat "$LOG")" ]
	# and if it is not as large as it says, nothing beyond its end is touched
	truncate -s 28672 "$TRACE"
	run --separate-stderr "$SW" show "$TRACE"
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat "$LOG")" ]
	[ "$stderr" = "sockwrench: the trace is truncated: its last calls are missing" ]
}

# ---- what is no trace

@test "files that are no trace: one line each, exit 125" {
	fails 'No such file' "$TRACE"
	fails 'Is a directory' "$BATS_TEST_TMPDIR"
	fails 'is not a regular file' /dev/null
	: >"$TRACE"
	fails 'is empty' "$TRACE"
	fails 'is not a sockwrench trace' "$BATS_TEST_FILENAME"
	traced "$CONNS" pair
	head -c 8191 "$TRACE" >"$TRACE.cut"
	fails 'is truncated' "$TRACE.cut"
	cp "$TRACE" "$TRACE.good"
	patch 12 '\377'
	fails 'is the trace of another version of sockwrench' "$TRACE"
	cp "$TRACE.good" "$TRACE"
	patch 8 '\001\002\003\004'
	fails 'other byte order' "$TRACE"
}

@test "options that make no sense: one line each, exit 125" {
	traced "$CONNS" pair
	fails "-f html: expected text, json, summary or lint" -f html "$TRACE"
	fails "expected one trace file"
	fails "expected one trace file" "$TRACE" "$TRACE"
	fails "--conn 0: expected a whole number from 1 to 2147483647" --conn 0 "$TRACE"
	fails "--pid x: expected a whole number from 1 to 2147483647" --pid x "$TRACE"
	fails "-z and -Z" -z -Z "$TRACE"
	fails "-t: expected" -tttt "$TRACE"
	fails "'sned'" -e trace=sned "$TRACE"
	fails "unknown option" --lint "$TRACE"
}

@test "standard output that cannot be written is an error" {
	traced "$CONNS" pair
	run --separate-stderr bash -c '"$1" show "$2" >/dev/full' - "$SW" "$TRACE"
	[ "$status" -eq 125 ]
	[[ $stderr == *'No space left on device'* ]]
}
