#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The command as a launcher: sinks, statuses, and what it refuses.

load helpers
bats_require_minimum_version 1.5.0

# fails STATUS TEXT ARGS...
fails() {
	local want=$1 text=$2 status=0
	shift 2
	output=$("$SW" "$@" 2>&1) || status=$?
	echo "exit $status, expected $want: $output"
	[ "$status" -eq "$want" ]
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[[ $output == sockwrench:* ]]
	[[ $output == *"$text"* ]]
}

@test "trace: lines on standard error, the program's own output untouched" {
	run --separate-stderr "$SW" trace -- "$PROGS/behave" early
	[ "$status" -eq 0 ]
	[ "$output" = 1 ]
	[[ $stderr == *'execve('*'send('*'recv('* ]]
}

@test "trace -o: lines in a file of mode 600, nothing on standard error" {
	run --separate-stderr "$SW" trace -o "$LOG" -- "$PROGS/behave" early
	[ "$output" = 1 ]
	[ -z "$stderr" ]
	[ "$(stat -c %a "$LOG")" = 600 ]
	in_log ' send\([0-9]+<unix>, "x", 1, 0\) = 1 <0\.[0-9]{6}>$' 1
	# a second run starts the file anew
	"$SW" trace -o "$LOG" "$PROGS/behave" early
	in_log ' send\(' 1
}

@test "trace -o with %p: every process has its own file" {
	"$SW" trace -o "$BATS_TEST_TMPDIR/log.%p" sh -c '"$0" early; "$0" early' \
		"$PROGS/behave"
	[ "$(grep -l ' send(' "$BATS_TEST_TMPDIR"/log.* | wc -l)" -eq 2 ]
	for f in $(grep -l ' send(' "$BATS_TEST_TMPDIR"/log.*); do
		[ "$(cut -d' ' -f1 "$f" | sort -u)" = "${f##*.}" ]
	done
}

@test "trace -w and -o together, also with relative names and a chdir" {
	cd "$BATS_TEST_TMPDIR"
	"$SW" trace -w t -o l sh -c 'cd /; "$0" early' "$PROGS/behave"
	LOG=$BATS_TEST_TMPDIR/l
	in_log ' send\(' 1
	"$SW" show t | grep -q ' send('
}

@test "the log goes to the first standard error, not to a child's" {
	run --separate-stderr "$SW" trace sh -c '"$0" early 2>"$1"' \
		"$PROGS/behave" "$BATS_TEST_TMPDIR/err"
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	[[ $stderr == *'send('* ]]
}

@test "a program that uses no socket: no line at all" {
	run --separate-stderr "$SW" trace -- sh -c 'ls / | wc -l >/dev/null'
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
}

@test "a shell's child frees the environment that the shell has made" {
	run "$SW" trace -o "$LOG" bash -c 'export A=1
(export B=2; exec "$0" early)
(X=$(export C=3; exec "$0" early); export D=4; echo "$A $X $(printenv D)")' \
		"$PROGS/behave"
	[ "$status" -eq 0 ]
	[ "$output" = $'1\n1 1 4' ]
	in_log ' send\(' 2
}

@test "status, signals and pid are the program's own" {
	run "$SW" trace -o "$LOG" sh -c 'exit 42'
	[ "$status" -eq 42 ]
	run "$SW" trace -o "$LOG" sh -c 'kill -TERM $$'
	[ "$status" -eq 143 ]
	run bash -c 'echo $$; exec "$@"' - "$SW" trace -o "$LOG" \
		sh -c 'echo $$'
	[ "${lines[0]}" = "${lines[1]}" ]
	run "$SW" run sh -c 'exit 3'
	[ "$status" -eq 3 ]
}

@test "run: nothing is logged unless it is asked for" {
	run --separate-stderr "$SW" run "$PROGS/behave" early
	[ "$output" = 1 ]
	[ -z "$stderr" ]
	"$SW" run -o "$LOG" "$PROGS/behave" early
	in_log ' send\(' 1
}

@test "-s: how much of the data is shown" {
	local program='import socket
a, b = socket.socketpair(); a.send(b"0123456789" * 400); b.recv(5000)'
	"$SW" trace -o "$LOG" "$PYTHON" -c "$program"
	in_log ' send\(.*, "01234567890123456789012345678901"\.\.\., 4000, 0\)' 1
	"$SW" trace -s 5 -o "$LOG" "$PYTHON" -c "$program"
	in_log ' send\(.*, "01234"\.\.\., 4000, 0\)' 1
	"$SW" trace -s 0 -o "$LOG" "$PYTHON" -c "$program"
	in_log ' send\([0-9]+<unix>, 4000, 0\)' 1
	"$SW" trace -s 4096 -o "$LOG" "$PYTHON" -c "$program"
	[ "$(grep -oE ' send\(.*"[0-9]+", 4000' "$LOG" | wc -c)" -gt 4000 ]
	"$SW" trace -s 8 -w "$TRACE" "$PYTHON" -c "$program"
	"$SW" show "$TRACE" | grep -q 'send(.*"01234567"\.\.\., 4000'
}

@test "-t, -tt, -ttt: the clock at the head of a line" {
	"$SW" trace -t -o "$LOG" "$PROGS/behave" early
	in_log '^[0-9]+ [0-2][0-9]:[0-5][0-9]:[0-6][0-9] send\(' 1
	"$SW" trace -tt -o "$LOG" "$PROGS/behave" early
	in_log '^[0-9]+ [0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{6} send\(' 1
	"$SW" trace -ttt -o "$LOG" "$PROGS/behave" early
	in_log '^[0-9]+ 1[0-9]{9}\.[0-9]{6} send\(' 1
	local before after hour
	before=$(date +%H%M%S)
	TZ=Asia/Kolkata "$SW" trace -t -o "$LOG" "$PROGS/behave" early
	hour=$(TZ=Asia/Kolkata date +%H)
	after=$(date +%H%M%S)
	[ "${before:0:2}" != "${after:0:2}" ] || in_log "^[0-9]+ $hour:" 6
}

@test "-e trace=: calls, families, all, all but" {
	"$SW" trace -e trace=send -o "$LOG" "$PROGS/behave" early
	in_log ' send\(' 1
	in_log ' recv\(' 0
	"$SW" trace -e 'trace=!send,close' -o "$LOG" "$PROGS/behave" early
	in_log ' send\(' 0
	in_log ' recv\(' 1
	"$SW" trace -e trace=%network -o "$LOG" "$PROGS/behave" early
	in_log ' send\(' 1
}

@test "-e trace= in a trace: what a socket is, is known all the same" {
	"$SW" trace -e trace=send -w "$TRACE" "$PYTHON" -c '
import socket
l = socket.create_server(("127.0.0.1", 0))
c = socket.create_connection(l.getsockname())
c.send(b"x")'
	run "$SW" show "$TRACE"
	[[ $output =~ send\([0-9]+\<tcp:127.0.0.1:[0-9]+-\>127.0.0.1:[0-9]+\> ]]
	[ "$(grep -c '=' <<<"$output")" -eq 1 ]
}

@test "the caller of a call by number is the program, and only of that call" {
	gcc -x c -D_GNU_SOURCE -w -O1 -o "$BATS_TEST_TMPDIR/caller" - <<-'C'
	#include <fcntl.h>
	#include <sys/socket.h>
	#include <sys/syscall.h>
	#include <unistd.h>
	int main(void)
	{
		int sv[2], file = open("/etc/passwd", O_RDONLY);
		char c;
		socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
		for (volatile int i = 0; i < 2; i++) {
			if (i)	/* a plain file: nothing is recorded */
				for (volatile int j = 0; j < 3; j++)
					syscall(SYS_read, file, &c, 1);
			send(sv[0], "x", 1, 0);
			syscall(SYS_shutdown, sv[0], 0);
		}
		return 0;
	}
	C
	"$SW" trace -w "$TRACE" "$BATS_TEST_TMPDIR/caller"
	"$SW" show -f json "$TRACE" >"$BATS_TEST_TMPDIR/json"
	local call
	for call in send shutdown; do
		[ "$(grep "\"call\":\"$call\"" "$BATS_TEST_TMPDIR/json" |
			grep -oE '"caller":"0x[0-9a-f]+"' | uniq -c |
			awk '{ print $1 }')" = 2 ]
	done
	# both in the program's text, near each other
	"$PYTHON" - "$BATS_TEST_TMPDIR/json" <<-'P'
	import json, sys
	calls = [json.loads(line) for line in open(sys.argv[1])][1:]
	at = {c["call"]: int(c["caller"], 16) for c in calls if c["caller"]}
	assert abs(at["send"] - at["shutdown"]) < 4096, at
	P
}

@test "-z and -Z: only what succeeded, only what failed" {
	"$SW" trace -z -o "$LOG" "$PROGS/behave" errors
	in_log ' = -1 ' 0
	in_log ' send\(' 2
	"$SW" trace -Z -o "$LOG" "$PROGS/behave" errors
	in_log ' = -1 EFAULT ' 11
	[ "$(grep -vc ' = -1 ' "$LOG")" -le 1 ]
	"$SW" trace -Z -w "$TRACE" "$PROGS/behave" errors
	"$SW" show "$TRACE" | grep -c ' = -1 EFAULT ' | grep -qx 11
}

@test "-c: counts at the end, the program's status" {
	run --separate-stderr "$SW" trace -c "$PROGS/behave" calls 1000
	[ "$status" -eq 0 ]
	[ "$output" = "1000 calls" ]
	[[ $stderr =~ 1001\ +1000\ +recv ]]
	run "$SW" trace -c -o "$LOG" sh -c '"$0" early; exit 7' "$PROGS/behave"
	[ "$status" -eq 7 ]
	grep -q 'send$' "$LOG"
	run "$SW" trace -c -o "$LOG" sh -c 'kill -9 $$'
	[ "$status" -eq 137 ]
}

@test "options end at the first word that is none" {
	run "$SW" trace -o "$LOG" sh -c 'echo "$@"' - -o x -c --help
	[ "$output" = "-o x -c --help" ]
}

@test "an LD_PRELOAD that is there stays there" {
	LD_PRELOAD=libm.so.6 run "$SW" trace -o "$LOG" sh -c 'echo $LD_PRELOAD'
	[ "$output" = "$LIB:libm.so.6" ]
}

@test "a program built with gcc's AddressSanitizer" {
	gcc -fsanitize=address -o "$BATS_TEST_TMPDIR/asan" \
		"$ROOT/tests/progs/behave.c" -w -D_GNU_SOURCE -pthread
	run "$SW" trace -o "$LOG" "$BATS_TEST_TMPDIR/asan" early
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = 1 ]
	in_log ' send\(' 1
}

@test "a program built with ThreadSanitizer" {
	gcc -fsanitize=thread -o "$BATS_TEST_TMPDIR/tsan" \
		"$ROOT/tests/progs/behave.c" -w -D_GNU_SOURCE -pthread
	# the sanitizer wants an address space it knows
	run setarch -R "$SW" trace -w "$TRACE" "$BATS_TEST_TMPDIR/tsan" threads
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = ok ]
	"$SW" show -f json "$TRACE" | grep -c '"call":"send"' | grep -qx 32001
}

@test "a program linked with musl" {
	local word musl=$BATS_TEST_TMPDIR/musl
	musl-gcc -w -D_GNU_SOURCE -o "$musl" "$ROOT/tests/progs/behave.c"
	for word in early handler jump cancel threads forks stack errors; do
		run "$musl" "$word"
		diff <(grep -v '^[0-9]*$' <<<"$output") \
			<("$SW" trace -o "$LOG" -w "$TRACE" "$musl" "$word" \
				2>/dev/null | grep -v '^[0-9]*$')
		in_log ' send\([0-9]+<unix>, "[a-z]", 1, 0\) = 1 '
		"$SW" show "$TRACE" | grep -q ' recv(.* = 1 '
	done
}

@test "refused: statically linked, set-user-ID, 32 bits, no program" {
	echo 'int main(void) { return 0; }' >"$BATS_TEST_TMPDIR/s.c"
	gcc -static -o "$BATS_TEST_TMPDIR/static" "$BATS_TEST_TMPDIR/s.c"
	fails 125 'statically linked' trace "$BATS_TEST_TMPDIR/static"
	cp "$PROGS/behave" "$BATS_TEST_TMPDIR/suid"
	chown 12345 "$BATS_TEST_TMPDIR/suid"
	chmod 4755 "$BATS_TEST_TMPDIR/suid"
	fails 125 'set-user-ID' trace "$BATS_TEST_TMPDIR/suid" early
	printf '\177ELF\001\001\001' >"$BATS_TEST_TMPDIR/small"
	chmod +x "$BATS_TEST_TMPDIR/small"
	fails 125 'not a 64-bit program' trace "$BATS_TEST_TMPDIR/small"
	printf '#!/no/such/interpreter\n' >"$BATS_TEST_TMPDIR/script"
	chmod +x "$BATS_TEST_TMPDIR/script"
	fails 126 '/no/such/interpreter' trace "$BATS_TEST_TMPDIR/script"
}

@test "a script's interpreter is looked at" {
	printf '#!%s\n' "$BATS_TEST_TMPDIR/static" >"$BATS_TEST_TMPDIR/script"
	echo 'int main(void) { return 0; }' >"$BATS_TEST_TMPDIR/s.c"
	gcc -static -o "$BATS_TEST_TMPDIR/static" "$BATS_TEST_TMPDIR/s.c"
	chmod +x "$BATS_TEST_TMPDIR/script"
	fails 125 'statically linked' trace "$BATS_TEST_TMPDIR/script"
}

@test "126 and 127: what cannot be executed, what is not there" {
	fails 127 'not found in PATH' trace no-such-program-anywhere
	fails 127 'No such file' trace /no/such/program
	fails 126 'is a directory' trace /tmp
	touch "$BATS_TEST_TMPDIR/plain"
	fails 126 'Permission denied' trace "$BATS_TEST_TMPDIR/plain"
	echo echo hi >"$BATS_TEST_TMPDIR/text"
	chmod +x "$BATS_TEST_TMPDIR/text"
	fails 126 'neither a program nor a script' trace \
		"$BATS_TEST_TMPDIR/text"
}

@test "bad input: one line, 125, nothing started" {
	local started=$BATS_TEST_TMPDIR/started
	fails 125 'expected a verb'
	fails 125 "unknown verb 'frobnicate'" frobnicate
	fails 125 'no program given' trace
	fails 125 'no program given' trace -o "$LOG" --
	fails 125 "unknown option '-Q'" trace -Q touch "$started"
	fails 125 "unknown option '--frob'" trace --frob touch "$started"
	fails 125 "needs a value" trace -o
	fails 125 'Is a directory' trace -o "$BATS_TEST_TMPDIR" touch "$started"
	fails 125 'Is a directory' trace -w "$BATS_TEST_TMPDIR" touch "$started"
	fails 125 'No such file' trace -o /no/such/dir/log touch "$started"
	fails 125 'No such file' trace -w /no/such/dir/trace touch "$started"
	fails 125 'no regular file' trace -w /dev/null touch "$started"
	ln -s /tmp/elsewhere "$BATS_TEST_TMPDIR/link"
	fails 125 'symbolic link' trace -o "$BATS_TEST_TMPDIR/link" \
		touch "$started"
	fails 125 'expected an action' trace -e send touch "$started"
	fails 125 "the nearest is 'recvmsg'" trace -e trace=recvmsgs \
		touch "$started"
	fails 125 "no call or family 'zzzzzzzzz'" trace -e trace=send,zzzzzzzzz \
		touch "$started"
	fails 125 'whole number from 0 to 4096' trace -s 5000 touch "$started"
	fails 125 'whole number' trace -s x touch "$started"
	fails 125 'whole number' trace --seed -3 touch "$started"
	fails 125 'leave nothing' trace -z -Z touch "$started"
	fails 125 'when a program starts' trace -p 1
	fails 125 'expected calls, errors, presets or env' list nonsense
	fails 125 'expected one of calls, errors, presets, env' list
	[ ! -e "$started" ]
}

@test "bad environment with the plain object: one line, 125, nothing run" {
	local bad
	for bad in LOG=/tmp TRACE=/tmp TRACE=/no/such/dir/t STRSIZE=x \
		STRSIZE=99999 CALLS=frob ONLY=maybe TIMES=x SEED=y; do
		run env "SOCKWRENCH_$bad" LD_PRELOAD="$LIB" "$PROGS/behave" early
		echo "$bad: $status $output"
		[ "$status" -eq 125 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == "sockwrench: SOCKWRENCH_${bad%%=*}: "* ]]
	done
}

@test "list: every call of the table, every variable; help and version" {
	local name
	for name in $("$ROOT/tests/names.sh"); do
		"$SW" list calls | grep -qwF -- "$name" || {
			echo "$name is not listed"
			return 1
		}
	done
	run "$SW" list env
	[ "$status" -eq 0 ]
	[[ $output == *SOCKWRENCH_LOG=*SOCKWRENCH_TRACE=* ]]
	run "$SW" --help
	[ "$status" -eq 0 ]
	[[ $output == *trace*run*check*show*list* ]]
	run "$SW" trace --help
	[ "$status" -eq 0 ]
	[[ $output == *--output* ]]
	run "$SW" --version
	[[ $output =~ ^sockwrench\ [0-9]+\.[0-9]+ ]]
}

@test "pages made from the tables are up to date" {
	mkdir "$BATS_TEST_TMPDIR/docs"
	"$ROOT/docs/make.sh" "$BUILD/tables" "$BATS_TEST_TMPDIR/docs"
	for page in sockwrench.1 libsockwrench.so.7 calls.md rules.md; do
		diff "$ROOT/docs/$page" "$BATS_TEST_TMPDIR/docs/$page"
	done
}

@test "install: PREFIX and DESTDIR, and the command finds its object there" {
	make -s -C "$ROOT" install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/opt/sw
	run --separate-stderr "$BATS_TEST_TMPDIR/root/opt/sw/bin/sockwrench" \
		trace "$PROGS/behave" early
	[ "$status" -eq 0 ]
	[[ $stderr == *'send('* ]]
}
