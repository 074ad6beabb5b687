#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# examples/echo: what is wrong with the naive pair happens and is seen; the
# good twins survive the same.

load helpers

ECHO=$BUILD/examples/echo

# serve NAME: its port in PORT, its pid in SERVER, its log in the file server.
serve() {
	mkfifo "$BATS_TEST_TMPDIR/port"
	background env SOCKWRENCH_LOG="$BATS_TEST_TMPDIR/server" \
		LD_PRELOAD="$LIB" "$ECHO/$1" 1<>"$BATS_TEST_TMPDIR/port"
	SERVER=${PIDS[-1]}
	PORT=$(port_of "$BATS_TEST_TMPDIR/port")
}

# converse CLIENT: one line, its answer; then the server is killed, and the
# client gets two more lines. Its status in STATUS.
converse() {
	local client reply
	mkfifo "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	SOCKWRENCH_LOG=$LOG LD_PRELOAD=$LIB "$ECHO/$1" "$PORT" \
		<"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" \
		2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
	exec 8>"$BATS_TEST_TMPDIR/in" 9<"$BATS_TEST_TMPDIR/out"
	echo one >&8
	read -r -t 10 reply <&9
	[ "$reply" = one ]
	kill -9 "$SERVER"
	wait "$SERVER" || true
	PIDS=()
	echo two >&8
	# it has noticed, or not, before it gets the third line
	until grep -qE '(read|recv)\(.* = (0|-1 ECONNRESET)' "$LOG"; do
		read -r -t 0.01 <> <(:) || true
	done
	(echo three >&8) 2>/dev/null || true
	STATUS=0
	wait "$client" || STATUS=$?
	exec 8>&- 9<&-
}

@test "echo: both clients and both servers work together" {
	local server client
	for server in server server_good; do
		rm -f "$BATS_TEST_TMPDIR/port"
		serve "$server"
		for client in client client_good; do
			run "$ECHO/$client" "$PORT" < <(seq 100)
			[ "$status" -eq 0 ]
			[ "$output" = "$(seq 100)" ]
		done
		stop_background
	done
}

@test "echo: the naive client dies of SIGPIPE when its server has" {
	serve server
	converse client
	[ "$STATUS" -eq 141 ]
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	in_log ' write\([0-9]+<tcp:.*"two\\n", 4\) = 4 ' 1
	in_log ' read\([0-9]+<tcp:.* = 0 ' 1
	in_log '"three' 0
}

@test "echo: the good client says so and ends" {
	serve server
	converse client_good
	[ "$STATUS" -eq 1 ]
	grep -q '^echo client: ' "$BATS_TEST_TMPDIR/err"
}

# reset: a client that sends a line and resets instead of closing.
reset() {
	"$PYTHON" -c '
import socket, struct, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.send(b"x\n"); s.recv(2)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()' "$PORT"
}

@test "echo: the naive server takes -1 for a length when a client resets" {
	serve server
	reset
	LOG=$BATS_TEST_TMPDIR/server
	until grep -q ' write(.*-1 (as size_t)' "$LOG"; do
		read -r -t 0.01 <> <(:) || true
	done
	stop_background
	in_log ' read\([0-9]+<tcp:.* = -1 ECONNRESET ' 1
	in_log ' write\([0-9]+<tcp:.*, -1 \(as size_t\)\) = -1 (EPIPE|EFAULT) '
}

@test "echo: the good server goes on to the next client" {
	serve server_good
	reset
	run "$ECHO/client_good" "$PORT" <<<hello
	[ "$output" = hello ]
	LOG=$BATS_TEST_TMPDIR/server
	in_log ' read\([0-9]+<tcp:.* = -1 ECONNRESET ' 1
}
