#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # bats sets stderr
# A program under the object behaves as it does without, whatever it does.

load helpers
bats_require_minimum_version 1.5.0

# same WORD [STDOUT FILTER]: the same output and status plain, with a log of
# everything and with a trace of everything.
same() {
	local plain logged traced
	plain=$("$PROGS/behave" "$@" 2>/dev/null; echo "status $?")
	logged=$(logged_all "$PROGS/behave" "$@" 2>/dev/null; echo "status $?")
	traced=$(SOCKWRENCH_CALLS=all traced "$PROGS/behave" "$@" 2>/dev/null
		echo "status $?")
	diff <(echo "$plain") <(echo "$logged")
	diff <(echo "$plain") <(echo "$traced")
}

# recorded CALL: how many finished calls of that name the trace has.
recorded() {
	"$SW" show -f json -e trace=all "$TRACE" |
		grep -c "\"call\":\"$1\".*\"duration\":[0-9]" || true
}

dropped() {
	"$SW" show -f json "$TRACE" | head -1 | grep -oE '"dropped":[0-9]+' |
		cut -d: -f2
}

@test "calls from a constructor that runs before ours work and are logged" {
	same early
	in_log ' send\([0-9]+<unix>, "x", 1, 0\) = 1 ' 1
	in_log ' recv\([0-9]+<unix>, "x", 1, 0\) = 1 ' 1
}

@test "calls from a library that is initialised before us, and from its malloc" {
	local lib=$BATS_TEST_TMPDIR/libearly.so
	gcc -shared -fPIC -w -D_GNU_SOURCE -o "$lib" "$ROOT/tests/progs/lib/early.c"
	gcc -w -o "$BATS_TEST_TMPDIR/early" -x c - -x none "$lib" <<<'
		int first(void); int main(void) { return first(); }'
	local plain
	plain=$("$BATS_TEST_TMPDIR/early" 2>&1)
	[[ $plain == *"fork 0"* ]]
	diff <(echo "$plain") <(logged_all "$BATS_TEST_TMPDIR/early" 2>&1)
	in_log ' send\([0-9]+<unix>, "early", 5, 0\) = 5 ' 2
	in_log ' write\([0-9]+<unix>, "malloc", 6\) = 6 '
}

@test "calls from a signal handler in the middle of calls: none is lost" {
	local calls
	same handler
	calls=$(logged "$PROGS/behave" handler 2>&1 >/dev/null)
	# and the two of the constructor
	in_log ' (send|recv)\(.* = 1 ' $((calls + 2))
	calls=$(traced "$PROGS/behave" handler 2>&1 >/dev/null)
	"$SW" show "$TRACE" | grep -cE ' (send|recv)\(.* = 1 ' |
		grep -qx $((calls + 2))
}

@test "siglongjmp out of a blocked call: later calls are seen, no state stays" {
	same jump
	in_log ' send\(.*"x", 1, 0\) = 1 ' 2
	"$SW" show "$TRACE" | grep -c 'recv(.*= ? <unfinished>' | grep -qx 50
}

@test "cancellation points stay cancellation points" {
	same cancel
	[ "$("$PROGS/behave" cancel | grep -c cancelled)" -eq 8 ]
}

@test "threads that come and go: every call of every thread is in the trace" {
	same threads
	# 20 rounds of 16 threads with 100 calls each, and the constructor's one
	[ "$(recorded send)" -eq 32001 ]
	[ "$(recorded recv)" -eq 32001 ]
	in_log ' send\(' 32001
}

@test "fork in a threaded program, by libc and by number" {
	same forks
	# 100 children made 100 sends each, whatever the threads did
	local n
	n=$("$SW" show -f json "$TRACE" | grep '"call":"send"' |
		"$PYTHON" -c '
import json, sys, collections
pids = collections.Counter()
for line in sys.stdin:
    pids[json.loads(line)["pid"]] += 1
print(sum(1 for n in pids.values() if n == 100))')
	[ "$n" -eq 100 ]
}

@test "a parent that ends at once does not cut the trace under its child" {
	# the pipe ends when the last of them has
	[ "$("$PROGS/behave" orphans | cat)" = "the 40th orphan" ]
	[ "$(traced "$PROGS/behave" orphans | cat)" = "the 40th orphan" ]
	# 40 processes with 200 sends each, and the constructor's one
	[ "$(recorded send)" -eq 8001 ]
	[ "$(dropped)" -eq 0 ]
	[ "$(stat -c %s "$TRACE")" -lt 10000000 ]
}

@test "a daemon that gives up its rights at once still has room in the trace" {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(traced "$PROGS/behave" drop | cat)" = dropped ]
		[ "$(recorded send)" -eq 201 ]
		[ "$(dropped)" -eq 0 ]
	done
}

@test "every way to start a program is followed, also without environment" {
	same children
	in_log ' execve\("[^"]*/behave", \["behave", "early"\]\) = 0 ' 3
	in_log ' execve\("[^"]*/behave", \["/proc/[0-9]+/exe", "early"\]\) = 0 ' 2
	# each of the five and the parent itself ran its constructor
	in_log ' send\(.*"x", 1, 0\) = 1 ' 6
}

@test "bash, which frees the strings of its environ, never frees ours" {
	cat >"$BATS_TEST_TMPDIR/script" <<-'END'
	shown() { (cd /; path="$(readlink "$none" || true)"; echo a); }
	IFS=: list=(a b)
	shown
	shown
	END
	[ "$(logged bash "$BATS_TEST_TMPDIR/script")" = $'a\na' ]
}

@test "env -i in the middle of the tree does not lose the tree" {
	logged sh -c 'env -i "$0" early' "$PROGS/behave"
	in_log ' send\(.*"x", 1, 0\) = 1 ' 1
}

@test "rand, environ and descriptors are as without us" {
	local out=$BATS_TEST_TMPDIR
	"$PROGS/behave" self >"$out/plain"
	traced "$PROGS/behave" self >"$out/traced"
	diff "$out/plain" "$out/traced"
	# a log needs a descriptor, one; nothing else differs
	logged "$PROGS/behave" self >"$out/logged"
	diff <(grep -vE '^fd |descriptors' "$out/plain") \
		<(grep -vE '^fd |descriptors' "$out/logged")
	[ "$(grep -c '^fd ' "$out/logged")" -eq \
		$(($(grep -c '^fd ' "$out/plain") + 1)) ]
}

@test "a program has all its descriptors where the hard limit leaves us room" {
	ulimit -Sn 200
	same numbers
	[[ $("$PROGS/behave" numbers) == *"199 "*"until errno 24" ]]
	[[ $(logged "$PROGS/behave" self) == *"fd 200"* ]]
}

@test "loops that close every descriptor leave program and log at work" {
	same closeall
	in_log ' send\(.*"x", 1, 0\) = 1 ' 3
}

@test "a child that libc starts with everything closed goes on with the log" {
	same closing
	in_log ' send\(.*"x", 1, 0\) = 1 ' 2
	# on standard error, if that still is what it was; never elsewhere
	run --separate-stderr env LD_PRELOAD="$LIB" "$PROGS/behave" closing
	[ "$status" -eq 0 ]
	[ "$(grep -c ' send(.*"x", 1, 0) = 1 ' <<<"$stderr")" -eq 2 ]
	run --separate-stderr env ELSEWHERE="$BATS_TEST_TMPDIR/elsewhere" \
		LD_PRELOAD="$LIB" "$PROGS/behave" closing
	[ "$status" -eq 0 ]
	[ "$(grep -c ' send(.*"x", 1, 0) = 1 ' <<<"$stderr")" -eq 1 ]
	[ -e "$BATS_TEST_TMPDIR/elsewhere" ]
	[ ! -s "$BATS_TEST_TMPDIR/elsewhere" ]
}

@test "errno is the program's, and a bad pointer is the kernel's EFAULT" {
	same errors
	in_log ' send\([0-9]+<unix>, 1, 0\) = -1 EFAULT ' 1
	in_log ' connect\(-1, \?\) = -1 EBADF ' 1
}

@test "the smallest thread stack and a small signal stack are enough" {
	same stack
}

@test "kill -9 in the middle of a million calls: all of them are in the trace" {
	run traced "$PROGS/behave" calls 1000000 kill
	[ "$status" -eq 137 ]
	[ "$(recorded recv)" -eq 1000001 ]
	[ "$(dropped)" -eq 0 ]
}

@test "a trace is as long as what it holds when its processes have ended" {
	traced "$PROGS/behave" early
	[ "$(stat -c %s "$TRACE")" -lt 65536 ]
	[ "$(stat -c %a "$TRACE")" = 600 ]
}

# The calls of 100,000 are either in the trace or counted as missing.
all_accounted_for() {
	local kept missing
	kept=$(recorded recv)
	missing=$(dropped)
	echo "kept $kept, missing $missing"
	[ "$missing" -gt 0 ]
	[ $((kept + missing)) -eq 100001 ]
	"$SW" show "$TRACE" 2>&1 >/dev/null | grep -q "$missing"
}

@test "RLIMIT_FSIZE: the program is unharmed, what is missing is counted" {
	run bash -c 'ulimit -f 2000; exec "$@"' - env SOCKWRENCH_TRACE="$TRACE" \
		LD_PRELOAD="$LIB" "$PROGS/behave" calls 100000
	[ "$status" -eq 0 ]
	[ "$output" = "100000 calls" ]
	all_accounted_for
}

@test "a full disk: the program is unharmed, what is missing is counted" {
	# in a chroot even root may make no user namespace, and needs none
	run unshare "$([ "$(id -u)" -eq 0 ] && echo -m || echo -rm)" bash -c '
		mount -t tmpfs -o size=2m none "$1" &&
		SOCKWRENCH_TRACE=$1/trace LD_PRELOAD=$2 "$3" calls 100000 &&
		cp --sparse=always "$1/trace" "$4"' \
		- "$BATS_TEST_TMPDIR" "$LIB" "$PROGS/behave" \
		"$BATS_FILE_TMPDIR/trace"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = "100000 calls" ]
	TRACE=$BATS_FILE_TMPDIR/trace
	all_accounted_for
}

@test "a log that cannot be written does not hurt the program" {
	# a full device, and a pipe whose reader has gone: no SIGPIPE of ours
	SOCKWRENCH_LOG=/dev/full LD_PRELOAD=$LIB "$PROGS/behave" calls 1000
	run bash -c 'set -o pipefail
		"$@" 2> >(:) | cat' - env LD_PRELOAD="$LIB" \
		"$PROGS/behave" calls 1000
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "1000 calls" ]
	# RLIMIT_FSIZE reached by the log: no SIGXFSZ of ours
	run bash -c 'ulimit -f 8; exec "$@"' - env SOCKWRENCH_LOG="$LOG" \
		LD_PRELOAD="$LIB" "$PROGS/behave" calls 1000
	[ "$status" -eq 0 ]
	[ "$output" = "1000 calls" ]
}

@test "a small address space and few descriptors do not hurt the program" {
	run bash -c 'ulimit -v 200000; ulimit -n 8; exec "$@"' - env \
		SOCKWRENCH_LOG="$LOG" SOCKWRENCH_TRACE="$TRACE" \
		LD_PRELOAD="$LIB" "$PROGS/behave" calls 1000
	[ "$status" -eq 0 ]
	[ "$output" = "1000 calls" ]
	in_log ' recv\(.* = -1 EAGAIN ' 1000
	[ "$(recorded recv)" -eq 1001 ]
}

@test "chroot and dropped privileges do not end the trace" {
	mkdir "$BATS_TEST_TMPDIR/jail"
	chmod 755 "$BATS_TEST_TMPDIR"
	TRACE=$BATS_TEST_TMPDIR/trace traced "$PYTHON" -c '
import os, socket, sys
a, b = socket.socketpair()
os.chroot(sys.argv[1])
os.setgid(65534); os.setuid(65534)
if os.fork() == 0:
    a.send(b"child"); os._exit(0)
os.wait()
a.send(b"parent")' "$BATS_TEST_TMPDIR/jail"
	[ "$(recorded send)" -eq 2 ]
}
