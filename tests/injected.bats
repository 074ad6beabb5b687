#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Programs as Debian ships them, under rules: each says of an injected fault
# what it says of a real one, in its own words and with its own status.
#
# PORT and LOG are set in one test and read by its functions:
# shellcheck disable=SC2030,SC2031,SC2034

load helpers
load meets
bats_require_minimum_version 1.5.0

# clients COMMAND...: it, with each of the clients behind it.
clients() {
	local progs=$BATS_TEST_DIRNAME/progs
	"$@" "${CURL[@]}" -v http://127.0.0.1:PORT/big
	"$@" "${WGET[@]}" --tries=1 -O - http://127.0.0.1:PORT/big
	"$@" "$PYTHON" -c "$URLLIB" http://127.0.0.1:PORT/big
	"$@" node "$progs/injected_client.js" PORT
	"$@" perl "$progs/injected_client.pl" PORT
	"$@" bash -c 'exec 3<>/dev/tcp/127.0.0.1/PORT && cat request >&3 &&
		cat <&3'
	"$@" git clone -q http://127.0.0.1:PORT/repo.git copy
	"$@" redis-cli -p PORT get key
	INPUT=request "$@" nc.openbsd -v -w 15 127.0.0.1 PORT
	INPUT=request "$@" socat -t 15 - TCP:127.0.0.1:PORT
	INPUT=request "$@" socat -t 15 - TCP:127.0.0.1:PORT,nonblock
}

# ---- injected and real --------------------------------------------------

@test "every client says of a refused connect what a closed port makes it say" {
	local closed
	closed=$(free_port)
	web
	clients alike "$closed" 'connect error=ECONNREFUSED'
	alike "$closed" 'connect error=ECONNREFUSED' \
		git clone -q git://127.0.0.1:PORT/repo.git copy
	alike "$closed" 'connect error=ECONNREFUSED' ssh -p PORT -v 127.0.0.1
	alike "$closed" 'connect error=ECONNREFUSED' \
		ssh-keyscan -T 15 -p PORT 127.0.0.1
}

@test "every client says of a reset in the first line what a real one makes it say" {
	local real
	peer reset 10
	real=$PORT
	web
	clients alike "$real" 'recv proto=tcp at=10 reset'
}

@test "every client says of a reset in mid body what a real one makes it say" {
	local real
	peer reset 10000
	real=$PORT
	web
	clients alike "$real" 'recv proto=tcp at=10000 reset'
}

@test "every client says of an end in the first line what a real one makes it say" {
	local real
	peer eof 10
	real=$PORT
	web
	clients alike "$real" 'recv proto=tcp at=10 eof'
}

@test "every client says of an end in mid body what a real one makes it say" {
	local real
	peer eof 10000
	real=$PORT
	web
	clients alike "$real" 'recv proto=tcp at=10000 eof'
}

@test "every client says of no network what a namespace without one makes it say" {
	web
	REALLY=(unshare "$([ "$(id -u)" -eq 0 ] || echo -r)n")
	REALLY[1]=-${REALLY[1]#-}
	clients alike "$PORT" 'connect error=ENETUNREACH'
}

@test "redis-cli: a server killed while it waits" {
	local server
	PORT=$(free_port)
	background redis-server --port "$PORT" --bind 127.0.0.1 --save '' \
		--dir "$DIR" >server.out
	wait_for_port "$PORT"
	server=${PIDS[-1]}
	meets 1 'recv at=3 eof' redis-cli -p "$PORT" get key
	redis-cli -p "$PORT" blpop never 0 >real.out 2>real.err 3>&- &
	PIDS+=($!)
	until redis-cli -p "$PORT" info clients | grep -q blocked_clients:1; do
		kill -0 "${PIDS[-1]}"
	done
	kill -9 "$server"
	wait "${PIDS[-1]}" || [ $? -eq 1 ]
	diff real.err err
	diff real.out out
	says 'Error: Server closed the connection'
}

# ---- curl ---------------------------------------------------------------

# curl_gets STATUS RULE BYTES: so much of the body, and its message in err.
curl_gets() {
	rm -f body
	meets "$1" "$2" "${CURL[@]}" -o body -w '%{size_download}' \
		"http://127.0.0.1:$PORT/big"
	[ "$(cat out)" -eq "$3" ]
	[ "$(stat -c %s body)" -eq "$3" ]
	cmp -n "$3" body www/big
}

@test "curl: a reset or an end at a byte of the stream" {
	local n
	web
	for n in 1000 1001 10000 65536 108936; do
		curl_gets 56 "recv at=$n reset" $((n - 43))
		says 'curl: (56) Recv failure: Connection reset by peer'
		curl_gets 56 "recv at=$n error=ETIMEDOUT" $((n - 43))
		says 'curl: (56) Recv failure: Connection timed out'
		curl_gets 18 "recv at=$n eof" $((n - 43))
		ends "curl: \(18\) .* $((108937 - n)) bytes (remaining to read|missing)"
	done
	# all has come: nobody asks for more, nobody is hurt
	curl_gets 0 'recv at=108937 reset' 108894
	[ ! -s err ]
}

@test "curl: connects that fail, each in its words" {
	local errno text status
	web
	while read -r errno status text; do
		meets "$status" "connect error=$errno" "${CURL[@]}" -v \
			"http://127.0.0.1:$PORT/big"
		grep -qE "^\* .*: $text$" err
		ends "curl: \($status\) Failed to connect to 127.0.0.1 port $PORT after [0-9]+ ms: Could(n't| not) connect to server"
		[ ! -s out ]
	done <<-END
		ECONNREFUSED 7 Connection refused
		ETIMEDOUT 28 Connection timed out
		EHOSTUNREACH 7 No route to host
		ENETUNREACH 7 Network is unreachable
		ECONNRESET 7 Connection reset by peer
		EADDRNOTAVAIL 7 Cannot assign requested address
	END
	meets 7 'socket proto=tcp error=EMFILE' "${CURL[@]}" \
		"http://127.0.0.1:$PORT/big"
	in_log 'socket\(AF_INET, SOCK_STREAM, .*\) = -1 EMFILE' 1
}

@test "curl: refused twice, it tries again" {
	local url
	web
	url=http://127.0.0.1:$PORT/big
	meets 0 "connect peer=127.0.0.1:$PORT when=1..2 error=ECONNREFUSED" \
		"${CURL[@]}" --retry 3 --retry-connrefused --retry-delay 1 \
		-o body "$url"
	cmp body www/big
	in_log 'connect' 2
	[ "$(grep -c '^curl: (7) Failed to connect' err)" -eq 2 ]
	meets 7 'connect when=1..2 error=ECONNREFUSED' \
		"${CURL[@]}" --retry 1 --retry-connrefused --retry-delay 1 "$url"
	in_log 'connect' 2
	meets 0 'recv at=5000 limit=1 error=ETIMEDOUT' \
		"${CURL[@]}" --retry 2 --retry-all-errors --retry-delay 1 \
		-o body "$url"
	cmp body www/big
}

@test "curl: of two addresses the second is tried when the first fails" {
	local errno
	background "$PYTHON" -u -m http.server 0 -b 0.0.0.0 -d www 1<>fifo \
		2>web.err
	PORT=$(port_of fifo | sed -E 's/.* port ([0-9]+) .*/\1/')
	for errno in ECONNREFUSED ETIMEDOUT EHOSTUNREACH ENETUNREACH; do
		meets 0 "connect peer=127.0.0.2:$PORT error=$errno" \
			"${CURL[@]}" -o body -w '%{remote_ip}' --resolve \
			"two.example:$PORT:127.0.0.2,127.0.0.1" \
			"http://two.example:$PORT/big"
		[ "$(cat out)" = 127.0.0.1 ]
		cmp body www/big
		in_log "connect\(.*, 127.0.0.2:$PORT\) = -1 " 1
	done
	meets 7 'connect peer=127.0.0.0/30:* error=ECONNREFUSED' \
		"${CURL[@]}" --resolve "two.example:$PORT:127.0.0.2,127.0.0.1" \
		"http://two.example:$PORT/big"
	in_log 'connect' 2
}

@test "curl: names that are not found" {
	local errno
	for errno in EAI_AGAIN EAI_NONAME EAI_FAIL EAI_NODATA; do
		meets 6 "resolve error=$errno" "${CURL[@]}" http://host.example/
		says 'curl: (6) Could not resolve host: host.example'
		in_log "getaddrinfo\(\"host.example\", .*\) = $errno <" 1
	done
}

@test "names: name= picks the host, not the service" {
	meets 6 'resolve name=*.example error=EAI_AGAIN' \
		"${CURL[@]}" http://host.example/
	says 'curl: (6) Could not resolve host: host.example'
	meets 1 'resolve name=host.example error=EAI_AGAIN' \
		"$PYTHON" -c "$URLLIB" http://host.example/
	ends '.*Temporary failure in name resolution>'
	web
	exits 125 "$SW" run --must-fire -e "resolve name=$PORT error=EAI_FAIL" \
		-- "$PYTHON" -c "$URLLIB" "http://127.0.0.1:$PORT/big" >out 2>err
	says 'sockwrench: -e:1 never fired: no resolve call matched it'
}

# curl_sends STATUS RULE BYTES MESSAGE: so much of it, then a reset, arrives.
curl_sends() {
	meets "$1" "$2" "${CURL[@]}" -H Expect: -T www/big \
		"http://127.0.0.1:$PORT/"
	says "curl: ($1) $4"
	sent=$((sent + 1))
	said got '[a-z]' "$sent"
	[ "$(tail -n 1 got)" = "$3 Connection reset by peer" ]
}

@test "curl: an upload that breaks off, and the other side of it" {
	local sent=0
	sink got
	# it looks for an answer before it goes on
	curl_sends 56 'send at=50000 reset' 50000 \
		'Recv failure: Connection reset by peer'
	curl_sends 56 'send at=50 error=ECONNRESET' 50 \
		'Recv failure: Connection reset by peer'
	curl_sends 56 'send at=50000 error=ETIMEDOUT' 50000 \
		'Recv failure: Connection timed out'
	# of EPIPE a reader hears nothing: the error has been collected
	curl_sends 55 'send at=50000 error=EPIPE' 50000 \
		'Send failure: Broken pipe'
	curl_sends 55 'send when=1 error=EPIPE' 0 'Send failure: Broken pipe'
	curl_sends 55 'send at=0 reset' 0 \
		'Send failure: Connection reset by peer'
}

# ---- wget ---------------------------------------------------------------

@test "wget: read errors, and what it tries again" {
	local url
	web
	url=http://127.0.0.1:$PORT/big
	meets 4 'recv at=10000 reset' "${WGET[@]}" --tries=1 -O body "$url"
	grep -q 'Read error at byte 9957/108894 (Connection reset by peer)' err
	cmp -n 9957 body www/big
	[ "$(stat -c %s body)" -eq 9957 ]
	meets 4 'recv at=20 reset' "${WGET[@]}" --tries=2 -O body "$url"
	[ "$(grep -c 'Read error (Connection reset by peer) in headers' err)" \
		-eq 2 ]
	in_log 'read' 2
	meets 4 'recv at=10000 eof' "${WGET[@]}" --tries=1 -O body "$url"
	grep -q 'Connection closed at byte 9957' err
	meets 0 'recv at=10000 when=1 reset' "${WGET[@]}" --tries=2 -O body "$url"
	cmp body www/big
	in_log 'read' 1
	meets 0 'connect when=1..2 error=ECONNREFUSED' "${WGET[@]}" --tries=3 \
		--retry-connrefused -nv -O body "$url"
	[ "$(grep -c '^failed: Connection refused\.$' err)" -eq 2 ]
	cmp body www/big
}

@test "wget: what fails before the first byte" {
	local rule text
	web
	while IFS=: read -r rule text; do
		meets 4 "$rule" "${WGET[@]}" --tries=1 -O body \
			"http://127.0.0.1:$PORT/big"
		grep -qE -- "$text" err
	done <<-'END'
		connect error=ECONNREFUSED:failed. Connection refused\.$
		connect error=ETIMEDOUT:failed. Connection timed out\.$
		connect error=EHOSTUNREACH:failed. No route to host\.$
		socket error=EMFILE:failed. Too many open files\.$
		send error=EPIPE:Failed writing HTTP request. Broken pipe\.$
		send reset:Failed writing HTTP request. Connection reset by peer\.$
	END
	meets 4 'resolve error=EAI_AGAIN' "${WGET[@]}" --tries=1 \
		http://host.example/
	grep -q 'failed: Temporary failure in name resolution\.$' err
}

# ---- Python, node, perl -------------------------------------------------

@test "python: the exception of each fault" {
	local rule text
	web
	while IFS=@ read -r rule text; do
		meets 1 "$rule" "$PYTHON" -c "$URLLIB" \
			"http://127.0.0.1:$PORT/big"
		ends "$text"
	done <<-'END'
		connect error=ECONNREFUSED@urllib.error.URLError: <urlopen error \[Errno 111\] Connection refused>
		connect error=ETIMEDOUT@urllib.error.URLError: <urlopen error \[Errno 110\] Connection timed out>
		connect error=EHOSTUNREACH@urllib.error.URLError: <urlopen error \[Errno 113\] No route to host>
		socket error=EMFILE@urllib.error.URLError: <urlopen error \[Errno 24\] Too many open files>
		resolve error=EAI_AGAIN force@urllib.error.URLError: <urlopen error \[Errno -3\] Temporary failure in name resolution>
		send error=EPIPE@urllib.error.URLError: <urlopen error \[Errno 32\] Broken pipe>
		send reset@urllib.error.URLError: <urlopen error \[Errno 104\] Connection reset by peer>
		recv at=10 reset@ConnectionResetError: \[Errno 104\] Connection reset by peer
		recv at=10000 reset@ConnectionResetError: \[Errno 104\] Connection reset by peer
		recv at=10000 error=ETIMEDOUT@TimeoutError: \[Errno 110\] Connection timed out
		recv at=10000 error=ECONNABORTED@ConnectionAbortedError: \[Errno 103\] Software caused connection abort
		recv at=10000 eof@http.client.IncompleteRead: IncompleteRead\(9957 bytes read, 98937 more expected\)
		recv at=10 eof@http.client.BadStatusLine: HTTP/1.0 2
	END
	[ ! -s out ]
}

@test "python: of plain sockets too, and the one after the first" {
	local code='import socket, sys
c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
c.sendall(b"GET / HTTP/1.0\r\n\r\n")
for do in (lambda: c.recv(10), lambda: c.recv(10), lambda: c.recv(10),
           lambda: c.send(b"x"), lambda: c.getpeername(),
           lambda: c.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
    try:
        print(do())
    except OSError as e:
        print(type(e).__name__, e)'
	web
	meets 0 'recv at=10 reset' "$PYTHON" -c "$code" "$PORT"
	diff - out <<-END
		b'HTTP/1.0 2'
		ConnectionResetError [Errno 104] Connection reset by peer
		b''
		BrokenPipeError [Errno 32] Broken pipe
		OSError [Errno 107] Transport endpoint is not connected
		0
	END
	peer reset 10
	diff out <("$PYTHON" -c "$code" "$PORT")
}

@test "python: no EINTR is seen by anybody" {
	local rule
	web
	for rule in 'recv when=1..3 error=EINTR' 'send when=1..3 error=EINTR' \
		'connect when=1 error=EINTR' 'recv,send prob=50% error=EINTR'; do
		meets 0 "$rule" "$PYTHON" -c "$URLLIB" \
			"http://127.0.0.1:$PORT/big"
		cmp out www/big
		[ ! -s err ]
		in_log '= -1 EINTR'
	done
}

@test "node: the error event of each failed connect" {
	local client=$BATS_TEST_DIRNAME/progs/injected_client.js
	local errno code
	web
	while read -r errno code; do
		meets 0 "connect error=$errno" node "$client" "$PORT"
		diff out <(echo "error $errno connect -$code after 0"
			echo 'close true')
	done <<-END
		ECONNREFUSED 111
		ETIMEDOUT 110
		EHOSTUNREACH 113
		ENETUNREACH 101
	END
	[ ! -s err ]
}

@test "node: resets and ends, one event each" {
	local client=$BATS_TEST_DIRNAME/progs/injected_client.js
	web
	meets 0 'recv proto=tcp at=10000 reset' node "$client" "$PORT"
	diff - out <<-END
		connect
		error ECONNRESET read -104 after 10000
		close true
	END
	meets 0 'recv proto=tcp at=10000 eof' node "$client" "$PORT"
	diff - out <<-END
		connect
		end after 10000
		close false
	END
	meets 0 'send proto=tcp when=1 error=EPIPE' node "$client" "$PORT"
	diff - out <<-END
		connect
		error EPIPE write -32 after 0
		close true
	END
	meets 0 'send proto=tcp at=5 reset' node "$client" "$PORT"
	diff - out <<-END
		connect
		error ECONNRESET write -104 after 0
		close true
	END
	meets 0 'socket error=EMFILE' node "$client" "$PORT"
	diff - out <<-END
		error EMFILE connect -24 after 0
		close true
	END
}

@test "node: an EAGAIN does not leave it waiting for an edge" {
	local client=$BATS_TEST_DIRNAME/progs/injected_client.js
	web
	meets 0 'recv proto=tcp when=1..3 error=EAGAIN' node "$client" "$PORT"
	diff - out <<-END
		connect
		end after 108937
		close false
	END
	meets 0 'send proto=tcp when=1..3 error=EAGAIN' node "$client" "$PORT"
	grep -qx 'end after 108937' out
	meets 0 'poll when=2..4 error=EINTR' node "$client" "$PORT"
	grep -qx 'end after 108937' out
}

@test "perl: die says it" {
	local client=$BATS_TEST_DIRNAME/progs/injected_client.pl
	web
	meets 111 'connect error=ECONNREFUSED' perl "$client" "$PORT"
	says 'connect: Connection refused'
	meets 104 'recv at=5000 reset' perl "$client" "$PORT"
	says 'sysread after 5000: Connection reset by peer'
	meets 110 'recv at=5000 error=ETIMEDOUT' perl "$client" "$PORT"
	says 'sysread after 5000: Connection timed out'
	meets 0 'recv at=5000 eof' perl "$client" "$PORT"
	[ "$(cat out)" = 5000 ]
	meets 104 'send reset' perl "$client" "$PORT"
	says 'print: Connection reset by peer'
}

# ---- redis-cli ----------------------------------------------------------

@test "redis-cli: each fault in its words" {
	local rule text
	PORT=$(free_port)
	background redis-server --port "$PORT" --bind 127.0.0.1 --save '' \
		--dir "$DIR" >server.out
	wait_for_port "$PORT"
	redis-cli -p "$PORT" set key value
	while IFS=@ read -r rule text; do
		meets 1 "$rule" redis-cli -p "$PORT" get key
		says "$text"
		[ ! -s out ]
	done <<-END
		recv at=3 reset@Error: Connection reset by peer
		recv at=3 eof@Error: Server closed the connection
		send reset@Error: Connection reset by peer
		connect error=ECONNREFUSED@Could not connect to Redis at 127.0.0.1:$PORT: Connection refused
		connect error=ETIMEDOUT@Could not connect to Redis at 127.0.0.1:$PORT: Connection timed out
		connect error=EHOSTUNREACH@Could not connect to Redis at 127.0.0.1:$PORT: No route to host
		socket error=EMFILE@Could not connect to Redis at 127.0.0.1:$PORT: Can't create socket: Too many open files
		resolve error=EAI_AGAIN force@Could not connect to Redis at 127.0.0.1:$PORT: Temporary failure in name resolution
	END
	# a lost connection is made again, and the second command answered
	meets 0 'connect when=1 error=ECONNREFUSED' redis-cli -p "$PORT" get key
	[ "$(cat out)" = value ]
	# so is one that breaks off between two commands
	printf 'get key\nget key\nget key\n' >commands
	INPUT=commands meets 0 'recv conn=1 at=22 reset' redis-cli -p "$PORT"
	[ "$(grep -c value out)" -ge 2 ]
}

@test "at=0: not a byte comes through, whatever had arrived" {
	web
	meets 56 'recv at=0 reset' "${CURL[@]}" "http://127.0.0.1:$PORT/big"
	says 'curl: (56) Recv failure: Connection reset by peer'
	[ ! -s out ]
	meets 52 'recv at=0 eof' "${CURL[@]}" "http://127.0.0.1:$PORT/big"
	says 'curl: (52) Empty reply from server'
	meets 104 'recv at=0 reset' perl \
		"$BATS_TEST_DIRNAME/progs/injected_client.pl" "$PORT"
	says 'sysread after 0: Connection reset by peer'
}

@test "a program that SIGPIPE ends: the log says why" {
	local prog
	git_daemon
	for prog in "redis-cli -p $PORT get key" \
		"perl $BATS_TEST_DIRNAME/progs/injected_client.pl $PORT" \
		"git ls-remote git://127.0.0.1:$PORT/repo.git"; do
		# shellcheck disable=SC2086 # words on purpose
		meets 141 'send error=EPIPE' $prog
		[ ! -s err ]
		in_log '= -1 EPIPE \(Broken pipe\) ' 1
	done
}

# ---- git, ssh, nc, socat ------------------------------------------------

# A repository, and a daemon without the object that serves it at PORT.
git_daemon() {
	git init -q work
	seq 1 30000 >work/file
	git -C work add file
	git -C work commit -q -m one
	mkdir served
	git clone -q --bare work served/repo.git
	PORT=$(free_port)
	DAEMON=$DIR/git.pid
	background git daemon --listen=127.0.0.1 --port="$PORT" --export-all \
		--base-path="$DIR/served" --pid-file="$DAEMON" 2>daemon.err
	wait_for_port "$PORT"
}

@test "git clone: each fault in its words, and no half of a copy" {
	local rule text
	git_daemon
	while IFS=@ read -r rule text; do
		meets 128 "$rule" git clone -q "git://127.0.0.1:$PORT/repo.git" \
			copy
		grep -qxE -- "$text" err
		[ ! -e copy ]
		[ ! -s out ]
	done <<-'END'
		connect error=ECONNREFUSED@127.0.0.1\[0: 127.0.0.1\]: errno=Connection refused
		connect error=ECONNREFUSED@fatal: unable to connect to 127.0.0.1:
		connect error=ETIMEDOUT@127.0.0.1\[0: 127.0.0.1\]: errno=Connection timed out
		socket error=EMFILE@127.0.0.1\[0: 127.0.0.1\]: errno=Too many open files
		resolve error=EAI_AGAIN force@fatal: unable to look up 127.0.0.1 \(port [0-9]+\) \(Temporary failure in name resolution\)
		recv at=2 reset@fatal: read error: Connection reset by peer
		recv at=2 eof@fatal: Could not read from remote repository\.
		recv at=10000 reset@fatal: read error: Connection reset by peer
		recv at=10000 reset@fatal: early EOF
		recv at=10000 error=ETIMEDOUT@fatal: read error: Connection timed out
		recv at=10000 eof@fetch-pack: unexpected disconnect while reading sideband packet
		recv at=10000 eof@fatal: early EOF
		send reset@fatal: packet write failed: Connection reset by peer
	END
}

@test "ssh and ssh-keyscan: a key exchange that breaks off" {
	local ssh
	mkdir -p /run/sshd
	chmod 755 /run/sshd
	ssh-keygen -q -t ed25519 -N '' -C '' -f key
	PORT=$(free_port)
	config sshd_config
	background /usr/sbin/sshd -D -e -f "$DIR/sshd_config" 2>sshd.err
	wait_for_port "$PORT"
	ssh=(ssh -F /dev/null -p "$PORT" -o BatchMode=yes
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
		127.0.0.1 true)
	meets 255 'connect error=ECONNREFUSED' "${ssh[@]}"
	says "ssh: connect to host 127.0.0.1 port $PORT: Connection refused"$'\r'
	meets 255 'recv at=10 reset' "${ssh[@]}"
	says $'kex_exchange_identification: read: Connection reset by peer\r' \
		"Connection reset by 127.0.0.1 port $PORT"$'\r'
	meets 255 'recv at=10 eof' "${ssh[@]}"
	says $'kex_exchange_identification: Connection closed by remote host\r' \
		"Connection closed by 127.0.0.1 port $PORT"$'\r'
	meets 255 'recv at=300 reset' "${ssh[@]}"
	says "Connection reset by 127.0.0.1 port $PORT"$'\r'
	meets 255 'send when=1 error=EPIPE' "${ssh[@]}"
	ends $'banner exchange: Connection to 127.0.0.1 port [0-9]+: Broken pipe\r'

	meets 1 'recv at=10 reset' ssh-keyscan -t ed25519 -p "$PORT" 127.0.0.1
	ends $'read \\(127.0.0.1\\): Connection reset by peer\r'
	meets 1 'recv at=10 eof' ssh-keyscan -t ed25519 -p "$PORT" 127.0.0.1
	ends $'127.0.0.1: Connection closed by remote host\r'
	meets 0 'recv,send short=1..16' ssh-keyscan -t ed25519 -p "$PORT" \
		127.0.0.1
	[ "$(cat out)" = "[127.0.0.1]:$PORT $(cut -d ' ' -f 1,2 key.pub)" ]
}

@test "nc and socat: refused, reset, broken" {
	web
	INPUT=request
	meets 1 'connect error=ECONNREFUSED' nc.openbsd -v 127.0.0.1 "$PORT"
	says "nc.openbsd: connect to 127.0.0.1 port $PORT (tcp) failed: Connection refused"
	meets 1 'connect error=ECONNREFUSED' socat - "TCP:127.0.0.1:$PORT"
	ends '.* E connect\(.* AF=2 127.0.0.1:.*\): Connection refused'
	meets 1 'send error=EPIPE' socat - "TCP:127.0.0.1:$PORT"
	ends '.* E write\(.*\): Broken pipe'
	meets 1 'send reset' socat - "TCP:127.0.0.1:$PORT"
	ends '.* E write\(.*\): Connection reset by peer'
	meets 0 'recv at=5000 eof' nc.openbsd 127.0.0.1 "$PORT"
	[ "$(stat -c %s out)" -eq 5000 ]
}

# ---- servers ------------------------------------------------------------

# gets_reset BYTES: exactly so much arrives, then a real reset.
gets_reset() {
	get 56 cut
	grep -qx 'curl: (56) Recv failure: Connection reset by peer' cut.err
	[ "$(awk '{ print $1 + $2 }' cut.sizes)" -eq "$1" ]
	[ ! -s cut.body ] || cmp -n "$(stat -c %s cut.body)" cut.body www/big
}

# Told to end while a connection is not quite closed, it ends with 1.
lighttpd_under() {
	PORT=$(free_port)
	config lighttpd.conf
	serve "$1" lighttpd -D -f "$DIR/lighttpd.conf" 2>err
	wait_for_port "$PORT"
}

@test "nginx: out of descriptors in accept, it says so and goes on" {
	nginx_under 'accept when=2..4 error=EMFILE'
	gets_all
	# it waits for half a second after each; the client stays in the queue
	gets_all
	gets_all
	[ "$(grep -c 'accept4() failed (24: Too many open files)' nginx.err)" \
		-eq 3 ]
	[ "$(wc -l <nginx.err)" -eq 3 ]
	finish
	in_log 'accept4\(.*\) = -1 EMFILE' 3
	log_injected
	[ ! -s err ]
}

@test "nginx: it cuts one answer, the client gets a real reset" {
	nginx_under 'send role=server at=50000 limit=1 reset'
	gets_reset 50000
	gets_all
	finish
	in_log 'sendfile\([0-9]+<tcp.*\) = [0-9]+ ' 1
	log_injected
	[ ! -s err ]
}

@test "nginx: a lost connection, a reset one, and the next is served" {
	nginx_under 'accept when=1 error=ECONNABORTED'
	# the client is told by a FIN, or by a RST if it had asked already
	get '7|52|55|56' lost
	said nginx.err 'accept4\(\) failed \(103: Software caused connection abort\)'
	gets_all
	finish
	in_log 'accept4\(.*\) = -1 ECONNABORTED' 1
	log_injected
	nginx_under 'accept when=1 reset'
	get '7|55|56' lost
	gets_all
	finish
	in_log 'accept4\(.*\) = [0-9]+<tcp:.*> <' 1
}

@test "lighttpd: what its clients see of each fault" {
	lighttpd_under 'accept when=2..4 error=EMFILE'
	gets_all
	gets_all
	gets_all
	finish '0|1'
	in_log 'accept4\(.*\) = -1 EMFILE' 3
	lighttpd_under 'recv role=server at=20 limit=1 reset'
	gets_reset 0
	gets_all
	finish '0|1'
	lighttpd_under 'accept when=1 reset'
	get '7|55|56' lost
	gets_all
	finish '0|1'
	log_injected
	lighttpd_under 'send role=server when=1 error=EPIPE'
	gets_reset 0
	gets_all
	finish '0|1'
	in_log 'writev?\(.*\) = -1 EPIPE' 1
}

@test "lighttpd: a reset reaches the byte though the socket is corked" {
	lighttpd_under 'send role=server at=50000 limit=1 reset'
	gets_reset 50000
	gets_all
	finish '0|1'
	in_log 'sendfile\(' 1
}

@test "python http.server: each fault in its log, and it goes on" {
	python_under 'accept when=1..3 error=EMFILE'
	gets_all
	gets_all
	finish 143
	in_log 'accept4?\(.*\) = -1 EMFILE' 3
	[ "$(grep -c Error err)" -eq 0 ]

	python_under 'accept when=1 error=ECONNABORTED'
	get '7|52|55|56' lost
	gets_all
	finish 143
	[ "$(grep -c Error err)" -eq 0 ]

	python_under 'accept when=1 reset'
	get '7|55|56' lost
	gets_all
	said err '^ConnectionResetError: \[Errno 104\] Connection reset by peer$'
	finish 143

	python_under 'send at=50000 limit=1 reset'
	gets_reset 50000
	gets_all
	said err '^ConnectionResetError: \[Errno 104\] Connection reset by peer$'
	finish 143

	python_under 'send role=server when=1 error=EPIPE'
	gets_reset 0
	gets_all
	said err '^BrokenPipeError: \[Errno 32\] Broken pipe$'
	finish 143
}

@test "redis-server: one client is reset, the other goes on" {
	local before after
	PORT=$(free_port)
	serve 'recv role=server at=60 limit=1 reset' redis-server \
		--port "$PORT" --bind 127.0.0.1 --save '' --dir "$DIR" >server.out
	wait_for_port "$PORT"
	# it stays: its bytes are far from the sixtieth
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	printf '*1\r\n$4\r\nPING\r\n' >&5
	read -r -t 10 before <&5
	exits 1 timeout 10 redis-cli -p "$PORT" set key "$(seq -s, 40)" \
		2>cli.err
	printf '*1\r\n$4\r\nPING\r\n' >&5
	read -r -t 10 after <&5
	exec 5>&-
	[ "$before$after" = $'+PONG\r+PONG\r' ]
	diff - cli.err <<<'Error: Connection reset by peer'
	[ "$(redis-cli -p "$PORT" set key value)" = OK ]
	[ "$(redis-cli -p "$PORT" get key)" = value ]
	finish
	in_log 'read\(.*\) = ' 1
	log_injected
}

@test "memcached: one client is reset, the other goes on" {
	local line
	PORT=$(free_port)
	serve 'recv role=server at=30 limit=1 reset' memcached -u nobody \
		-p "$PORT" -l 127.0.0.1 -U 0 2>err
	wait_for_port "$PORT"
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'version\r\n' >&5
	read -r -t 10 line <&5
	[[ $line == VERSION* ]]
	meets_reset() {
		"$PYTHON" -c 'import socket, sys
c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
c.sendall(b"set key 0 0 40\r\n" + b"x" * 40 + b"\r\n")
try:
    print(c.recv(100))
except OSError as e:
    print(e.strerror)' "$PORT"
	}
	[ "$(meets_reset)" = 'Connection reset by peer' ]
	printf 'version\r\n' >&5
	read -r -t 10 line <&5
	[[ $line == VERSION* ]]
	exec 5>&-
	[[ $(meets_reset) == *STORED* ]]
	finish
	in_log 'read\(.*, "set key 0 0 40\\r\\nxxxxxxxxxxxxxx".*\) = 30 ' 1
	log_injected
}

# ---- short counts -------------------------------------------------------

@test "short counts change nothing for any client" {
	local rule
	web
	meets 0 'recv,send short=1' "${CURL[@]}" -o body \
		"http://127.0.0.1:$PORT/big"
	cmp body www/big
	[ "$(grep -c ' recv(' "$LOG")" -ge 108000 ]
	for rule in 'recv,send short=1..16' 'recv,send short=50%'; do
		meets 0 "$rule" "${CURL[@]}" -o body "http://127.0.0.1:$PORT/big"
		cmp body www/big
		meets 0 "$rule" "${WGET[@]}" -O body "http://127.0.0.1:$PORT/big"
		cmp body www/big
		meets 0 "$rule" "$PYTHON" -c "$URLLIB" "http://127.0.0.1:$PORT/big"
		cmp out www/big
		meets 0 "$rule" perl \
			"$BATS_TEST_DIRNAME/progs/injected_client.pl" "$PORT"
		[ "$(cat out)" -eq 108937 ]
		meets 0 "$rule" node \
			"$BATS_TEST_DIRNAME/progs/injected_client.js" "$PORT"
		grep -qx 'end after 108937' out
		INPUT=request meets 0 "$rule" socat -t 15 - "TCP:127.0.0.1:$PORT"
		tail -c 108894 out | cmp - www/big
		INPUT=request meets 0 "$rule" nc.openbsd 127.0.0.1 "$PORT"
		tail -c 108894 out | cmp - www/big
	done
}

@test "short counts change nothing for git and what it runs" {
	git_daemon
	meets 0 'recv,send short=1..16' git clone -q \
		"git://127.0.0.1:$PORT/repo.git" copy
	cmp copy/file work/file
	[ "$(git -C copy rev-parse HEAD)" = "$(git -C work rev-parse HEAD)" ]
	[ ! -s err ]
	# and for the daemon, whose upload-pack has the socket as 0 and 1
	stop_background
	kill "$(cat "$DAEMON")" 2>/dev/null || true
	PORT=$(free_port)
	LOG=$DIR/daemon.log serve 'recv,send short=1..16' git daemon \
		--listen=127.0.0.1 --port="$PORT" --export-all \
		--base-path="$DIR/served" --pid-file="$DAEMON" 2>daemon.err
	wait_for_port "$PORT"
	rm -rf copy
	timeout 30 git clone -q "git://127.0.0.1:$PORT/repo.git" copy
	cmp copy/file work/file
	LOG=$DIR/daemon.log in_log 'write\(1<tcp:.*\[-e:1\]$'
	LOG=$DIR/daemon.log in_log 'read\(0<tcp:.*\[-e:1\]$'
}

@test "short counts change nothing for any server" {
	local big
	nginx_under 'recv,send proto=tcp short=1..16'
	gets_all
	gets_all
	finish
	[ ! -s nginx.err ] || { cat nginx.err >&2; return 1; }
	in_log 'sendfile\('
	lighttpd_under 'recv,send short=1..16'
	gets_all
	gets_all
	finish '0|1'
	in_log '(writev|sendfile)\(.*\) = [0-9]+ .*\[-e:1\]$'
	python_under 'recv,send short=1..16'
	gets_all
	gets_all
	finish 143
	in_log 'send\(.*\) = [0-9]+ .*\[-e:1\]$'
	PORT=$(free_port)
	serve 'recv,send short=1..16' redis-server --port "$PORT" \
		--bind 127.0.0.1 --save '' --dir "$DIR" >server.out
	wait_for_port "$PORT"
	redis-cli -p "$PORT" -x set key <www/big
	redis-cli -p "$PORT" --raw get key | head -c 108894 | cmp - www/big
	big=$(redis-cli -p "$PORT" strlen key)
	[ "$big" -eq 108894 ]
	finish
	in_log 'write\(.*\) = [0-9]+ .*\[-e:1\]$'
}

# 32 bytes, a descriptor beside them: AF_UNIX takes them whole, or not at all.
@test "short counts leave the messages of nginx to its workers whole" {
	nginx_under 'recv,send short=1..16'
	gets_all
	finish
	[ ! -s nginx.err ] || { cat nginx.err >&2; return 1; }
}

# ---- descriptors from 1024 up, presets ------------------------------------

@test "numbers from 1024 up: who waits with select says that it cannot" {
	local rule='socket number=1024'
	web
	meets 1 "$rule" "${WGET[@]}" -nv -O body "http://127.0.0.1:$PORT/big"
	says 'Too many fds open.  Cannot use select on a fd >= 1024'
	meets 0 "$rule" "${CURL[@]}" -o body "http://127.0.0.1:$PORT/big"
	cmp body www/big
	in_log 'socket\(AF_INET, .*\) = 1024<tcp> ' 1
	meets 0 "$rule" "$PYTHON" -c "$URLLIB" "http://127.0.0.1:$PORT/big"
	cmp out www/big
	nginx_under 'socket,accept number=1024'
	gets_all
	finish
	in_log 'accept4\(10[0-9]+<tcp:.*\) = 10[0-9]+<tcp:' 1
	[ ! -s nginx.err ] || { cat nginx.err >&2; return 1; }
}

@test "presets: each client says what the page about it says" {
	local url
	web
	url=http://127.0.0.1:$PORT/big
	meets 0 @refused-then-ok "${CURL[@]}" --retry 3 --retry-connrefused \
		--retry-delay 1 -o body "$url"
	cmp body www/big
	[ "$(grep -c '^curl: (7) ' err)" -eq 3 ]
	meets 0 @short-io "${CURL[@]}" -o body "$url"
	cmp body www/big
	meets 0 @short-io "${WGET[@]}" -q -O body "$url"
	cmp body www/big
	meets 0 @eintr "$PYTHON" -c "$URLLIB" "$url"
	cmp out www/big
	meets 56 @reset-mid-stream "${CURL[@]}" -o body "$url"
	[ "$(stat -c %s body)" -eq $((512 - 43)) ]
	in_log 'recv\(.*\[reset-mid-stream(\.rules)?:[0-9]+\]$' 1
}

# ---- rules that do not parse --------------------------------------------

# refused STATUS ENV...: with plain preloading nothing of the program runs.
refused() {
	local status=0
	timeout 20 env "$@" LD_PRELOAD="$LIB" sh -c 'echo ran; echo ran >ran' \
		>out 2>err || status=$?
	echo "status $status"
	cat err
	[ "$status" -eq 125 ]
	[ ! -s out ]
	[ ! -e ran ]
}

@test "rules that do not parse: all of them are told, nothing runs" {
	printf '%s\n' '# three that are wrong' 'recv short=1 eof' \
		'recv short=1' 'connct error=EPIPE' 'recv error=EADDRINUSE' \
		>bad.rules
	refused SOCKWRENCH_RULES=bad.rules
	[ "$(wc -l <err)" -eq 3 ]
	grep -qE '^sockwrench: bad\.rules:2:14: expected .* near '\''eof'\' err
	grep -qE '^sockwrench: bad\.rules:4:1: expected .* near '\''connct'\' err
	grep -qE '^sockwrench: bad\.rules:5:6: expected .* near '\''error=EADDRINUSE'\' err
	cp err plain.err
	# the command says the same
	exits 125 "$SW" run -r bad.rules -- touch ran 2>err
	diff plain.err err
	[ ! -e ran ]
	# in one of two files, and in the text
	echo 'recv short=1..16' >good.rules
	refused SOCKWRENCH_RULES=good.rules:bad.rules
	diff plain.err err
	refused SOCKWRENCH_RULE=$'send short=1\nrecv latncy=1ms\nfoo'
	[ "$(wc -l <err)" -eq 2 ]
	grep -qE '^sockwrench: -e:2:6: expected .* near '\''latncy' err
	grep -qE '^sockwrench: -e:3:1: expected .* near '\''foo'\' err
}

@test "a rules file that cannot be read: nothing runs" {
	refused SOCKWRENCH_RULES=missing.rules
	says 'sockwrench: missing.rules: No such file or directory'
	refused SOCKWRENCH_RULES="$DIR/missing.rules"
	says "sockwrench: $DIR/missing.rules: No such file or directory"
	refused SOCKWRENCH_RULES="$DIR/www"
	says "sockwrench: $DIR/www: expected a file of rules, found a directory"
	mkfifo pipe
	refused SOCKWRENCH_RULES="$DIR/pipe"
	says "sockwrench: $DIR/pipe: expected a regular file: every process of the program reads it again"
	# the good one before it does not help
	echo 'recv short=1..16' >good.rules
	refused SOCKWRENCH_RULES=good.rules:missing.rules
	says 'sockwrench: missing.rules: No such file or directory'
}

@test "a rules file that may not be read: nothing runs" {
	local as=()
	cp "$LIB" lib.so
	echo 'recv short=1..16' >secret.rules
	chmod 000 secret.rules
	[ "$(id -u)" -ne 0 ] ||
		as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	LIB=$DIR/lib.so
	local status=0
	"${as[@]}" env SOCKWRENCH_RULES="$DIR/secret.rules" LD_PRELOAD="$LIB" \
		echo ran >out 2>err || status=$?
	[ "$status" -eq 125 ]
	[ ! -s out ]
	says "sockwrench: $DIR/secret.rules: Permission denied"
}

@test "rules without any rule do nothing" {
	web
	printf '# nothing\n\n   \n' >empty.rules
	for rules in empty.rules ''; do
		SOCKWRENCH_RULES=$rules SOCKWRENCH_LOG=none LD_PRELOAD=$LIB \
			"${CURL[@]}" -o body "http://127.0.0.1:$PORT/big" 2>err
		cmp body www/big
		[ ! -s err ]
	done
}

# ---- trees of processes, the log, the trace -------------------------------

# tree STATUS MATCHER COMMAND...: the first connect of each process that the
# matcher lets is refused; our lines are in injected, those of others in said.
tree() {
	local expected=$1
	printf '%s\n' '# a comment' \
		"connect $2 peer=127.0.0.1:$PORT when=1 error=ECONNREFUSED" \
		>my.rules
	shift 2
	exits "$expected" timeout 30 env SOCKWRENCH_RULES=my.rules \
		LD_PRELOAD="$LIB" "$@" >out 2>err
	grep -E ' \[my\.rules:2\]$' err >injected || true
	grep -vE ' \[my\.rules:2\]$' err >said || true
}

@test "every process of a tree counts for itself" {
	local get
	web
	get="curl -q -sS --noproxy '*' http://127.0.0.1:$PORT/big -o body"
	tree 7 '' sh -c "$get; $get; $get"
	[ "$(grep -c '^curl: (7) ' said)" -eq 3 ]
	[ "$(wc -l <said)" -eq 3 ]
	[ "$(grep -c ' connect(' injected)" -eq 3 ]
	[ "$(cut -d ' ' -f 1 injected | sort -u | wc -l)" -eq 3 ]
	# two in one process: the second goes through
	tree 0 '' curl -q -sS --noproxy '*' "http://127.0.0.1:$PORT/big" -o one \
		--next -q -sS --noproxy '*' "http://127.0.0.1:$PORT/big" -o two
	[ ! -e one ]
	cmp two www/big
	[ "$(wc -l <injected)" -eq 1 ]
}

@test "children keep the rules: a cleared environment, another directory" {
	local get
	web
	get=(/usr/bin/curl -q -sS --noproxy '*' "http://127.0.0.1:$PORT/big")
	tree 7 '' env -i "${get[@]}"
	grep -q '^curl: (7) ' said
	[ "$(wc -l <injected)" -eq 1 ]
	# and each name is still what was typed
	tree 7 '' sh -c 'cd /; exec "$@"' sh "${get[@]}"
	[ "$(wc -l <injected)" -eq 1 ]
	tree 0 '' sh -c 'env -i sh -c "exec \"\$@\"" sh "$@" | cat' sh "${get[@]}"
	[ "$(wc -l <injected)" -eq 1 ]
	tree 7 '' setsid -w env -u LD_PRELOAD -u SOCKWRENCH_RULES "${get[@]}"
	[ "$(wc -l <injected)" -eq 1 ]
}

@test "exe= picks one of the programs of a tree" {
	local both exe
	web
	both="curl -q -sS --noproxy '*' http://127.0.0.1:$PORT/big -o c;
		wget -nv --no-proxy -O w --tries=1 http://127.0.0.1:$PORT/big"
	for exe in curl 'cu*' '/usr/bin/curl' '*/curl'; do
		rm -f c w
		tree 0 "exe=$exe" sh -c "$both"
		[ ! -s c ]
		cmp w www/big
		[ "$(wc -l <injected)" -eq 1 ]
	done
	for exe in wget '?get' '/usr/*/wget'; do
		rm -f c w
		tree 4 "exe=$exe" sh -c "$both"
		cmp c www/big
		[ ! -s w ]
		[ "$(wc -l <injected)" -eq 1 ]
	done
	tree 0 'exe=sh' sh -c "$both"
	[ ! -s injected ]
}

@test "the log is standard error, injected lines only, each with its rule" {
	web
	exits 56 env LD_PRELOAD="$LIB" \
		SOCKWRENCH_RULE=$'connect peer=127.0.0.1:1 error=EPERM\nrecv at=500 reset' \
		"${CURL[@]}" -o body "http://127.0.0.1:$PORT/big" 2>err
	[ "$(wc -l <err)" -eq 2 ]
	grep -qE '^[0-9]+ [0-9.]+ recv\(.*\) = 500 <[0-9.]+> \[-e:2\]$' err
	grep -qx 'curl: (56) Recv failure: Connection reset by peer' err
	# the same from the command; text before files
	echo 'recv at=500 eof' >my.rules
	exits 18 "$SW" run -r my.rules -e 'connect peer=127.0.0.1:1 error=EPERM' -- \
		"${CURL[@]}" -o body "http://127.0.0.1:$PORT/big" 2>err
	grep -qE '^[0-9]+ [0-9.]+ recv\(.*\) = 500 <[0-9.]+> \[my\.rules:1\]$' err
	[ "$(wc -l <err)" -eq 2 ]
}

@test "the trace names the rule of each injected call" {
	web
	printf '\n\n' >my.rules
	echo "connect peer=127.0.0.1:$PORT when=1 error=ECONNREFUSED" >>my.rules
	echo 'recv at=500 reset' >>my.rules
	exits 56 env SOCKWRENCH_TRACE="$TRACE" SOCKWRENCH_RULES=my.rules \
		LD_PRELOAD="$LIB" \
		"${CURL[@]}" --retry 1 --retry-connrefused --retry-delay 1 \
		-o body "http://127.0.0.1:$PORT/big" 2>err
	[ "$(grep -c '\[my' err)" -eq 0 ]
	"$SW" show --injected "$TRACE" >"$LOG"
	log_injected
	[ "$(wc -l <"$LOG")" -eq 2 ]
	in_log 'connect\(.*\) = -1 EINPROGRESS .* \[my\.rules:3\]$' 1
	in_log 'recv\(.*\) = 500 .* \[my\.rules:4\]$' 1
	"$SW" show --injected -f json "$TRACE" >json
	"$PYTHON" - <<-'END'
		import json
		lines = [json.loads(line) for line in open("json")]
		assert "sockwrench" in lines[0]
		got = [(l["call"], l["rule"], l["bytes"]) for l in lines[1:]]
		assert got == [("connect", "my.rules:3", None),
		               ("recv", "my.rules:4", 500)], got
	END
	# what was not touched is in the trace as well, with no rule
	"$SW" show -f json "$TRACE" | grep -q '"call":"send".*"rule":null'
}
