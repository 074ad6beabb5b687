#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# show -f lint: what a trace proves to be wrong, and what it does not.  Each
# case is a program that does the one or the other (tests/progs/lint.c).

# run sets stderr
# shellcheck disable=SC2154

load helpers
bats_require_minimum_version 1.5.0

setup() {
	LINT=$PROGS/lint
	SEEN=$BATS_TEST_TMPDIR/seen
}

# lint ARGS...: what show -f lint says, in $SEEN.
lint() {
	"$SW" show -f lint "$@" "$TRACE" >"$SEEN"
}

# names: of the findings in $SEEN, each once.
names() {
	sed -nE 's/^(error|warning|note): ([a-z-]+): .*/\2/p' "$SEEN" | sort -u
}

# finds NAMES CASE...: exactly these are found in each.
finds() {
	local names=$1 case
	shift
	for case; do
		"$SW" trace -w "$TRACE" -- "$LINT" "$case"
		lint
		[ "$(names)" = "$names" ] || {
			echo "$case: expected $names" >&2
			cat "$SEEN" >&2
			return 1
		}
	done
}

# finds_nothing CASE...: and it says so.
finds_nothing() {
	local case
	for case; do
		"$SW" trace -w "$TRACE" -- "$LINT" "$case"
		lint
		[ "$(cat "$SEEN")" = 'nothing found' ] || {
			echo "$case: expected nothing" >&2
			cat "$SEEN" >&2
			return 1
		}
	done
}

# none REGEX: no line of $SEEN matches.
none() {
	[ "$(grep -cE -- "$1" "$SEEN")" -eq 0 ]
}

# ---- name by name

@test "double-close" {
	finds double-close twice twice_list twice_stdio twice_thread twice_all
	finds_nothing close_anew close_copies close_fork close_none \
		close_wide close_wide_fork
}

@test "double-close: a loop that closes every number is none" {
	finds_nothing all_up all_down all_many all_used
	# it is the shim that knows: the trace has a second close all the same
	"$SW" trace -w "$TRACE" -- "$LINT" all_up
	"$SW" show "$TRACE" | grep -qE ' close\([0-9]+\) = -1 EBADF '
}

@test "close-unread" {
	finds close-unread unread
	finds_nothing unread_none unread_drained unread_abort unread_download \
		unread_gone unread_heir
}

@test "close-unread: not by one of several who have the socket" {
	finds_nothing unread_fork unread_copy unread_rights
}

@test "close-wait-leak" {
	finds close-wait-leak wait wait_select
	finds_nothing wait_closed wait_exit wait_half wait_deaf wait_room \
		wait_ways
}

@test "fd-leak" {
	finds fd-leak leak leak_server leak_failed leak_fork wait_shut
	finds_nothing fork_server leak_one failed_exit eyeballs exec
}

@test "fd-leak: what is kept to be used is none" {
	finds_nothing pool worker_threads
	finds_nothing idle_poll idle_select idle_epoll idle_threads \
		idle_silent idle_servers
	finds_nothing fork_working fork_shared fork_listeners
}

@test "unchecked-connect" {
	finds unchecked-connect unchecked unchecked_reader
	finds_nothing checked checked_loop checked_reset
}

@test "bad-length" {
	finds bad-length length
	finds_nothing length_whole
}

@test "ignored-error" {
	finds ignored-error minus_socket minus_accept bind listen connect \
		told broken
	finds_nothing broken_closed epipe two_threads tried_again events \
		minus_other
}

@test "sigpipe-unprotected" {
	finds sigpipe-unprotected sigpipe sigpipe_write sigpipe_child
	finds_nothing sigpipe_ignored sigpipe_caught sigpipe_blocked \
		sigpipe_never sigpipe_other
}

@test "sigpipe-unprotected: ignored since before the program began" {
	(trap '' PIPE; finds_nothing sigpipe)
	# and the trace of a program that sends nothing says nothing
	(trap '' PIPE; finds_nothing close_none)
}

# ---- its words

@test "a block: level, name, what happened; the call's own line; what to do" {
	finds bad-length length
	"$SW" show -e trace=send "$TRACE" >"$LOG"
	[ "$(wc -l <"$LOG")" -eq 1 ]
	{
		echo 'error: bad-length: send is told to move -1 bytes'
		sed 's/^/  /' "$LOG"
		echo '  A length larger than any object, as a -1 becomes.'
		echo '  Check the result of recv before using it as a length.'
		echo
		echo '1 finding'
	} | diff - "$SEEN"
	# with the clock that was asked for
	lint -ttt
	grep -qE '^  [0-9]+ [0-9]{10}\.[0-9]{6} send\(' "$SEEN"
}

@test "cases of one call site are told once, and counted" {
	finds fd-leak leak
	grep -qE '^warning: fd-leak: .* \(5 times\)$' "$SEEN"
	[ "$(tail -1 "$SEEN")" = '1 finding' ]
	finds double-close twice_list
	[ "$(tail -1 "$SEEN")" = '3 findings' ]
}

@test "the worst first, whatever came first" {
	"$SW" trace -w "$TRACE" -- sh -c '"$0" sigpipe; "$0" twice; "$0" length' \
		"$LINT"
	lint
	[ "$(grep -oE '^(error|warning|note): [a-z-]+' "$SEEN" | xargs)" = \
		'error: bad-length warning: double-close note: sigpipe-unprotected' ]
	[ "$(tail -1 "$SEEN")" = '3 findings' ]
}

@test "--conn, --pid and -e trace=: only findings at such calls" {
	"$SW" trace -w "$TRACE" -- sh -c '"$0" twice; "$0" length' "$LINT"
	lint -e trace=close
	[ "$(names)" = double-close ]
	lint --pid "$("$SW" show "$TRACE" | awk '/ send\(/ { print $1 }')"
	[ "$(names)" = bad-length ]
	lint --conn 77
	[ "$(cat "$SEEN")" = 'nothing found' ]
}

@test "findings or none: exit 0" {
	run -0 "$SW" trace -w "$TRACE" -- "$LINT" twice
	run -0 --separate-stderr "$SW" show -f lint "$TRACE"
	[ -z "$stderr" ]
}

# ---- what a trace does not have

@test "where calls are missing, what needs them is not looked for" {
	local set
	# without the closes everything would seem to leak
	for set in socket,accept,recv,connect,send '!close' sockopt,send; do
		"$SW" trace -e trace="$set" -w "$TRACE" -- "$LINT" wait_closed
		run -0 --separate-stderr "$SW" show -f lint "$TRACE"
		[ "$output" = 'nothing found' ]
		[[ $stderr == *'lint: calls are missing (-e trace=, -z or -Z): '* ]]
	done
	"$SW" trace -z -w "$TRACE" -- "$LINT" leak
	run -0 --separate-stderr "$SW" show -f lint "$TRACE"
	[ "$output" = 'nothing found' ]
	# a length needs no other call
	"$SW" trace -e trace=send -w "$TRACE" -- "$LINT" length
	lint 2>/dev/null
	[ "$(names)" = bad-length ]
	# more than usual is no less
	"$SW" trace -e trace=all -w "$TRACE" -- "$LINT" twice
	run -0 --separate-stderr "$SW" show -f lint "$TRACE"
	[ -z "$stderr" ]
	[[ $output == *double-close* ]]
}

@test "a trace that ran full: the same" {
	(ulimit -f 32; "$SW" trace -w "$TRACE" -- "$PROGS/show_conns" many)
	run -0 --separate-stderr "$SW" show -f lint "$TRACE"
	[ "$output" = 'nothing found' ]
	[[ $stderr == *'lint: calls are missing: '*'calls did not fit'* ]]
}

@test "a trace that is cut anywhere: no crash" {
	local size len
	"$SW" trace -w "$TRACE" -- "$LINT" leak_fork
	size=$(stat -c %s "$TRACE")
	for ((len = 24576; len < size; len += 997)); do
		head -c "$len" "$TRACE" >"$TRACE.cut"
		run -0 --separate-stderr "$SW" show -f lint "$TRACE.cut"
		[[ $stderr == *'lint: calls are missing: '* ]]
	done
}

@test "a program that is killed has not leaked what it was using" {
	"$SW" trace -w "$TRACE" -- "$PROGS/show_conns" killed || true
	lint
	none leak
}

# ---- programs that many people use

@test "a web server, and clients of several makes: nothing" {
	local port ports=$BATS_TEST_TMPDIR/ports
	mkfifo "$ports"
	echo hello >"$BATS_TEST_TMPDIR/page"
	background "$SW" trace -w "$TRACE.server" -- "$PYTHON" -c '
import http.server, os, sys
os.chdir(sys.argv[1])
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
with open("ports", "w") as ports:
    print(server.server_port, file=ports)
server.serve_forever()' "$BATS_TEST_TMPDIR"
	port=$(port_of "$ports")
	for client in "curl -sS" "wget -qO-" \
		"$PYTHON -c import#sys,urllib.request;print(urllib.request.urlopen(sys.argv[1]).read())"; do
		for _ in 1 2 3; do
			# shellcheck disable=SC2086 # words
			IFS=' ' read -ra words <<<"$client"
			"$SW" trace -w "$TRACE" -- "${words[@]//#/ }" \
				"http://127.0.0.1:$port/page" | grep -q hello
			lint
			[ "$(cat "$SEEN")" = 'nothing found' ]
		done
	done
	stop_background
	TRACE=$TRACE.server lint
	cat "$SEEN"
	[ "$(cat "$SEEN")" = 'nothing found' ]
}
