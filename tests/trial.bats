#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# One trial of an audit: what is kept of it, and that nobody is left of it.

load helpers
bats_require_minimum_version 1.5.0

SERVER=$BUILD/examples/echo/server
CLIENT=$BUILD/examples/echo/client
DRIVER=$BUILD/drivers/trial

setup() {
	DIR=$BATS_TEST_TMPDIR/trial
	mkdir "$DIR"
	mkfifo "$BATS_TEST_TMPDIR/up"
}

# trial [OPTION]... DIR PROG [ARG]...: its lines are in $output.
trial() {
	run env TRIAL_OF="$BATS_TEST_TMPDIR" "$DRIVER" "$SW" "$@"
	echo "$output"
	[ "$status" -le 1 ]
	nobody_left
}

# Every process of a trial has that variable, whatever has become of it.
nobody_left() {
	local left
	# some have ended before they are read, which grep calls an error
	left=$(grep -lzsx "TRIAL_OF=$BATS_TEST_TMPDIR" \
		/proc/[0-9]*/environ || true)
	echo "left: $left"
	[ -z "$left" ]
}

# has PART WORD...: the part's line has these words.
has() {
	local line word
	line=$(grep "^$1 " <<<"$output")
	shift
	for word; do
		[[ " $line " == *" $word "* ]] || {
			echo "expected $word in: $line"
			return 1
		}
	done
}

# number PART NAME: a value of the part; times are in microseconds.
number() {
	grep "^$1 " <<<"$output" | grep -oE " $2=[0-9]+" | cut -d= -f2
}

# python: a socket that listens is l, its port is in $PORT if it has one.
LISTEN='import os, socket, sys, time
l = socket.create_server(("127.0.0.1", 0))
'

@test "a program's status, output and input are kept" {
	echo given >"$BATS_TEST_TMPDIR/input"
	trial -i "$BATS_TEST_TMPDIR/input" "$DIR" \
		sh -c 'cat; echo no >&2; exit 3'
	has target status=768 ended=1 flooded=0 written=9
	grep -qx given "$DIR/out"
	grep -qx no "$DIR/err"
	[ "$(number target took)" -gt 0 ]
	[ "$(number target cpu)" -gt 0 ]
	"$SW" show "$DIR/trace"
}

@test "a program that is killed by a signal; nothing to read" {
	trial "$DIR" sh -c 'cat; kill -SEGV $$'
	has target status=11 ended=1 written=0
}

@test "its surroundings: TMPDIR, directory, session, no variables of ours" {
	cd "$BATS_TEST_TMPDIR"
	export SOCKWRENCH_RULE='bind error=EACCES' PORT=1
	# shellcheck disable=SC2016 # for the shell of the trial
	trial "$DIR" "$PYTHON" -c 'import os, socket
print(os.environ["TMPDIR"], os.getcwd(), os.environ["PORT"])
print(os.getsid(0) == os.getpid())
socket.create_server(("127.0.0.1", 0))'
	[ "$(cat "$DIR/out")" = "$DIR/tmp $PWD 1
True" ]
	has target status=0
	[ -d "$DIR/tmp" ]
}

@test "rules are the target's, and its trace tells of them" {
	local rules=(-e 'connect error=ECONNREFUSED' -e 'recv short=1')
	trial "${rules[@]}" -S "$SERVER" "$DIR" "$PYTHON" -c 'import os, socket
a, b = socket.socketpair()
a.send(b"xy")
assert b.recv(2) == b"x"
try: socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))
except ConnectionRefusedError: print("refused")'
	grep -qx refused "$DIR/out"
	[ ! -s "$DIR/err" ]
	"$SW" show "$DIR/trace" | grep -q 'connect(.*ECONNREFUSED.*\[-e:1\]'
	"$SW" show "$DIR/trace" | grep -q 'recv.*"x".* = 1 .*\[-e:2\]'
	"$SW" show "$DIR/server.trace" >"$BATS_TEST_TMPDIR/server"
	! grep -q '\[-e' "$BATS_TEST_TMPDIR/server"
}

@test "what cannot be tried: says why" {
	trial "$DIR" no-such-program-anywhere
	has error=no-such-program-anywhere: not found in PATH
	[ "$status" -eq 1 ]
	rm -r "$DIR"
	trial "$DIR" true
	has "error=$DIR:" No directory
	mkdir "$DIR"
	trial -e 'connect frob=1' "$DIR" true
	grep -q '^error=-e:1:9: ' <<<"$output"
	rm -r "${DIR:?}"/*
	trial -i /no/such/file "$DIR" true
	has error=/no/such/file: No such file
}

@test "the time-out ends a whole tree, with daemons and double forks" {
	trial -t 3000 "$DIR" sh -c '
		setsid sh -c "echo 1; sleep 1000 & sleep 1000" &
		( ( echo 2; sleep 1000 ) & )
		( setsid sh -c "( setsid sh -c \"echo 3; sleep 1000\" & )" & )
		( trap "" TERM HUP INT; echo 4; sleep 1000 ) &
		sleep 1000'
	[ "$(sort "$DIR/out" | tr -d '\n')" = 1234 ]
	has target status=9 ended=0
	[ "$(number target took)" -ge 3000000 ]
}

@test "who ends leaves nobody behind" {
	trial "$DIR" sh -c 'sleep 1000 & setsid sh -c "sleep 1000" & echo ok'
	has target status=0 ended=1
	grep -qx ok "$DIR/out"
}

@test "spinning is told from waiting" {
	trial -t 2500 "$DIR" sh -c 'setsid sh -c "while :; do :; done"'
	has target ended=0
	local spin
	spin=$(number target busy)
	rm -r "${DIR:?}"/*
	trial -t 2500 "$DIR" sleep 1000
	has target ended=0
	[ "$spin" -gt 20000 ]
	[ "$(number target busy)" -lt 5000 ]
}

@test "a flood of output is ended" {
	trial "$DIR" sh -c 'yes >&2'
	has target flooded=1 ended=0 status=9
	[ "$(number target written)" -gt 67108864 ]
	[ "$(number target took)" -lt 20000000 ]
	rm "$DIR/err"
}

@test "a server for the target: it listens first, PORT says where" {
	trial -i "$ROOT/README.md" -S "$SERVER" "$DIR" \
		sh -c 'exec "$0" "$PORT"' "$CLIENT"
	has target status=0 ended=1
	has server status=15 ended=0
	cmp "$DIR/out" "$ROOT/README.md"
	grep -qx '[0-9]*' "$DIR/server.out"
	"$SW" show "$DIR/server.trace" | grep -q 'accept('
}

@test "a server on a unix socket has no PORT" {
	trial -S "exec $PYTHON -c 'import socket, os, signal
l = socket.socket(socket.AF_UNIX)
l.bind(os.environ[\"TMPDIR\"] + \"/s\")
l.listen()
signal.pause()'" "$DIR" sh -c 'test -S "$TMPDIR/s" && echo "${PORT-none}"'
	has target status=0
	grep -qx none "$DIR/out"
}

@test "a server that becomes a daemon, and uses its time for itself" {
	trial -t 1500 -S "exec $PYTHON -c '$LISTEN
if os.fork(): os._exit(0)
os.setsid()
while True: pass'" "$DIR" sleep 1000
	has target status=9 ended=0
	has server status=0 ended=0
	[ "$(number target busy)" -lt 5000 ]
	[ "$(number server busy)" -gt 20000 ]
}

@test "a server that does not listen, or ends before" {
	trial -t 300 -S 'sleep 1000' "$DIR" touch "$BATS_TEST_TMPDIR/started"
	has error=the server did not listen within 0.3 s
	rm -r "${DIR:?}"/*
	trial -S 'echo out of order >&2; exit 1' "$DIR" \
		touch "$BATS_TEST_TMPDIR/started"
	has error=the server ended before it listened: out of order
	[ ! -e "$BATS_TEST_TMPDIR/started" ]
}

@test "clients of the target: three, one after the other, then its end" {
	# shellcheck disable=SC2016 # for the shell of the trial
	trial -C 'echo "hello $PORT" | '"$CLIENT"' $PORT' "$DIR" "$SERVER"
	has target status=15 ended=0
	[[ $output == *"clients=3 listened=1 port=$(cat "$DIR/out")"* ]]
	local i
	for i in 1 2 3; do
		has client.$i status=0 ended=1
		grep -qx "hello $(cat "$DIR/out")" "$DIR/client.$i.out"
		"$SW" show "$DIR/client.$i.trace" | grep -q 'connect(.*= 0 '
	done
	"$SW" show "$DIR/trace" | grep -c 'accept(.* = [0-9]' | grep -qx 3
	# who was killed has left no file of 16 GiB
	[ "$(stat -c %s "$DIR/trace")" -lt 1000000 ]
}

@test "clients that hang are ended, the server ends in order" {
	trial -t 700 -C 'sleep 1000' "$DIR" "$PYTHON" -c "$LISTEN
import signal
signal.signal(signal.SIGTERM, lambda *_: (print('bye'), os._exit(4)))
while True: signal.pause()"
	has target status=1024 ended=0
	has client.1 status=9 ended=0
	# a second that nobody serves says enough
	has client.2 status=9 ended=0
	[[ $output == *clients=2* ]]
	# os._exit writes no buffers
	[ "$(number client.1 took)" -ge 700000 ]
}

@test "a server that does not listen, one that dies, have no clients" {
	trial -t 500 -C true "$DIR" sleep 1000
	has target status=15 ended=0
	[[ $output == *'clients=0 listened=0 port=0'* ]]
	rm -r "${DIR:?}"/*
	trial -C true "$DIR" false
	has target status=256 ended=1
	[ "$(number target took)" -lt 10000000 ]
	[[ $output == *'clients=0 listened=0 port=0'* ]]
}

@test "a server that dies of its first client has no second" {
	# the client sees it dead before it ends itself
	trial -C "exec $PYTHON -c 'import os, select, socket
s = socket.create_connection((\"127.0.0.1\", int(os.environ[\"PORT\"])))
p = os.pidfd_open(int(s.recv(20)))
s.send(b\"die\")
select.select([p], [], [])'" "$DIR" "$PYTHON" -c "$LISTEN
c = l.accept()[0]
c.send(str(os.getpid()).encode())
c.recv(3)
sys.exit(7)"
	[[ $output == *'clients=1 listened=1'* ]]
	has client.1 status=0 ended=1
	has target status=1792 ended=1
}

@test "a server that becomes a daemon is still served, and ended" {
	# shellcheck disable=SC2016 # for the shell of the trial
	trial -C 'echo hello | '"$CLIENT"' $PORT' "$DIR" "$PYTHON" -c '
import os, sys
if os.fork(): os._exit(0)
os.setsid()
os.execv(sys.argv[1], sys.argv[1:])' "$SERVER"
	has target status=0 ended=0
	[[ $output == *'clients=3 listened=1'* ]]
	cat "$DIR/client.3.out"
	grep -qx hello "$DIR/client.3.out"
}

@test "server, target and clients: a proxy" {
	# shellcheck disable=SC2016 # for the shell of the trial
	trial -S "$SERVER" -C 'echo hello | '"$CLIENT"' $PORT' "$DIR" \
		"$PYTHON" -c "$LISTEN
while True:
	c = l.accept()[0]
	s = socket.create_connection(('127.0.0.1', int(os.environ['PORT'])))
	s.sendall(c.recv(100))
	c.sendall(s.recv(100))
	c.close(); s.close()"
	has client.3 status=0
	grep -qx hello "$DIR/client.3.out"
	"$SW" show "$DIR/server.trace" | grep -c 'accept(.* = [0-9]' |
		grep -qx 3
}

@test "a sandbox that forbids to wake: it is seen all the same" {
	gcc -x c -D_GNU_SOURCE -o "$BATS_TEST_TMPDIR/sandbox" - <<-'C'
	#include <linux/filter.h>
	#include <linux/seccomp.h>
	#include <stddef.h>
	#include <sys/prctl.h>
	#include <sys/socket.h>
	#include <sys/syscall.h>
	#include <unistd.h>
	int main(void)
	{
		struct sock_filter f[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				 offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ, SYS_futex, 0, 1),
			BPF_STMT(BPF_RET, SECCOMP_RET_KILL_PROCESS),
			BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog prog = { 4, f };
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
			return 1;
		if (listen(fd, 1))
			return 2;
		pause();
	}
	C
	trial -C true "$DIR" "$BATS_TEST_TMPDIR/sandbox"
	has target status=15
	[[ $output == *'clients=3 listened=1'* ]]
}

# A target, or a server, with a daemon beside it; all are there after "up".
daemons() {
	echo 'setsid sh -c "(echo up >'"$BATS_TEST_TMPDIR"'/up; sleep 1000) &
		sleep 1000" & exec sleep 1000'
}

@test "a runner that is told to end ends everything, and as told" {
	local sig pid status
	for sig in TERM INT HUP; do
		rm -rf "${DIR:?}"/*
		# a shell's background jobs ignore SIGINT
		env --default-signal TRIAL_OF="$BATS_TEST_TMPDIR" \
			"$DRIVER" "$SW" -C true "$DIR" sh -c "$(daemons)" &
		pid=$!
		read -r -t 20 <>"$BATS_TEST_TMPDIR/up"
		kill -"$sig" "$pid"
		status=0
		wait "$pid" || status=$?
		[ "$(kill -l "$status")" = "$sig" ]
		nobody_left
	done
}

@test "a runner whose parent is killed ends everything" {
	local pid
	mkfifo "$BATS_TEST_TMPDIR/held"
	# who is there holds it open for writing: its end is their end
	sh -c '"$@" & echo "pid $!"; wait' - env TRIAL_OF="$BATS_TEST_TMPDIR" \
		"$DRIVER" "$SW" -S "$SERVER" "$DIR" sh -c "$(daemons)" \
		9>"$BATS_TEST_TMPDIR/held" >"$BATS_TEST_TMPDIR/pid" &
	pid=$!
	exec 8<"$BATS_TEST_TMPDIR/held"
	read -r -t 20 <>"$BATS_TEST_TMPDIR/up"
	kill -KILL "$pid"
	timeout 20 cat <&8
	exec 8<&-
	# the last thing a process closes is not the last of it
	timeout 10 tail -f --pid="$(sed 's/pid //' "$BATS_TEST_TMPDIR/pid")" \
		/dev/null
	nobody_left
}

# in_network N: a trial of a client that says up and waits for go.
in_network() {
	mkdir "$BATS_TEST_TMPDIR/$1"
	# shellcheck disable=SC2016 # for the shell of the trial
	"$DRIVER" "$SW" -n -S "$SERVER 4321" "$BATS_TEST_TMPDIR/$1" sh -c '
		echo up >"$1/up" && read -r go <"$1/go" &&
		echo "$2 $PORT" | "$0" 4321' \
		"$CLIENT" "$BATS_TEST_TMPDIR" "$1" >"$BATS_TEST_TMPDIR/$1.says"
}

@test "two networks at once: the same port in both" {
	"$DRIVER" -N
	mkfifo "$BATS_TEST_TMPDIR/go"
	exec 8<>"$BATS_TEST_TMPDIR/up" 9<>"$BATS_TEST_TMPDIR/go"
	in_network a &
	in_network b &
	read -r -t 20 <&8
	read -r -t 20 <&8
	printf 'go\ngo\n' >&9
	wait
	exec 8<&- 9<&-
	cat "$BATS_TEST_TMPDIR"/?.says
	[ "$(cat "$BATS_TEST_TMPDIR/a/out")" = 'a 4321' ]
	[ "$(cat "$BATS_TEST_TMPDIR/b/out")" = 'b 4321' ]
}

@test "a network of one's own without being root" {
	local as=() place
	place=$(mktemp -d)
	if [ "$(id -u)" -eq 0 ]; then
		as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	fi
	cp "$SW" "$LIB" "$DRIVER" "$SERVER" "$CLIENT" "$place"
	mkdir -m 777 "$place/dir"
	chmod 755 "$place"
	# shellcheck disable=SC2016 # for the shell of the trial
	run "${as[@]}" "$place/trial" "$place/sockwrench" -n \
		-S "$place/server 4321" "$place/dir" \
		sh -c 'id -u; id -g; echo hello | "$0" 4321' "$place/client"
	echo "$output"
	# where the system forbids it, that is what it says
	if ! "${as[@]}" unshare -rn true; then
		rm -r "$place"
		[[ $output == *'error=a network namespace: '* ]]
		return
	fi
	run cat "$place/dir/out"
	rm -r "$place"
	[ "$output" = "$("${as[@]}" id -u)
$("${as[@]}" id -g)
hello" ]
}
