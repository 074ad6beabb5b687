#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Programs as Debian ships them, when a rule makes things late: their own
# time-outs end it, in the words they have for a real silence, others are
# served meanwhile, and in the end all is as it was.
#
# PORT and LOG are set in one test and read by its functions:
# shellcheck disable=SC2030,SC2031,SC2034

load helpers
load meets
bats_require_minimum_version 1.5.0

# ---- running ------------------------------------------------------------

# at_once COMMAND...: started, in a directory of its own.
at_once() {
	local dir
	dir=$(mktemp -d "$DIR/at_once.XXXX")
	(
		cd "$dir" || exit
		LOG=$dir/log
		"$@"
	) 3>&- &
	ALL+=($!)
}

# all_well: each of them has succeeded.
all_well() {
	local pid failed=0
	[ ${#ALL[@]} -gt 0 ]
	for pid in "${ALL[@]}"; do
		wait "$pid" || failed=1
	done
	ALL=()
	return $failed
}

# limited SECONDS COMMAND...: it, with each client that has a time-out for
# connecting and for reading, set to so many.
limited() {
	local limit=$1 progs=$BATS_TEST_DIRNAME/progs
	shift
	"$@" curl -q -sS --noproxy '*' --connect-timeout "$limit" \
		--speed-time "$limit" --speed-limit 10000 http://127.0.0.1:PORT/big
	"$@" wget -nv --no-proxy --connect-timeout="$limit" \
		--read-timeout="$limit" --tries=1 -O - http://127.0.0.1:PORT/big
	"$@" node "$progs/gated_client.js" PORT "$limit"
	"$@" perl "$progs/gated_client.pl" PORT "$limit"
	"$@" "$PYTHON" "$progs/gated_client.py" settimeout PORT "$limit"
	"$@" "$PYTHON" "$progs/gated_client.py" sockopt PORT "$limit"
	"$@" "$PYTHON" "$progs/gated_client.py" wait_for PORT "$limit"
	"$@" "$PYTHON" "$progs/gated_client.py" urllib PORT "$limit"
	INPUT=$DIR/request "$@" nc.openbsd -v -w "$limit" 127.0.0.1 PORT
	INPUT=$DIR/request "$@" socat -t "$limit" -T "$limit" - \
		"TCP:127.0.0.1:PORT,connect-timeout=$limit"
	"$@" ssh -F /dev/null -o BatchMode=yes -o ConnectTimeout="$limit" \
		-p PORT 127.0.0.1 true
}

# ---- connections that take their time --------------------------------------

@test "connect: who gives up, gives up as before a queue that is full" {
	local full rule NOLOG=1
	peer full
	full=$PORT
	web
	for rule in 'inprogress=20s then=EHOSTUNREACH' 'stall=forever'; do
		limited 1 at_once alike "$full" "connect proto=tcp $rule"
		at_once alike "$full" "connect proto=tcp $rule" \
			ssh-keyscan -T 1 -p PORT 127.0.0.1
		all_well
	done
}

@test "connect: who waits longer notices nothing" {
	web
	limited 15 at_once alike "$PORT" 'connect proto=tcp inprogress=300ms'
	all_well
}

@test "connect: what fails in the end fails as what fails at once" {
	local closed
	closed=$(free_port)
	web
	limited 15 at_once alike "$closed" \
		'connect proto=tcp inprogress=300ms then=ECONNREFUSED'
	all_well
}

@test "curl --connect-timeout 1: over after a second, of three" {
	web
	meets 28 'connect inprogress=3s' "${CURL[@]}" --connect-timeout 1 \
		"http://127.0.0.1:$PORT/big"
	ends "curl: \(28\) (Failed to connect to 127.0.0.1 port $PORT|Connection timeout) after [0-9]{4,} ms(: Timeout was reached)?"
	in_log 'connect\(.*\) = -1 EINPROGRESS .*\[-e:1\]$' 1
	[ ! -s out ]
}

@test "curl: its own clock says how long connecting took" {
	web
	meets 0 'connect inprogress=300ms' "${CURL[@]}" -o body \
		-w '%{time_namelookup} %{time_connect}' \
		"http://127.0.0.1:$PORT/big"
	cmp body www/big
	awk '{ exit !($2 >= 0.3 && $2 < 3 && $1 < 0.3) }' out || {
		cat out
		return 1
	}
}

# ---- data that stops, or comes late ------------------------------------------

@test "recv: who gives up, gives up as before a server that says no more" {
	local real
	peer hold 3000
	real=$PORT
	web
	limited 1 at_once alike "$real" 'recv proto=tcp at=3000 stall=forever'
	all_well
}

@test "recv: the same where nothing comes at all, and no readiness either" {
	local real
	peer hold 0
	real=$PORT
	web
	limited 1 at_once alike "$real" 'recv proto=tcp when=1 stall=forever'
	all_well
}

@test "what is late or slow is the same in the end" {
	local rule
	web
	for rule in 'recv proto=tcp latency=5ms..20ms' \
		'send proto=tcp latency=5ms..20ms' \
		'recv,send proto=tcp when=1..5 stall=20ms' 'recv proto=tcp rate=400kB/s' \
		'send proto=tcp rate=1kB/s'; do
		limited 15 at_once alike "$PORT" "$rule"
		all_well
	done
}

@test "curl --max-time and wget --read-timeout end by themselves" {
	web
	meets 28 'recv at=5000 stall=forever' "${CURL[@]}" --max-time 1 \
		-o body "http://127.0.0.1:$PORT/big"
	ends "curl: \(28\) Operation timed out after [0-9]{4,} milliseconds with 4957 out of 108894 bytes received"
	cmp -n 4957 body www/big
	meets 28 'recv stall=forever' "${CURL[@]}" --max-time 1 \
		"http://127.0.0.1:$PORT/big"
	ends "curl: \(28\) Operation timed out after [0-9]{4,} milliseconds with 0 bytes received"
	meets 28 'recv rate=2kB/s' "${CURL[@]}" --speed-limit 20000 \
		--speed-time 1 -o body "http://127.0.0.1:$PORT/big"
	ends 'curl: \(28\) Operation too slow\. Less than 20000 bytes/sec transferred the last 1 seconds'
	meets 4 'recv at=5000 stall=forever' wget --no-proxy --tries=1 \
		--read-timeout=1 -O body "http://127.0.0.1:$PORT/big"
	grep -q 'Read error at byte 4957/108894 (Connection timed out)' err
}

@test "nc: lines go to and fro, each after a while" {
	local i line pid
	background "$PYTHON" "$BATS_TEST_DIRNAME/progs/gated_echo.py" 1<>fifo
	PORT=$(port_of fifo)
	coproc NC { exec "$SW" run --must-fire -o "$LOG" -e \
		'recv,send proto=tcp latency=10ms..40ms' -- \
		nc.openbsd -N 127.0.0.1 "$PORT" 3>&-; }
	# bash forgets both as soon as it has ended
	pid=$NC_PID
	exec 5<&"${NC[0]}" 6>&"${NC[1]}"
	eval "exec ${NC[1]}>&-"
	for ((i = 1; i <= 20; i++)); do
		echo "line $i" >&6
		read -r -t 20 line <&5
		[ "$line" = "line $i" ]
	done
	exec 6>&-
	exits 0 wait "$pid"
	log_injected
}

# ---- so many bytes a second --------------------------------------------------

# moved in|out: bytes, as the redis-server at PORT counts them.
moved() {
	redis-cli -p "$PORT" info stats |
		sed -n "s/^total_net_$1put_bytes:\([0-9]*\).*/\1/p"
}

# benchmark WAY RATE RULE ARGS...: what redis-benchmark makes of the rate, in
# percent, by its own clock and the server's count.
benchmark() {
	local way=$1 rate=$2 rule=$3 before after
	shift 3
	before=$(moved "$way")
	meets 0 "$rule" redis-benchmark -p "$PORT" --csv "$@" || return
	after=$(moved "$way")
	# "SET","50.01","19.9",...: requests a second; their number is -n's
	awk -F '","' -v bytes=$((after - before)) -v n=100 -v rate="$rate" \
		'/^"[SG]ET"/ { printf "%d\n", 100 * bytes / n * $2 / rate }' out
}

# reaches: the same, never more than 110 %, and 90 % when the machine lets it.
reaches() {
	local percent try
	for try in 1 2 3; do
		percent=$(benchmark "$@")
		[ "$percent" -le 110 ] || break
		[ "$percent" -lt 90 ] || return 0
	done
	echo "$percent % of $3, at try $try" >&2
	return 1
}

@test "redis-benchmark reaches the rate, and no more" {
	local peer
	PORT=$(free_port)
	background redis-server --port "$PORT" --bind 127.0.0.1 --save '' \
		--dir "$DIR" >server.out
	wait_for_port "$PORT"
	peer=peer=127.0.0.1:$PORT
	reaches in 1000000 "send $peer rate=1MB/s" -t set -d 20000 -n 100 -c 1
	reaches out 1000000 "recv $peer rate=1MB/s" -t get -d 20000 -n 100 -c 1
	# each connection has the rate for itself
	reaches in 1000000 "send $peer rate=200kB/s" -t set -d 20000 -n 100 -c 5
}

# ---- servers that go on with others -------------------------------------------

# nginx, all of whose calls are in the log.
nginx_traced() {
	PORT=$(free_port)
	config nginx.conf
	sed -i 's/^worker_processes .*/worker_processes 1;/' nginx.conf
	background "$SW" trace -o "$LOG" -e "$1" -- nginx \
		-c "$DIR/nginx.conf" -g 'daemon off;' 2>err
	wait_for_port "$PORT"
}

# fifty: so many clients at once, each with a connection of its own.
fifty() {
	local i
	rm -f body.*
	curl -q -sS --noproxy '*' -m 30 -Z --parallel-max 50 \
		-H 'Connection: close' -o 'body.#1' \
		"http://127.0.0.1:$PORT/big?[1-50]"
	for i in {1..50}; do
		cmp "body.$i" www/big
	done
}

@test "nginx: one client stands still, fifty others are served" {
	local rule
	for rule in 'recv role=server peer=127.0.0.9:* stall=forever' \
		'send role=server peer=127.0.0.9:* stall=forever' \
		'recv role=server peer=127.0.0.9:* latency=1h' \
		'send role=server peer=127.0.0.9:* rate=1B/s'; do
		rm -f "$LOG" one
		nginx_traced "$rule"
		background "${CURL[@]}" -m 60 --interface 127.0.0.9 -o one \
			"http://127.0.0.1:$PORT/big"
		said "$LOG" 'accept4\(.*->127\.0\.0\.9:'
		fifty
		fifty
		# it waits still, and nginx has not been busy with it
		kill -0 "${PIDS[-1]}"
		[ "$(stat -c %s one 2>/dev/null || echo 0)" -lt 108894 ]
		[ "$(grep -c ' epoll_wait(' "$LOG")" -le 1000 ]
		finish 143
		finish 0
		[ ! -s nginx.err ] || { cat nginx.err >&2; return 1; }
	done
}

@test "nginx: who stands still for a while is served in the end" {
	nginx_traced 'recv role=server peer=127.0.0.9:* per=conn when=1 stall=1s'
	background "${CURL[@]}" -m 60 --interface 127.0.0.9 -o one \
		"http://127.0.0.1:$PORT/big"
	said "$LOG" 'accept4\(.*->127\.0\.0\.9:'
	fifty
	wait "${PIDS[-1]}"
	cmp one www/big
	in_log 'recv\(.*\[-e:1\]$' 1
}

# latent PROG...: an echo server, 20 to 80 ms late.  It answers everything,
# waits once or twice for what it answers, and waits idly.
latent() {
	local waits
	rm -f "$LOG"
	background "$SW" trace -o "$LOG" -e \
		'recv role=server latency=20ms..80ms' -- "$@" 1<>fifo
	PORT=$(port_of fifo)
	[ "$("$PYTHON" "$BATS_TEST_DIRNAME/progs/gated_load.py" "$PORT" 5 40)" \
		-eq 200 ]
	waits=$(grep -cE ' epoll_p?wait2?\(' "$LOG")
	echo "$waits waits"
	in_log ' (recv|read)\(.*\\n", .*\[-e:1\]$' 200
	# asyncio asks once more after each answer
	[ "$waits" -ge 100 ]
	[ "$waits" -le 700 ]
	finish 143
}

@test "python asyncio: what is late is waited for idly" {
	latent "$PYTHON" "$BATS_TEST_DIRNAME/progs/gated_echo.py"
}

@test "node: what is late is waited for idly" {
	latent node "$BATS_TEST_DIRNAME/progs/gated_echo.js"
}

# ---- accept ------------------------------------------------------------------

# accepts HOW RULE LINES...: what gated_accept.py says.
accepts() {
	local how=$1 rule=$2
	shift 2
	# shellcheck disable=SC2086 # two words
	meets 0 "$rule" "$PYTHON" \
		"$BATS_TEST_DIRNAME/progs/gated_accept.py" $how
	diff <(printf '%s\n' "$@") out
}

@test "accept: select says that a client is there, accept finds none" {
	accepts 'blocking forever' 'accept stall=forever' \
		'ready True' blocks 'ready False'
	accepts 'nonblocking forever' 'accept stall=forever' \
		'ready True' BlockingIOError 'ready False'
	accepts 'blocking back' 'accept when=1 stall=1s' \
		'ready True' blocks 'ready False' 'ready True' "b'hello'"
	accepts 'nonblocking back' 'accept when=1 stall=1s' \
		'ready True' BlockingIOError 'ready False' 'ready True' \
		"b'hello'"
}

# ---- presets ----------------------------------------------------------------

@test "presets: each client says what the page about it says" {
	local url
	web
	url=http://127.0.0.1:$PORT/big
	at_once meets 28 @connect-timeout "${CURL[@]}" "$url"
	meets 0 @slow-connect "${CURL[@]}" -o body -w '%{time_connect}' "$url"
	awk '{ exit !($1 >= 0.25) }' out
	cmp body www/big
	meets 0 @wan "${CURL[@]}" -o body \
		-w '%{time_connect} %{time_starttransfer}' "$url"
	awk '{ exit !($1 >= 0.08 && $2 - $1 >= 0.06) }' out
	cmp body www/big
	meets 28 @modem "${CURL[@]}" -m 2 -o body "$url"
	ends 'curl: \(28\) Operation timed out after [0-9]+ milliseconds with [0-9]+ out of 108894 bytes received'
	# words 7 and 10: milliseconds and bytes, 7 to each
	awk '{ exit !($10 <= 7.7 * $7 && $10 >= 1000) }' err
	meets 4 @stalled-peer wget --no-proxy --tries=1 --read-timeout=1 \
		-O body "$url"
	grep -q 'Read error at byte [0-9]*/108894 (Connection timed out)' err
	all_well
}

@test "presets: servers whose clients vanish serve them when they are back" {
	local i
	nginx_under @flapping-accept
	for i in {1..10}; do
		gets_all
	done
	finish
	in_log 'accept4\(.*\) = -1 EAGAIN .*\[flapping-accept\.rules:9\]$'
	python_under @flapping-accept
	for i in {1..4}; do
		gets_all
	done
	finish 143
	in_log 'accept4?\(.*\) = [0-9]+<.*\[flapping-accept\.rules:10\]$'
}

# ---- one of many -----------------------------------------------------------------

@test "when= and limit= choose one connection, also where readiness is kept back" {
	local program='import select, socket, sys
pairs = [socket.socketpair() for i in range(4)]
poll = select.poll()
for n, (a, b) in enumerate(pairs):
    a.send(b"x")
    poll.register(b, select.POLLIN)
got = 0
while True:
    ready = poll.poll(300)
    if not ready:
        break
    for fd, bits in ready:
        [b for a, b in pairs if b.fileno() == fd][0].recv(10)
        got += 1
print(got)' rule
	for rule in 'recv when=1 stall=forever' 'recv limit=1 stall=forever' \
		'recv when=1 latency=3s'; do
		run "$SW" run -o /dev/null --must-fire -e "$rule" -- \
			"$PYTHON" -c "$program"
		[ "$output" = 3 ]
	done
	run "$SW" run -o /dev/null -e 'recv when=1..2 stall=forever' -- \
		"$PYTHON" -c "$program"
	[ "$output" = 2 ]
}

@test "EAGAIN of a call that waits comes when its time is over" {
	local program='import socket, struct, time
a, b = socket.socketpair()
a.send(b"here")
b.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 300000))
begin = time.monotonic()
try:
    print(b.recv(10))
except BlockingIOError:
    print("EAGAIN", time.monotonic() - begin >= 0.3)
print(b.recv(10))'
	run "$SW" run -o /dev/null -e 'recv when=1 error=EAGAIN' -- \
		"$PYTHON" -c "$program"
	[ "$output" = "EAGAIN True
b'here'" ]
}

@test "the end is late, also when the program's own went first" {
	local program='import socket, time
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server = listener.accept()[0]
client.shutdown(socket.SHUT_WR)
server.recv(10)
server.close()
begin = time.monotonic()
print(client.recv(10), time.monotonic() - begin >= 0.3)'
	run "$SW" run -o /dev/null --must-fire \
		-e 'recv role=client latency=300ms' -- "$PYTHON" -c "$program"
	[ "$output" = "b'' True" ]
}

@test "while EAGAIN of a bounded call is on its way, poll says nothing" {
	local program='import select, socket, struct, threading
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server = listener.accept()[0]
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 2, 0))
server.send(b"data")
poll = select.poll()
poll.register(client, select.POLLIN)
if poll.poll(5000):
    threading.Timer(0.5, lambda: print("meanwhile", poll.poll(0))).start()
try:
    client.recv(10)
except BlockingIOError:
    print("EAGAIN", len(poll.poll(5000)), client.recv(10))'
	run timeout 15 "$SW" run -o /dev/null -e 'recv when=1 error=EAGAIN' -- \
		"$PYTHON" -c "$program"
	[ "$output" = "meanwhile []
EAGAIN 1 b'data'" ]
}

@test "a reset is met at once, also where EAGAIN is on its way" {
	local program='import socket, struct, threading
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server = listener.accept()[0]
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 20, 0))
server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
threading.Timer(0.2, server.close).start()
try:
    print(client.recv(10))
except OSError as e:
    print(type(e).__name__)'
	run timeout 15 "$PYTHON" -c "$program"
	[ "$output" = ConnectionResetError ]
	run timeout 15 "$SW" run -o /dev/null -e 'recv error=EAGAIN' -- \
		"$PYTHON" -c "$program"
	[ "$output" = ConnectionResetError ]
}
