#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Rules on the command line: where they come from, what is started on them,
# what is logged, and what --must-fire says at the end.

# run sets stderr and stderr_lines
# shellcheck disable=SC2154

load helpers
bats_require_minimum_version 1.5.0

# A program that makes sockets, sends and receives on a pair of them, and says
# how that went.
PROGRAM='import socket, sys
def attempt(what, f):
    try:
        print(what, f())
    except OSError as e:
        print(what, e.strerror)
a, b = socket.socketpair()
a.sendall(b"0123456789" * 100)
for word in sys.argv[1:]:
    attempt(word, {
        "socket": lambda: socket.socket().fileno() > 0,
        "send": lambda: a.send(b"0123456789"),
        "recv": lambda: len(b.recv(10)),
    }[word])'

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	started=$BATS_TEST_TMPDIR/started
	export TMPDIR=$BATS_TEST_TMPDIR
}

# sw VERB OPTIONS... -- WORDS...: the program under the command.
sw() {
	local args=()
	while [ "$1" != -- ]; do
		args+=("$1")
		shift
	done
	shift
	run --separate-stderr "$SW" "${args[@]}" -- "$PYTHON" -c "$PROGRAM" "$@"
	echo "exit $status: $output / $stderr"
}

# refused TEXT VERB ARGS...: 125, one line that is TEXT, and nothing started,
# nor any file made.
refused() {
	local text=$1 verb=$2
	shift 2
	run --separate-stderr "$SW" "$verb" -w "$TRACE" -o "$LOG" "$@" -- \
		touch "$started"
	echo "exit $status: $output / $stderr"
	[ "$status" -eq 125 ]
	[ -z "$output" ]
	[ "$stderr" = "sockwrench: $text" ]
	[ ! -e "$started" ]
	[ ! -e "$TRACE" ]
	[ ! -e "$LOG" ]
}

# ---- where rules come from ------------------------------------------------

@test "-e: a rule, carried out and logged on standard error" {
	sw run -e 'socket via=socket error=EMFILE' -- socket recv
	[ "$status" -eq 0 ]
	[ "$output" = $'socket Too many open files\nrecv 10' ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == *' socket('*' = -1 EMFILE (Too many open files) <'*'> [-e:1]' ]]
}

@test "-e again and again: rules in order, each with its number" {
	sw run -e 'recv when=1 short=3' -e 'recv short=7 when=1..2' \
		-e 'socket via=socket error=ENFILE' -- recv recv recv socket
	[ "$output" = $'recv 3\nrecv 7\nrecv 10\nsocket Too many open files in system' ]
	[ "${#stderr_lines[@]}" -eq 3 ]
	[[ ${stderr_lines[0]} == *' = 3 '*'[-e:1]' ]]
	[[ ${stderr_lines[1]} == *' = 7 '*'[-e:2]' ]]
	[[ ${stderr_lines[2]} == *'[-e:3]' ]]
}

@test "-r FILE: rules are named as the file was typed" {
	mkdir dir
	printf '# two\nrecv short=3\n' >dir/a.rules
	sw run -r dir/a.rules -- recv
	[ "$output" = 'recv 3' ]
	[[ $stderr == *'[dir/a.rules:2]' ]]
	sw run -r ./dir/../dir/a.rules -- recv
	[[ $stderr == *'[./dir/../dir/a.rules:2]' ]]
	sw run -r "$PWD/dir/a.rules" -- recv
	[[ $stderr == *"[$PWD/dir/a.rules:2]" ]]
	cd dir
	sw run -r a.rules -- recv
	[[ $stderr == *'[a.rules:2]' ]]
}

@test "-e comes before -r, whatever their order" {
	echo 'recv short=3' >a.rules
	echo 'recv when=1..2 short=5' >b.rules
	sw run -r b.rules -r a.rules -e 'recv when=1 short=7' -- recv recv recv
	[ "$output" = $'recv 7\nrecv 5\nrecv 3' ]
	[[ ${stderr_lines[0]} == *'[-e:1]' ]]
	[[ ${stderr_lines[1]} == *'[b.rules:1]' ]]
	[[ ${stderr_lines[2]} == *'[a.rules:1]' ]]
}

@test "-r PRESET, and its name in the log; a file of that name comes first" {
	sw run -r short-io --seed 3 -- recv recv recv recv recv recv recv recv
	[ "$status" -eq 0 ]
	[[ $output == *'recv 1'* && $output == *'recv 5'* ]]
	[[ $stderr == *'[short-io.rules:'*']'* ]]
	# the name in the log is a name for -r, too
	sw run -r short-io.rules --seed 3 -- recv recv recv recv recv recv
	[ "$status" -eq 0 ]
	[[ $stderr == *'[short-io.rules:'*']'* ]]
	echo 'recv short=3' >short-io
	sw run -r short-io -- recv
	[ "$output" = 'recv 3' ]
	[[ $stderr == *'[short-io:1]' ]]
}

@test "every preset can be run" {
	local preset
	for preset in $("$SW" list presets | sed 's/ .*//'); do
		sw run -o none -r "$preset" -- socket
		[ "$status" -eq 0 ]
	done
}

@test "-e inject=: strace's spelling" {
	sw run -e inject=socket:error=EMFILE:when=2 -- socket socket socket
	[ "$output" = $'socket True\nsocket Too many open files\nsocket True' ]
	[[ $stderr == *'[-e:1]' ]]
	# python's recv is recv(2), which strace calls recvfrom
	sw run -e 'inject=recvfrom:error=ENOMEM:when=1+2' -- recv recv recv
	[ "$output" = $'recv Cannot allocate memory\nrecv 10\nrecv Cannot allocate memory' ]
}

@test "-e trace= beside rules is what it was, and takes no number" {
	sw trace -e trace=send -e 'recv when=1 short=3' -e trace=socketpair \
		-e 'recv short=5' -- recv recv
	[ "$output" = $'recv 3\nrecv 5' ]
	[ "$(grep -c 'socketpair(' <<<"$stderr")" -eq 1 ]
	[[ $stderr == *'[-e:1]'*'[-e:2]' ]]
}

@test "rules of the environment are kept, behind those of the command line" {
	echo 'recv when=5 short=4' >a.rules
	echo 'recv short=5' >b.rules
	export SOCKWRENCH_RULES=b.rules SOCKWRENCH_RULE='recv when=2..3 short=2
recv when=3..4 short=3'
	sw run -e 'recv when=1..2 short=1' -r a.rules -- \
		recv recv recv recv recv recv
	[ "$output" = $'recv 1\nrecv 1\nrecv 2\nrecv 3\nrecv 4\nrecv 5' ]
	[[ ${stderr_lines[0]} == *'[-e:1]' ]]
	[[ ${stderr_lines[2]} == *'[-e:2]' ]]
	[[ ${stderr_lines[3]} == *'[-e:3]' ]]
	[[ ${stderr_lines[4]} == *'[a.rules:1]' ]]
	[[ ${stderr_lines[5]} == *'[b.rules:1]' ]]
	sw run -- recv recv
	[ "$output" = $'recv 5\nrecv 2' ]
}

@test "what the environment hands on: absolute names, one rule a line" {
	mkdir dir
	echo 'recv short=3' >dir/a.rules
	echo 'send short=3' >b.rules
	export SOCKWRENCH_RULES=b.rules
	run "$SW" run -e 'socket number=100' -e 'send error=EINTR when=7' \
		-r dir/a.rules -r eintr -- "$PYTHON" -c '
import os
print(os.environ["SOCKWRENCH_RULE"])
print(os.environ["SOCKWRENCH_RULES"].replace(":", "\n"))
print(os.environ["SOCKWRENCH_ONLY"], os.environ["SOCKWRENCH_LOG"])'
	diff <(echo "$output") - <<-R
	socket number=100
	send error=EINTR when=7
	$PWD/./dir/a.rules
	$ROOT/rules/presets/./eintr.rules
	$PWD/./b.rules
	injected stderr
	R
}

@test "DIR/./NAME in the environment is shown as NAME" {
	mkdir dir
	echo 'recv short=3' >dir/a.rules
	SOCKWRENCH_RULES=$PWD/./dir/a.rules sw run -- recv
	[ "$output" = 'recv 3' ]
	[[ $stderr == *'[dir/a.rules:1]' ]]
	echo 'recv shrt=3' >dir/a.rules
	SOCKWRENCH_RULES=$PWD/dir/./a.rules refused \
		"a.rules:1:6: expected a matcher or an action near 'shrt', the nearest is 'short'" \
		run
}

@test "children in another directory have the same rules" {
	echo 'recv short=3' >a.rules
	run --separate-stderr "$SW" run -r a.rules -- sh -c \
		'cd / && exec "$@"' - "$PYTHON" -c "$PROGRAM" recv
	[ "$output" = 'recv 3' ]
	[[ $stderr == *'[a.rules:1]' ]]
}

# ---- what is refused ------------------------------------------------------

@test "a bad rule: every error, 125, and nothing is started" {
	printf 'send\nrecv shor=3\n' >a.rules
	printf 'send error=EPIPEE # x\n' >b.rules
	run --separate-stderr "$SW" run -o "$LOG" -w "$TRACE" -r a.rules \
		-e 'recv error=EPIPE' -r ./b.rules -- touch "$started"
	[ "$status" -eq 125 ]
	[ -z "$output" ]
	diff <(echo "$stderr") - <<-R
	sockwrench: -e:1:6: expected an error that Linux returns there near 'error=EPIPE': not recv, but send can return EPIPE (force does it anyway)
	sockwrench: a.rules:1:5: expected an action, such as error=, reset, eof, short= or delay=, near 'send'
	sockwrench: a.rules:2:6: expected a matcher or an action near 'shor', the nearest is 'short'
	sockwrench: ./b.rules:1:12: expected the name of an error near 'EPIPEE', the nearest is 'EPIPE'
	R
	[ ! -e "$started" ]
	[ ! -e "$LOG" ]
	[ ! -e "$TRACE" ]
	run --separate-stderr "$SW" trace -e 'send short=1' \
		-e inject=sendto:error=EINTR:when=0 -e 'recv  short=0' -- \
		touch "$started"
	[ "$status" -eq 125 ]
	diff <(echo "$stderr") - <<-R
	sockwrench: -e:2:32: expected a number from 1 to 4294967295 near '0'
	sockwrench: -e:3:13: expected at least 1 byte, since 0 would mean the end, near '0'
	R
	[ ! -e "$started" ]
}

@test "a rule that another file's rule always comes before" {
	echo 'send pass' >a.rules
	echo 'send error=EINTR' >b.rules
	refused "b.rules:1:1: expected a rule that can fire near 'send error=EINTR': a.rules:1 always comes first" \
		run -r a.rules -r b.rules
	refused "a.rules:1:1: expected a rule that can fire near 'send pass': -e:1 always comes first" \
		run -r a.rules -e '* delay=1ms'
	refused "fd-setsize.rules:7:1: expected a rule that can fire near 'socket,accept  number=1024': -e:1 and others always come first" \
		run -e 'socket number=100' -e 'accept number=100' -r fd-setsize
}

@test "files that cannot be: missing, directories, pipes, with a colon" {
	mkdir dir dir:x
	mkfifo fifo
	echo 'send pass' | tee a:b dir:x/c >d
	refused 'missing/file: No such file or directory' run -r missing/file
	refused './dir: expected a file of rules, found a directory' run -r ./dir
	refused 'dir: expected a file of rules, found a directory' run -r dir
	SOCKWRENCH_RULES=dir refused \
		'dir: expected a file of rules, found a directory' run
	# and without the command
	run env SOCKWRENCH_RULES=dir LD_PRELOAD="$LIB" touch "$started"
	[ "$status" -eq 125 ]
	[ "$output" = 'sockwrench: dir: expected a file of rules, found a directory' ]
	[ ! -e "$started" ]
	refused 'fifo: expected a regular file: every process of the program reads it again' \
		run -r fifo
	refused "shrt-io: expected a file or a preset, the nearest is 'short-io'" \
		run -r shrt-io
	refused 'zzzzzzzzz: expected a file or a preset (sockwrench list presets)' \
		run -r zzzzzzzzz
	refused "$PWD/./a:b: expected a name without a colon, which is what stands between names" \
		run -r a:b
	cd dir:x
	refused "$PWD/./c: expected a name without a colon, which is what stands between names" \
		run -r c
	run bash -c '"$1" run -r <(echo send pass) true' - "$SW"
	[ "$status" -eq 125 ]
	[[ $output == "sockwrench: /dev/fd/"*": expected a regular file: "* ]]
}

@test "-e without a rule in it, or with more than one" {
	refused '-e:1: expected a rule, found none' run -e ''
	refused '-e:2: expected a rule, found none' run -e 'send pass' -e ' # x'
	refused '-e:1: expected one rule, which is one line' \
		run -e $'send pass\nrecv pass'
}

@test "bad rules in the environment are found before the program starts" {
	SOCKWRENCH_RULE=$'send pass\nsend fo' refused \
		"-e:3:6: expected a matcher or an action near 'fo', the nearest is 'fd'" \
		run -e 'recv pass'
	SOCKWRENCH_RULES=missing refused \
		'missing: expected a file or a preset (sockwrench list presets)' run
}

@test "options that contradict: -z and -Z with run, --must-fire without rules" {
	refused 'run: -z and -Z are for trace: with rules only the calls that they touch are logged' \
		run -Z -e 'send pass'
	refused '--must-fire: expected a rule, by -r or -e' run --must-fire
	refused '--must-fire: expected a rule, by -r or -e' trace --must-fire
}

# ---- what is logged -------------------------------------------------------

@test "run: only injected calls are logged; -o elsewhere, -w everything" {
	sw run -e 'recv when=2 short=3' -o "$LOG" -w "$TRACE" -- recv recv send
	[ "$output" = $'recv 10\nrecv 3\nsend 10' ]
	[ -z "$stderr" ]
	in_log ' = 3 .* \[-e:1\]$' 1
	in_log . 1
	"$SW" show "$TRACE" >shown
	[ "$(grep -c ' recv(' shown)" -eq 2 ]
	grep -q ' send(' shown
	"$SW" show --injected "$TRACE" | grep -c . | grep -qx 1
	"$SW" show -f json "$TRACE" | grep -c '"rule":"-e:1"' | grep -qx 1
	# -w alone leaves the log where it is
	sw run -e 'recv short=3' -w "$TRACE" -- recv
	[ "${#stderr_lines[@]}" -eq 1 ]
	sw run -e 'recv short=3' -o none -- recv
	[ "$output" = 'recv 3' ]
	[ -z "$stderr" ]
}

@test "reset: the call that sets it off is named, what had arrived is read first" {
	local program='import select, socket
l = socket.create_server(("127.0.0.1", 0))
a = socket.create_connection(l.getsockname())
b, _ = l.accept()
a.sendall(b"0123456789")
select.select([b], [], [])
for i in range(3):
    try:
        print(len(b.recv(100)))
    except OSError as e:
        print(e.strerror)'
	run --separate-stderr "$SW" trace -e trace=recv -e 'recv when=1 reset' -- \
		"$PYTHON" -c "$program"
	[ "$output" = $'10\nConnection reset by peer\n0' ]
	[[ ${stderr_lines[0]} == *' = 10 <'*'> [-e:1]' ]]
	[[ ${stderr_lines[1]} == *' = -1 ECONNRESET (Connection reset by peer) <'*'>' ]]
	# at= cuts at the byte
	run --separate-stderr "$SW" trace -e trace=recv -e 'recv at=4 reset' -- \
		"$PYTHON" -c "$program"
	[ "$output" = $'4\nConnection reset by peer\n0' ]
	[[ ${stderr_lines[0]} == *' = 4 <'*'> [-e:1]' ]]
	[[ ${stderr_lines[1]} == *' = -1 ECONNRESET (Connection reset by peer) <'*'>' ]]
}

@test "trace: every call is logged, those that a rule touched say so" {
	sw trace -e 'recv when=2 short=3' -o "$LOG" -- recv recv send
	in_log ' recv\(.*\[-e:1\]$' 1
	in_log ' recv\(.*>$' 1
	in_log ' send\(.*>$' 2
	# also where its function is not asked for
	sw trace -e trace=send -e 'recv when=2 short=3' -o "$LOG" -- recv recv send
	in_log ' recv\(.*\[-e:1\]$' 1
	in_log ' send\(' 2
	in_log . 3
}

@test "run -c: counts of all calls, and the rules are applied" {
	sw run -c -e 'recv when=2 error=ENOMEM' -- recv recv
	[ "$output" = $'recv 10\nrecv Cannot allocate memory' ]
	[[ $stderr =~ 2\ +1\ +recv ]]
}

@test "-w with -c keeps the trace" {
	sw trace -c -w "$TRACE" -- recv
	[ "$status" -eq 0 ]
	[[ $stderr == *' recv'* ]]
	"$SW" show "$TRACE" | grep -q ' recv('
}

@test "--seed: chance is the same again, and another with another seed" {
	local sends
	sends=$(printf 'recv %.0s' {1..64})
	# shellcheck disable=SC2086 # words
	sw run -o none --seed 1 -e 'recv prob=50% error=ENOMEM' -- $sends
	echo "$output" >one
	# shellcheck disable=SC2086
	sw run -o none --seed 1 -e 'recv prob=50% error=ENOMEM' -- $sends
	diff one <(echo "$output")
	# shellcheck disable=SC2086
	sw run -o none --seed 2 -e 'recv prob=50% error=ENOMEM' -- $sends
	[ "$output" != "$(cat one)" ]
	[[ $output == *'recv 10'*'recv Cannot'* ]]
	sw run -w "$TRACE" --seed 42 -e 'recv short=1' -- recv
	"$SW" show -f json "$TRACE" | head -1 | grep -q '"seed":42'
	SOCKWRENCH_SEED=43 sw run -w "$TRACE" -e 'recv short=1' -- recv
	"$SW" show -f json "$TRACE" | head -1 | grep -q '"seed":43'
}

# ---- --must-fire ----------------------------------------------------------

# left: nothing of ours is left in TMPDIR.
left() {
	[ -z "$(find "$TMPDIR" -name 'sockwrench.*')" ]
}

@test "--must-fire: all rules have fired, the program's status" {
	printf 'recv when=1 short=3\nsend when=2 delay=1us\n' >a.rules
	sw run --must-fire -r a.rules -e 'socket via=socket error=EMFILE' -- recv send socket
	[ "$status" -eq 0 ]
	[ "$output" = $'recv 3\nsend 10\nsocket Too many open files' ]
	[ "${#stderr_lines[@]}" -eq 3 ]
	left
	run "$SW" run --must-fire -e 'socket via=socket error=EMFILE' -- "$PYTHON" -c \
		'import socket, sys
try: socket.socket()
except OSError: sys.exit(42)'
	[ "$status" -eq 42 ]
}

@test "--must-fire: each rule that has not fired is named, 125" {
	printf 'recv when=1 short=3\n\nsend when=3 delay=1us\n' >a.rules
	sw run --must-fire -o none -r a.rules -e 'socket via=socket error=EMFILE' -- recv send
	[ "$status" -eq 125 ]
	[ "$output" = $'recv 3\nsend 10' ]
	[ "$stderr" = 'sockwrench: -e:1 never fired: no socket call matched it
sockwrench: a.rules:3 never fired: 2 send calls matched it, but when=3 let none through' ]
	left
	# whatever the program's own status
	run "$SW" run --must-fire -e 'socket via=socket error=EMFILE' -- sh -c 'exit 3'
	[ "$status" -eq 125 ]
	[ "$output" = 'sockwrench: -e:1 never fired: no socket call matched it' ]
	run "$SW" run --must-fire -e 'socket via=socket error=EMFILE' -- sh -c 'kill -9 $$'
	[ "$status" -eq 125 ]
}

# why RULE REASON WORDS...: so --must-fire says why that rule has not fired.
why() {
	local rule=$1 reason=$2
	shift 2
	sw run --must-fire -o none -e "$rule" -- "$@"
	[ "$status" -eq 125 ]
	[ "$stderr" = "sockwrench: -e:1 never fired: $reason" ]
}

@test "--must-fire: why a rule has not fired" {
	why 'connect error=ECONNREFUSED' 'no connect call matched it' recv
	why 'recv size=11..20 error=ENOMEM' 'no recv call matched it' recv
	why 'recv,send via=recvmsg,sendmsg error=ENOMEM' 'no call matched it' recv
	# sendall is the first send
	why 'send when=4 error=ENOBUFS' \
		'3 send calls matched it, but when=4 let none through' send send
	why 'recv prob=0.0001% error=ENOMEM' \
		'2 recv calls matched it, but prob=0.0001% let none through' recv recv
	why 'recv when=3 prob=0.0001% error=ENOMEM' \
		'3 recv calls matched it, but when=3 and prob= let none through' \
		recv recv recv
	why 'recv at=1000 eof' \
		'2 recv calls matched it, but none got to at=1000' recv recv
	why 'recv nonblocking error=EAGAIN' 'no recv call matched it' recv
	why 'recv error=EAGAIN' '1 recv call matched it, but none was nonblocking' recv
	why 'send short=1' \
		'2 send calls matched it, but none could be cut short' send
	sw run --must-fire -o none -e 'recv when=1..2 delay=1us' \
		-e 'recv when=2 short=3' -- recv recv
	[ "$status" -eq 125 ]
	[ "$stderr" = 'sockwrench: -e:2 never fired: 2 recv calls matched it, but other rules came first' ]
	# of all processes together
	run "$SW" run --must-fire -o none -e 'recv when=9 short=3' -- sh -c \
		'"$@" recv; "$@" recv recv' - "$PYTHON" -c "$PROGRAM"
	[[ $output == *'-e:1 never fired: 3 recv calls matched it, but when=9 let none through' ]]
}

@test "--must-fire: a rule that lets calls pass has fired when it has" {
	sw run --must-fire -e 'recv when=1 pass' -e 'recv short=3' -- recv recv
	[ "$status" -eq 0 ]
	[ "$output" = $'recv 10\nrecv 3' ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	sw run --must-fire -e 'recv when=2 pass' -- recv
	[ "$status" -eq 125 ]
}

@test "--must-fire: rules fired in children count, also before a kill" {
	run "$SW" run -o none --must-fire -e 'recv short=3' -- sh -c \
		'"$@" recv & wait' - "$PYTHON" -c "$PROGRAM"
	[ "$status" -eq 0 ]
	run "$SW" run -o none --must-fire -e 'socket number=100' -- "$PYTHON" -c \
		'import os, socket; socket.socket(); os.kill(os.getpid(), 9)'
	[ "$status" -eq 137 ]
	left
}

@test "--must-fire with -w, -c, -o, and as an option of trace" {
	sw run --must-fire -w "$TRACE" -e 'recv short=3' -e 'connect pass' -- recv
	[ "$status" -eq 125 ]
	[[ $stderr == *'[-e:1]'*'sockwrench: -e:2 never fired: no connect call matched it' ]]
	"$SW" show "$TRACE" | grep -q ' socketpair('
	sw run --must-fire -c -e 'recv short=3' -e 'send when=2 eof' -- recv
	[ "$status" -eq 125 ]
	[[ $stderr == *'sockwrench: -e:2 never fired: 1 send call matched it, but when=2 let none through'*' recv'* ]]
	sw trace --must-fire -o "$LOG" -e 'recv short=3' -- recv send
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	in_log ' socketpair\(' 1
	in_log ' recv\(.*\[-e:1\]$' 1
	sw trace --must-fire -e 'recv short=3' -- recv
	[[ $stderr == *' socketpair('*' recv('* ]]
	left
}

@test "--must-fire: the parent passes signals on and ends as the program does" {
	mkfifo ready
	bash -c 'echo $$ >pid; exec "$@"' - "$SW" run --must-fire \
		-e 'socket via=socket error=EMFILE' -- "$PYTHON" -c '
import signal, socket
try: socket.socket()
except OSError: pass
signal.signal(signal.SIGTERM, signal.SIG_DFL)
open("ready", "w").write("x")
signal.pause()' 2>"$LOG" &
	PIDS+=($!)
	cat ready >/dev/null
	kill -TERM "$(cat pid)"
	status=0
	wait "${PIDS[0]}" || status=$?
	[ "$status" -eq 143 ]
	left
}

@test "--must-fire: what cannot be started is that, not a rule's fault" {
	echo echo hi >text
	chmod +x text
	run "$SW" run --must-fire -e 'send short=1' -- ./text
	[ "$status" -eq 126 ]
	[ "$output" = "sockwrench: ./text: neither a program nor a script with #!" ]
	left
	run -127 "$SW" run --must-fire -e 'send short=1' -- /no/such/program
	[ "${#lines[@]}" -eq 1 ]
	left
}

@test "a thousand rules" {
	local i
	for ((i = 1; i < 1000; i++)); do
		echo "recv when=$((1000 - i)) delay=1ns"
	done >a.rules
	echo 'recv short=3 when=1000..1001' >>a.rules
	sw run -o none -r a.rules -- recv
	[ "$status" -eq 0 ]
	sw run -r a.rules -- recv recv
	[[ ${stderr_lines[0]} == *'[a.rules:999]' ]]
	[[ ${stderr_lines[1]} == *'[a.rules:998]' ]]
}

# ---- presets at work ------------------------------------------------------

@test "refused-then-ok: three refusals, then the connection is there" {
	run --separate-stderr "$SW" run --must-fire -r refused-then-ok -- \
		"$PYTHON" -c '
import socket
l = socket.create_server(("127.0.0.1", 0))
for i in range(4):
    try:
        socket.create_connection(l.getsockname()).send(b"x")
        print("ok")
    except OSError as e:
        print(e.strerror)'
	echo "$stderr"
	[ "$status" -eq 0 ]
	[ "$output" = "$(printf 'Connection refused\n%.0s' 1 2 3)
ok" ]
	[ "$(grep -cE '\[refused-then-ok.rules:[0-9]+\]$' <<<"$stderr")" -eq 3 ]
}

@test "fd-setsize: descriptors from 1024 up" {
	run --separate-stderr "$SW" run --must-fire -r fd-setsize -- \
		"$PYTHON" -c '
import socket
print(socket.socket().fileno())'
	[ "$status" -eq 0 ]
	[ "$output" -ge 1024 ]
}

@test "installed: presets are found beside PREFIX/bin" {
	make -s -C "$ROOT" install DESTDIR="$PWD/root" PREFIX=/opt/sw
	SW=$PWD/root/opt/sw/bin/sockwrench
	sw run -r fd-setsize -- socket
	[ "$status" -eq 0 ]
	[[ $stderr == *'[fd-setsize.rules:7]' ]]
	diff <("$SW" list presets) <("$BUILD/sockwrench" list presets)
}

# ---- where in the program ------------------------------------------------------

@test "from=: calls made at that place, and at no other" {
	local place
	make_two
	SOCKWRENCH_STACK=3 "$SW" trace -w trace -- ./two >/dev/null
	mapfile -t places < <("$SW" show -f json trace | grep '"call":"send"' |
		grep -oE '"stack":"[^"]*"' | sed 's/.*:"//; s/"$//')
	[ "${#places[@]}" -eq 2 ]
	[ "${places[0]%%<*}" != "${places[1]%%<*}" ]
	place=${places[1]%%<*}
	run "$SW" run --must-fire -o /dev/null \
		-e "send from=${place##*/} error=ENOBUFS" -- ./two
	[ "$output" = $'first 1\nsecond -1' ]
	# with the place that called: of one of the two
	places=("${places[0]}" "$(cut -d'<' -f1,2 <<<"${places[1]}")")
	run "$SW" run --must-fire -o /dev/null \
		-e "send from=${places[1]} error=ENOBUFS" -- ./two
	[ "$output" = $'first 1\nsecond -1' ]
	run "$SW" run --must-fire -o /dev/null \
		-e "send from=${place##*/}<nowhere+0x12 error=ENOBUFS" -- ./two
	[ "$status" -eq 125 ]
	[[ $output == *$'first 1\nsecond 1'* ]]
}

# make_two: sends at two places, and says how that went.
make_two() {
	cat >two.c <<'END'
#include <stdio.h>
#include <sys/socket.h>
int main(void)
{
	int fd[2];
	socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	printf("first %d\n", (int)send(fd[0], "1", 1, 0));
	printf("second %d\n", (int)send(fd[0], "2", 1, 0));
	return 0;
}
END
	${CC:-cc} -g -o two two.c
}

@test "per=tree: a process and its children count together" {
	local program='import os, socket
a, b = socket.socketpair()
for i in range(4):
    if not os.fork():
        try:
            a.send(b"x")
            os._exit(0)
        except OSError:
            os._exit(1)
    print(os.wait()[1] >> 8)'
	run "$SW" run -o /dev/null -e 'send when=3 per=tree error=ENOBUFS' -- \
		"$PYTHON" -c "$program"
	[ "$output" = $'0\n0\n1\n0' ]
	run "$SW" run -o /dev/null -e 'send limit=2 per=tree error=ENOBUFS' -- \
		"$PYTHON" -c "$program"
	[ "$output" = $'1\n1\n0\n0' ]
	run "$SW" run -o /dev/null -e 'send when=1 error=ENOBUFS' -- \
		"$PYTHON" -c "$program"
	[ "$output" = $'1\n1\n1\n1' ]
}
