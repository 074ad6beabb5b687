#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# examples: each situation happens to the naive program under its rules, as
# its transcript says, and the good twin survives it; where the kernel can be
# had to do the same, it does the same to the naive program.  It cannot for
#   S2, S12         the peer goes between two writes: examples.bats does it for
#                   S2, which reads its lines; a writer does not wait for us
#   S4 with a reset takes a queue that fills up during the handshake
#   S5 ECONNABORTED, S19
#                   Linux hands out a connection that has gone
#   S9              a signal in the middle of the handshake
#   S17, S18, S24   nobody can say how much TCP moves at once
#   S21             takes a quarter of an hour
#   S22             a server that is away for the first question only

load helpers
bats_require_minimum_version 1.5.0

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
}

# transcript SCENARIO: made anew, and as it was; its path.  Descriptors that
# are open here change nothing.
transcript() {
	local name=${1##*/} made
	made=$BATS_TEST_TMPDIR/${1%/*}/transcript${name#scenario}.txt
	examples/transcript.sh -d "$BATS_TEST_TMPDIR" "examples/$1" \
		>&2 10</dev/null 12</dev/null
	diff -u "examples/${made#"$BATS_TEST_TMPDIR/"}" "$made" >&2
	echo "$made"
}

# section TRANSCRIPT TWIN: of the naive or the good program.
section() {
	awk -v twin="$2" '/^S[0-9]+: the / { on = index($0, twin) } on' "$1"
}

# tells TEXT REGEX...: it has lines like these, in that order.
tells() {
	local text=$1 line rest
	rest=$text
	shift
	for line; do
		grep -qE -- "$line" <<<"$rest" || {
			printf 'no "%s" after the ones before in:\n%s\n' \
				"$line" "$text"
			return 1
		}
		rest=$(sed -E "0,\\@$line@d" <<<"$rest")
	done
}

# happens SCENARIO REGEX...: to the naive program.
happens() {
	local made
	made=$(transcript "$1")
	shift
	tells "$(section "$made" naive)" "$@"
}

# survives SCENARIO REGEX...: the good one, by the transcript just made.
survives() {
	local name=${1##*/}
	name=$BATS_TEST_TMPDIR/${1%/*}/transcript${name#scenario}.txt
	shift
	tells "$(section "$name" good)" "$@"
}

# results: the calls of a trace and what came of them, of bytes and
# descriptors only that there were some; and how the program ended.
results() {
	sed -nE '/execve\(/d
		s/^[0-9]+ [0-9.]+ ([a-z0-9_]+)\(.*\) = (-1 E[A-Z]+|0|\?).*/\1 \2/p; t
		s/^[0-9]+ [0-9.]+ ([a-z0-9_]+)\(.*\) = [0-9]+.*/\1 some/p; t
		s/^(exit status .*|\(it .*)/\1/p'
}

# kernel SCENARIO [N]: with the real event the naive program makes the same
# calls, all or the first N, with the same results, and ends the same way.
kernel() {
	local name=${1##*/} made faked real
	made=${1%/*}/transcript${name#scenario}.txt
	examples/transcript.sh -k -d "$BATS_TEST_TMPDIR/real" "examples/$1"
	faked=$(section "examples/$made" naive | sed 1,/show.trace/d)
	real=$(sed 1,/show.trace/d "$BATS_TEST_TMPDIR/real/$made")
	diff <(results <<<"$faked" | head -n "${2:-1000}") \
		<(results <<<"$real" | head -n "${2:-1000}")
	[ "$(results <<<"$real" | wc -l)" -ge 2 ]
	[ "${2-}" ] || diff <(section "examples/$made" naive | ending) \
		<(ending <"$BATS_TEST_TMPDIR/real/$made")
}

# ending: how the program ended, the last that is said before its trace.
ending() {
	sed '/show trace/,$d' | tail -n 1
}

@test "S1: read's -1 is a length, accept's a descriptor" {
	happens echo/scenario.s1 \
		' read\(4.* = -1 ECONNRESET .*server.rules' \
		' write\(4.*-1 \(as size_t\)\) = -1 EFAULT' \
		' accept\(.* = -1 EMFILE .*server.rules' \
		' read\(-1, .* = -1 EBADF' ' write\(-1, .* = -1 EBADF' \
		'and so on, again and again'
	survives echo/scenario.s1 'echo server: read: ' \
		'echo server: accept: ' 'waits for the next client' \
		' close\(4' ' accept\(3.* = -1 EMFILE' ' accept\(3.*unfinished'
	kernel echo/scenario.s1 9
}

@test "S2: the client dies of SIGPIPE" {
	happens echo/scenario.s2 '^one$' 'exit status 141 \(SIGPIPE\)' \
		'"one\\n", 512\) = 4 .*client.rules' \
		' write\(.* = -1 ECONNRESET' ' read\(.* = 0 ' \
		' write\(.*unfinished'
	survives echo/scenario.s2 'echo client: send: Connection reset' \
		'exit status 1'
}

@test "S3: a reset and an end in the middle pass for the end" {
	happens reset/scenario.s3 'exit status 0' \
		' recv\(.* = 1000 .*fetch.rules' ' recv\(.* = -1 ECONNRESET'
	survives reset/scenario.s3 'fetch: recv: Connection reset' \
		'exit status 1'
	happens reset/scenario.s3eof 'exit status 0' \
		' recv\(.* = 1000 .*eof.rules' ' recv\(.* = 0 '
	survives reset/scenario.s3eof 'ended after 1000 bytes' 'exit status 1'
	kernel reset/scenario.s3
	kernel reset/scenario.s3eof
}

@test "S4: a full queue, which drops or resets" {
	happens backlog/scenario.s4 'it still waits' \
		' connect\(.*unfinished.*client.rules'
	survives backlog/scenario.s4 'connect: Connection timed out' \
		'exit status 1'
	kernel backlog/scenario.s4
	happens backlog/scenario.s4reset 'exit status 0' \
		' connect\(.* = -1 ECONNRESET .*reset.rules' \
		' read\(.* = -1 ENOTCONN'
	survives backlog/scenario.s4reset 'connect: Connection reset' \
		'exit status 1'
}

@test "S5: accept's -1 is used as a descriptor" {
	happens oneshot/scenario.s5 'exit status 0' \
		' accept\(.* = -1 ECONNABORTED .*server.rules' \
		' recv\(-1, .* = -1 EBADF' ' close\(-1\) = -1 EBADF'
	survives oneshot/scenario.s5 '^hello$' 'exit status 0' \
		' accept\(.* = -1 ECONNABORTED' ' accept\(.* = 4'
	happens oneshot/scenario.s5emfile 'exit status 0' \
		' accept\(.* = -1 EMFILE .*emfile.rules' \
		' recv\(-1, .* = -1 EBADF' ' close\(-1\) = -1 EBADF'
	survives oneshot/scenario.s5emfile 'accept: Too many open files' \
		'exit status 1'
	kernel oneshot/scenario.s5emfile
}

@test "S6: connect on a listening socket" {
	tells "$(cat "$(transcript listening/scenario.s6)")" \
		'exit status 0' ' listen\(' ' connect\(3.* = -1 EISCONN'
}

@test "S7: writable is not connected" {
	happens nonblocking/scenario.s7 '^connected$' 'exit status 0' \
		' connect\(.* = -1 EINPROGRESS .*connect.rules' \
		' select\(.* = 1 ' ' read\(.* = -1 ECONNREFUSED'
	survives nonblocking/scenario.s7 'connect: Connection refused' \
		'exit status 1' ' getsockopt\(.*SO_ERROR, ECONNREFUSED'
	happens nonblocking/scenario.s7timeout '^connected$' 'exit status 0' \
		' select\(.* = 1 ' ' read\(.* = -1 ETIMEDOUT'
	survives nonblocking/scenario.s7timeout \
		'connect: Connection timed out' 'exit status 1'
	kernel nonblocking/scenario.s7
	kernel nonblocking/scenario.s7timeout
}

# answers FOLDER: the table in the transcript there.
answers() {
	sed -n '/^  *in progress/,/^SO_ERROR, connect/p' \
		"$1/checks/transcript.s8.txt"
}

@test "S8: what the other checks say, of the rules and of the kernel" {
	transcript checks/scenario.s8
	examples/transcript.sh -k -d "$BATS_TEST_TMPDIR/real" \
		examples/checks/scenario.s8
	diff <(answers examples) <(answers "$BATS_TEST_TMPDIR/real")
	answers examples | grep -q '^connect  *EALREADY .* ETIMEDOUT$'
}

@test "S9: connect again after a signal" {
	happens eintr/scenario.s9 'exit status 0' \
		' connect\(.* = -1 EINTR .*client.rules' ' connect\('
	survives eintr/scenario.s9 'exit status 0' \
		' connect\(.* = -1 EINTR' ' poll\(.*POLLOUT' \
		' getsockopt\(.*SO_ERROR, 0\)'
	happens eintr/scenario.s9timed \
		'connect: Operation already in progress' 'exit status 1' \
		' select\(.* = -1 EINTR .*timed.rules' \
		' connect\(.* = -1 EALREADY'
	survives eintr/scenario.s9timed 'exit status 0' ' poll\(.* = -1 EINTR' \
		' getsockopt\(.*SO_ERROR, 0\)'
}

@test "S10: a blocking connect that is in progress" {
	happens sndtimeo/scenario.s10 'exit status 0' \
		'SO_SNDTIMEO' ' connect\(.* = -1 EINPROGRESS .*client.rules' \
		' read\(.* = -1 ETIMEDOUT'
	survives sndtimeo/scenario.s10 'exit status 1' \
		' connect\(.* = -1 EINPROGRESS'
	kernel sndtimeo/scenario.s10
}

@test "S11: refused, no answer, no host" {
	happens unreachable/scenario.s11 'it is still at it' \
		' connect\(.* = -1 ECONNREFUSED .*retry.rules' \
		'and so on, again and again'
	survives unreachable/scenario.s11 'connect: Connection refused' \
		'exit status 1'
	happens unreachable/scenario.s11status '^down$' 'exit status 0' \
		' connect\(.* = -1 EHOSTUNREACH .*status.rules'
	survives unreachable/scenario.s11status '^up: ' 'exit status 0'
	kernel unreachable/scenario.s11
	kernel unreachable/scenario.s11status
}

@test "S11: no answer, for as long as it takes" {
	happens unreachable/scenario.s11slow 'it is still at it' \
		' connect\(.* = -1 ETIMEDOUT .*slow.rules' \
		' connect\(.* = -1 ETIMEDOUT' ' connect\(.* = -1 ETIMEDOUT'
	survives unreachable/scenario.s11slow \
		'connect: Connection timed out' 'exit status 1'
	kernel unreachable/scenario.s11slow
}

@test "S12: SIGPIPE, and three ways to outlive it" {
	local way
	for way in handler ignore nosignal; do
		happens "sigpipe/scenario.s12$way" \
			'exit status 141 \(SIGPIPE\)' ' write\(.* = 7 ' \
			' write\(.* = -1 EPIPE .*writer.rules'
		survives "sigpipe/scenario.s12$way" \
			'writer: send: Broken pipe' 'exit status 1' \
			' send\(.* = -1 EPIPE' ' close\('
	done
	grep -q MSG_NOSIGNAL examples/sigpipe/transcript.s12nosignal.txt
}

@test "S13: what is left unread at the close costs the answer" {
	happens close-unread/scenario \
		'the answer was cut: Connection reset by peer' \
		'exit status 1' ' recv\(.* = 16 .*unread.rules' \
		' send\(.* = 39986' ' close\(4'
	survives close-unread/scenario '^line 1 of the page$' \
		'exit status 0' ' shutdown\(4.*SHUT_WR' ' recv\(4.* = 0 '
	kernel close-unread/scenario
}

@test "S14: a close that is not the last one" {
	happens fork-close/scenario 'mate: no answer in time' \
		' accept\(.* = 4' ' accept\(.*unfinished' \
		' recv\(4.* = 4 .*fork.rules' ' close\(4.* = 0 '
	survives fork-close/scenario 'Connection reset by peer' \
		' accept4\(.* = 4' ' close\(4.* = 0 ' ' accept4\(.*unfinished'
	kernel fork-close/scenario
}

@test "S15: an end that nobody answers with a close" {
	happens close-wait/scenario 'mate: no answer in time' \
		' recv\(4.* = 1 .*goes.rules' ' recv\(4.* = 0 ' \
		' accept\(.*unfinished'
	run ! grep -q ' close(4' <<<"$(section \
		examples/close-wait/transcript.txt naive)"
	survives close-wait/scenario ' recv\(4.* = 0 ' ' close\(4.* = 0 '
	kernel close-wait/scenario
}

@test "S16: the port is still taken" {
	happens time-wait/scenario '^ready$' \
		' bind\(.* = -1 EADDRINUSE .*restart.rules' \
		' listen\(3<tcp:0.0.0.0:PORT>'
	survives time-wait/scenario \
		'cannot listen: Address already in use' 'exit status 1'
	kernel time-wait/scenario
}

@test "S17: a message in several pieces" {
	happens framing/scenario '^record: Mecord$' 'exit status 0' \
		' recv\(.* = 5 .*pieces.rules'
	survives framing/scenario '^record: RECORD$' 'exit status 0' \
		' recv\(.* = 5 .*pieces.rules' ' recv\(.* = 1 '
}

@test "S18: room for a part, and for nothing" {
	happens partial-send/scenario '^2349 bytes' 'exit status 0' \
		' send\(.* = 5 .*full.rules' '"entry 11 ' \
		' send\(.* = -1 EAGAIN .*full.rules' '"entry 21 '
	survives partial-send/scenario '^2392 bytes' 'exit status 0' \
		' send\(.* = 5 ' '" 10 of the journal' ' send\(.* = -1 EAGAIN' \
		' poll\(.*POLLOUT' '"entry 19 '
}

@test "S19: the connection has gone between select and accept" {
	happens blocking-accept/scenario 'mate: no answer in time' \
		'it still waits' ' accept\(.*unfinished.*vanish.rules'
	survives blocking-accept/scenario '^two$' 'exit status 0' \
		' accept4\(.* = -1 EAGAIN .*vanish.rules' '"two\\n"'
}

@test "S20: a peer that says no more" {
	happens silent-peer/scenario 'it still waits' \
		' recv\(.* = 188 .*silent.rules' ' select\(.*unfinished'
	survives silent-peer/scenario 'exit status 1' ' poll\(.*\) = 0 '
	kernel silent-peer/scenario
}

@test "S21: the peer's machine has gone" {
	happens peer-gone/scenario 'exit status 0' \
		' recv\(.* = 500 .*gone.rules' ' recv\(.* = -1 ETIMEDOUT'
	survives peer-gone/scenario 'Connection timed out' 'exit status 1'
}

@test "S22: a late error, and a datagram too long" {
	happens udp/scenario '^bravo: ALPHA$' 'exit status 0' \
		' recv\(.* = -1 ECONNREFUSED .*late.rules' '"ALPHA"'
	survives udp/scenario '^bravo: BRAVO$' 'exit status 0' \
		' recv\(.* = -1 ECONNREFUSED .*late.rules'
	happens udp/scenario.s22 'it still waits' \
		' send\(.* = -1 EMSGSIZE .*long.rules' ' recv\(.*unfinished'
	survives udp/scenario.s22 'exit status 1' ' send\(.* = -1 EMSGSIZE'
}

# ways: of each end, by a summary: LOCAL[ -> PEER]: STATE STATE ...
ways() {
	awk '/^ +[0-9]+  tcp / { end = $4 ($5 == "->" ? " -> " $6 : "") ":" }
	/^ +[A-Z_0-9]+( > |$)/ {
		gsub(/[>()]/, "")
		$1 = $1
		print end, $0
	}'
}

@test "S23: the states by the summary are those the kernel went through" {
	local line end way path state n=0
	transcript states/scenario.s23
	traced "$BUILD/examples/states/states" >"$BATS_TEST_TMPDIR/kernel"
	"$SW" show -f summary "$TRACE" | ways >"$BATS_TEST_TMPDIR/summary"
	while IFS= read -r line; do
		end=${line%: *}
		# a connection that was dissolved has no peer any more
		path=$(grep "^$end: " "$BATS_TEST_TMPDIR/summary" ||
			grep "^${end% -> *}: " "$BATS_TEST_TMPDIR/summary")
		path=" ${path#*: } "
		# all the kernel was seen in, in that order, the last one last
		way=${line##*: }
		n=$((n + $(wc -w <<<"$way")))
		[[ $path =~ \ ${way// /\ (.*\ )?}\ $ ]] || {
			echo "$line, but$path"
			return 1
		}
	done <"$BATS_TEST_TMPDIR/kernel"
	[ "$n" -ge 60 ]
	for state in LISTEN SYN_SENT SYN_RCVD ESTABLISHED FIN_WAIT_1 \
		FIN_WAIT_2 CLOSING TIME_WAIT CLOSE_WAIT LAST_ACK CLOSED; do
		grep -qw "$state" "$BATS_TEST_TMPDIR/kernel"
	done
}

@test "S24: a stamp byte by byte" {
	happens timestamp/scenario '^:: S$' 'exit status 0' \
		' recv\(.* = 1 .*bytes.rules' '23 more like it'
	survives timestamp/scenario '12:34:56' 'exit status 0'
}

@test "S25: all of many connections are in the trace, and at its end" {
	# several processes have a share, as a process may have so few
	ulimit -n 700
	run "$SW" run -w "$TRACE" -- "$BUILD/examples/million/million" 4000
	[ "$status" -eq 0 ]
	[[ $output == *'4000 sockets, 2000 connections to one port (addresses: 2, '* ]]
	"$SW" show "$TRACE" >"$LOG"
	in_log ' connect\([0-9]+<tcp:127\.1\.0\.[0-9]+:.* = 0 ' 2000
	in_log ' accept\(.* = [0-9]+<tcp:127\.0\.0\.1:[0-9]+->127\.1\.0\.' 2000
	"$SW" show -f summary "$TRACE" >"$BATS_TEST_TMPDIR/summary"
	# two addresses have the same ports: it is five things that tell them apart
	awk '$2 == "tcp" && $3 == "client" && / closed by us$| reset by peer$/ {
		print $4, $6
	}' "$BATS_TEST_TMPDIR/summary" | sort -u >"$BATS_TEST_TMPDIR/known"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/known")" -eq 2000 ]
	[ "$(sed 's/ .*//; s/.*://' "$BATS_TEST_TMPDIR/known" | sort -u |
		wc -l)" -lt 1100 ]
	[ "$(awk '$2 == "tcp" && $3 == "server" && / reset by us$/' \
		"$BATS_TEST_TMPDIR/summary" | wc -l)" -eq 2000 ]
}

@test "every scenario has its test, and its transcript" {
	local file name
	for file in examples/*/scenario*; do
		name=${file#examples/}
		[ -s "examples/${name/scenario/transcript}.txt" ]
		# S12's are three in one
		grep -qF "${name%s12*}" "$BATS_TEST_FILENAME"
	done
}

@test "settle: times, processes, ports and what is repeated" {
	run examples/settle.sh 4242 <<-'END'
	77 0.001234 socket(AF_INET) = 3<tcp> <0.000123>
	77 0.2 connect(3<tcp:127.0.0.1:50123->[::1]:4242>, "4242") = 0 <1.5> [a:2]
	78 0.3 poll([3 POLLIN], 1.500000s) = 0 <0.000001>
	78 0.4 poll([3 POLLOUT=>POLLOUT], 1997) = 1 <0.000001>
	78 0.4 poll([3 POLLIN], 0) = 1 <0.000001>
	4242
	port 127.0.0.1:50123, then 127.0.0.1:50000, then 127.0.0.1:80
	END
	diff - <(echo "$output") <<-'END'
	1001 0.000000 socket(AF_INET) = 3<tcp> <0.000000>
	1001 0.000000 connect(3<tcp:127.0.0.1:40001->[::1]:PORT>, "PORT") = 0 <0.000000> [a:2]
	1002 0.000000 poll([3 POLLIN], 1.500000s) = 0 <0.000000>
	1002 0.000000 poll([3 POLLOUT=>POLLOUT], 2000) = 1 <0.000000>
	1002 0.000000 poll([3 POLLIN], 0) = 1 <0.000000>
	PORT
	port 127.0.0.1:40001, then 127.0.0.1:40002, then 127.0.0.1:80
	END
	run examples/settle.sh < <(seq 9; echo end)
	[ "$output" = $'1\n2\n... 7 more like it\nend' ]
	run examples/settle.sh < <(yes $'a\nb' | head -n 15; printf '\f\n'; echo end)
	[ "$output" = $'a\nb\na\nb\n... and so on, again and again\nend' ]
	run examples/settle.sh < <(printf 'a\nb\nc\n%.0s' 1 2 3 4; echo b)
	[ "${#lines[@]}" -eq 13 ]
	run examples/settle.sh <<-'END'
	process 1, pid 4321, client
	     1  tcp       client    127.0.0.1:50123 -> 127.0.0.1:80    12.345678+        5  7 in 1
	END
	diff - <(echo "$output") <<-'END'
	process 1, pid 1001, client
	     1  tcp       client    127.0.0.1:40001 -> 127.0.0.1:80     0.000000+        5  7 in 1
	END
}
