#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Programs as Debian ships them.  Each runs without the object and with it: it
# must do the same, and its log must account for every connection and byte.
#
# PORT and LOG are set in one test and read by its functions:
# shellcheck disable=SC2030,SC2031

load helpers

setup() {
	unset http_proxy https_proxy all_proxy no_proxy
	unset HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
	# not below bats' own directory: servers that give up root read here
	DIR=$(mktemp -d /tmp/sockwrench.XXXXXX)
	chmod 755 "$DIR"
	cd "$DIR" || return
	mkdir www
	PATH=/usr/sbin:/usr/bin:/sbin:/bin	# Debian's, whatever else is there
	seq 1 20000 >www/big
	DAEMON=
	export HOME=$DIR GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a
	export GIT_COMMITTER_EMAIL=a
}

teardown() {
	stop_background
	if [ -n "$DAEMON" ] && [ -s "$DAEMON" ]; then
		kill "$(cat "$DAEMON")" || true
	fi
	cd / && rm -rf "$DIR"
}

# ---- running ------------------------------------------------------------

# same PROG ARGS...: it does with the object what it does without.  Times that
# curl puts in its messages are not part of that.
same() {
	local expected=0 status=0

	"$@" </dev/null >plain.out 2>plain.err || expected=$?
	logged "$@" </dev/null >out 2>err || status=$?
	sed -i -E 's/after [0-9]+ ms/after N ms/' plain.err err
	diff plain.out out
	diff plain.err err
	[ "$status" -eq "$expected" ]
	log_wellformed
}

# serve PROG ARGS...: start it with the object, to be ended by finish.
serve() {
	background env SOCKWRENCH_LOG="$LOG" LD_PRELOAD="$LIB" "$@"
}

# tree_log: what is served next logs into a pipe, which ends when the last
# process of the tree has; tree_ended waits for that.
tree_log() {
	mkfifo tree.pipe
	background cat tree.pipe >tree.log
	LOG=$DIR/tree.pipe
}

tree_ended() {
	wait "${PIDS[-1]}"
	LOG=$DIR/tree.log
}

# finish [SIGNAL]: end what was started last; its status.
finish() {
	local pid=${PIDS[-1]}

	unset 'PIDS[-1]'
	kill "-${1:-TERM}" "$pid"
	wait "$pid"
}

# gone PID: until a process that is not our child has ended (20 s).
gone() {
	local i

	for ((i = 0; i < 2000; i++)); do
		grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" ||
			return 0
		read -r -t 0.01 <> <(:) || true
	done
	echo "process $1 does not end" >&2
	return 1
}

# said FILE REGEX: until a line of a program's output is there (20 s).
said() {
	local i

	for ((i = 0; i < 2000; i++)); do
		grep -qsE -- "$2" "$1" && return 0
		read -r -t 0.01 <> <(:) || true
	done
	echo "no $2 in $1:" >&2
	cat "$1" >&2
	return 1
}

# config NAME PORT: the configuration in tests/programs, filled in.
config() {
	sed "s|@DIR@|$DIR|; s|@PORT@|$2|" \
		"$BATS_TEST_DIRNAME/programs/$1" >"$DIR/$1"
}

# web: a server without the object, its port in PORT.
web() {
	[ -p fifo ] || mkfifo fifo
	background "$PYTHON" -u -m http.server 0 -b 127.0.0.1 -d www \
		1<>fifo 2>web.err
	PORT=$(port_of fifo | sed -E 's/.* port ([0-9]+) .*/\1/')
}

# fetch NAME: /big from PORT into NAME.body, its head without what is always
# different in NAME.head; the bytes of both in FETCHED, of the request in ASKED;
# in WORKER the process that served it, where the server says so.
fetch() {
	read -r ASKED FETCHED <<<"$(curl -q -sS --noproxy '*' -D "$1.head" \
		-o "$1.body" "http://127.0.0.1:$PORT/big" \
		-w '%{size_request} %{size_header} %{size_download}' |
		awk '{ print $1, $2 + $3 }')"
	WORKER=$(sed -nE 's/^X-Worker: ([0-9]+).*/\1/p' "$1.head")
	sed -i -E '/^(Date|X-Worker):/d' "$1.head"
}

# served: with the object the server has served what it did without.
served() {
	cmp with.body www/big
	diff plain.head with.head
	diff plain.body with.body
}

# ---- what a log says ----------------------------------------------------

# log_wellformed [FILE]: it has lines, and each is a whole one.
log_wellformed() {
	local line='^[0-9]+ [0-9]+\.[0-9]{6} [a-zA-Z_0-9]+\(.*\) = .*'

	[ -s "${1:-$LOG}" ]
	! grep -vE -- "$line" "${1:-$LOG}" >&2
}

# silent FILE...: nothing of ours is in a program's own output.
silent() {
	! grep -E '^[0-9]+ [0-9]+\.[0-9]{6} [a-z_0-9]+\(|sockwrench:' "$@" >&2
}

# bytes NAMES [FD]: what calls NAMES (a|b) on descriptors like FD moved.
bytes() {
	grep -E "^[0-9]+ [0-9.]+ ($1)\((.*, )?${2:-[0-9]+<tcp:}" "$LOG" |
		sed -nE 's/.*\) = ([0-9]+).*/\1/p' |
		awk '{ n += $1 } END { print n + 0 }'
}

# A server's socket from socket() to listen() on port $1.
listened() {
	in_log 'socket\(AF_INET, SOCK_STREAM[A-Z_|]*, (0|6)\) = [0-9]+<tcp>'
	in_log "bind\([0-9]+<tcp:127.0.0.1:$1>, 127.0.0.1:($1|0)\) = 0 " 1
	in_log "listen\([0-9]+<tcp:127.0.0.1:$1>, [0-9]+\) = 0 "
}

# $2 connections taken on port $1, each with its peer.
accepted() {
	in_log "accept4?\([0-9]+<tcp:127.0.0.1:$1>.*\) = [0-9]+<tcp:127.0.0.1:$1->127.0.0.1:[0-9]+> " "$2"
}

# ---- clients ------------------------------------------------------------

@test "curl downloads" {
	web
	same curl -q -sS --noproxy '*' -D head -w '%{size_download}\n' \
		-o body "http://127.0.0.1:$PORT/big"
	cmp body www/big
	in_log 'socket\(AF_INET, SOCK_STREAM, (0|6)\) = [0-9]+<tcp>' 1
	in_log "connect\(([0-9]+)<tcp:127.0.0.1:[0-9]+->127.0.0.1:$PORT>, 127.0.0.1:$PORT\) = -1 EINPROGRESS" 1
	in_log 'poll\(.*POLLOUT=>POLLOUT'
	in_log 'getsockopt\(.*, SOL_SOCKET, SO_ERROR, 0\) = 0 '
	in_log "send\([0-9]+<tcp:127.0.0.1:[0-9]+->127.0.0.1:$PORT>, \"GET /big HTTP/1.1"
	[ "$(bytes recv)" -eq $(($(stat -c %s head) + $(stat -c %s body))) ]
	in_log "close\([0-9]+<tcp:127.0.0.1:[0-9]+->127.0.0.1:$PORT>\) = 0 " 1
}

@test "curl at a closed port" {
	PORT=$(free_port)
	same curl -q -sS --noproxy '*' "http://127.0.0.1:$PORT/"
	grep -q 'Failed to connect' err
	in_log "connect\(.*127.0.0.1:$PORT\) = -1 EINPROGRESS" 1
	in_log 'poll\(.*POLLERR'
	in_log 'getsockopt\(.*, SOL_SOCKET, SO_ERROR, ECONNREFUSED\) = 0 '
	in_log "close\([0-9]+<tcp:" 1
	in_log '(send|write)\([0-9]+<tcp' 0
}

@test "wget downloads" {
	web
	same wget -q -O body "http://127.0.0.1:$PORT/big"
	cmp body www/big
	in_log "connect\([0-9]+<tcp:127.0.0.1:[0-9]+->127.0.0.1:$PORT>, 127.0.0.1:$PORT\) = 0 " 1
	in_log 'select\([0-9]+, \[[0-9]+\], NULL, NULL, '
	in_log 'write\([0-9]+<tcp:.*, "GET /big HTTP/1.1'
	fetch plain
	[ "$(bytes read)" -eq "$FETCHED" ]
	in_log 'write\([0-9]+<tcp' 1
}

# ---- Python and JavaScript ----------------------------------------------

@test "python http.server and urllib" {
	local get='import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())'

	web
	fetch plain
	LOG=$PWD/client.log same "$PYTHON" -c "$get" "http://127.0.0.1:$PORT/big"
	finish || [ $? -eq 143 ]
	cmp out www/big
	LOG=client.log in_log "connect\([0-9]+<tcp:.*, 127.0.0.1:$PORT\) = 0 " 1
	LOG=client.log in_log 'close\([0-9]+<tcp:' 1
	[ "$(LOG=client.log bytes recv)" -eq "$FETCHED" ]

	serve "$PYTHON" -u -m http.server 0 -b 127.0.0.1 -d www 1<>fifo 2>err
	PORT=$(port_of fifo | sed -E 's/.* port ([0-9]+) .*/\1/')
	fetch with
	said "$LOG" "close\([0-9]+<tcp:127.0.0.1:$PORT->.*\) = 0 "
	finish || [ $? -eq 143 ]
	served
	sed -i -E 's/\[.*\]/[time]/' web.err err
	head -n 1 web.err | diff - err
	log_wellformed
	listened "$PORT"
	accepted "$PORT" 1
	[ "$(bytes 'send|sendfile')" -eq "$FETCHED" ]
	[ "$(bytes recv)" -eq "$ASKED" ]
	in_log "close\([0-9]+<tcp:127.0.0.1:$PORT->.*>\) = 0 " 1
}

@test "python asyncio streams, server and client" {
	same "$PYTHON" "$BATS_TEST_DIRNAME/programs/streams.py"
	[ "$(cat out)" = '[True, True, True, True, True]' ]
	in_log 'socketpair\(AF_UNIX, SOCK_STREAM.*\[[0-9]+, [0-9]+\]\) = 0 ' 1
	in_log 'connect\([0-9]+<tcp:127.0.0.1:[0-9]+->127.0.0.1:[0-9]+>, 127.0.0.1:[0-9]+\) = -1 EINPROGRESS' 5
	accepted '[0-9]+' 5
	in_log 'epoll_wait\([0-9]+, \[.*EPOLLIN data='
	# sent and received, by the clients and by the server
	[ "$(bytes 'send|sendmsg|write')" -eq 2000000 ]
	[ "$(bytes 'recv|recvmsg|read')" -eq 2000000 ]
	in_log 'close\([0-9]+<tcp:127.0.0.1:[0-9]+->.*\) = 0 ' 10
}

@test "node net and http, server and client" {
	same node "$BATS_TEST_DIRNAME/programs/echo.js"
	[ "$(cat out)" = $'echoed 100000\n200 you said hello' ]
	in_log 'bind\([0-9]+<tcp:127.0.0.1:[0-9]+>, 127.0.0.1:0\) = 0 ' 2
	in_log 'connect\([0-9]+<tcp:127.0.0.1:[0-9]+->127.0.0.1:[0-9]+>, 127.0.0.1:[0-9]+\) = -1 EINPROGRESS' 2
	accepted '[0-9]+' 2
	in_log 'epoll_p?wait\([0-9]+, \[.*EPOLLIN data='
	in_log '(write|writev)\([0-9]+<tcp:.*"POST / HTTP/1.1'
	[ "$(bytes 'write|writev')" -gt 200000 ]
	[ "$(bytes 'write|writev')" -eq "$(bytes 'read|readv')" ]
	in_log 'close\([0-9]+<tcp:127.0.0.1:[0-9]+->.*\) = 0 ' 4
}

# ---- web servers --------------------------------------------------------

# web_server SIGNAL PROG ARGS...: the two runs of a web server in the foreground,
# ended by SIGNAL.
web_server() {
	local signal=$1
	shift
	local closed="close\([0-9]+<tcp:127.0.0.1:$PORT->.*\) = 0 "

	background "$@" >plain.out 2>plain.err
	wait_for_port "$PORT"
	fetch plain
	finish "$signal"
	serve "$@" >out 2>err
	wait_for_port "$PORT"
	fetch with
	said "$LOG" "$closed"
	finish "$signal"
	served
	diff plain.out out
}

@test "nginx in the foreground" {
	PORT=$(free_port)
	config nginx.conf "$PORT"
	web_server TERM nginx -c "$DIR/nginx.conf" -g 'daemon off;'
	diff plain.err err
	log_wellformed
	listened "$PORT"
	accepted "$PORT" 1
	[ "$(bytes recv)" -eq "$ASKED" ]
	[ "$(bytes 'send|sendfile|write|writev')" -eq "$FETCHED" ]
	in_log "close\([0-9]+<tcp:127.0.0.1:$PORT->.*\) = 0 " 1
	in_log "^$WORKER .* accept4?\(.* = [0-9]+<"
	in_log "^$WORKER .* bind\(" 0
}

@test "nginx in the background" {
	local pid

	PORT=$(free_port)
	config nginx.conf "$PORT"
	DAEMON=$DIR/nginx.pid
	nginx -c "$DIR/nginx.conf" >plain.out 2>plain.err 3>&-
	wait_for_port "$PORT"
	fetch plain
	pid=$(cat nginx.pid)
	kill -QUIT "$pid"
	gone "$pid"
	logged nginx -c "$DIR/nginx.conf" >out 2>err 3>&-
	wait_for_port "$PORT"
	fetch with
	pid=$(cat nginx.pid)
	kill -QUIT "$pid"
	gone "$pid"
	served
	diff plain.out out
	diff plain.err err
	log_wellformed
	listened "$PORT"
	accepted "$PORT" 1
	[ "$(bytes recv)" -eq "$ASKED" ]
	[ "$(bytes 'send|sendfile|write|writev')" -eq "$FETCHED" ]
	in_log "close\([0-9]+<tcp:127.0.0.1:$PORT->.*\) = 0 " 1
}

@test "nginx workers without root go on in the trace" {
	local master

	PORT=$(free_port)
	config nginx.conf "$PORT"
	DAEMON=$DIR/nginx.pid
	traced nginx -c "$DIR/nginx.conf" >out 2>err 3>&-
	wait_for_port "$PORT"
	fetch with
	master=$(cat nginx.pid)
	# it could not open the trace now
	[ "$(stat -c %a:%u "$TRACE")" = 600:0 ]
	[ "$(stat -c %U "/proc/$WORKER")" = www-data ]
	kill -QUIT "$master"
	gone "$master"
	cmp with.body www/big
	[ ! -s out ]
	[ ! -s err ]
	"$SW" show "$TRACE" >"$LOG"
	log_wellformed
	listened "$PORT"
	accepted "$PORT" 1
	[ "$(bytes recv)" -eq "$ASKED" ]
	[ "$(bytes 'send|sendfile|write|writev')" -eq "$FETCHED" ]
	in_log "close\([0-9]+<tcp:127.0.0.1:$PORT->.*\) = 0 " 1
	in_log "^$WORKER .* accept4?\(.* = [0-9]+<"
	in_log "^$WORKER .* bind\(" 0
}

@test "lighttpd" {
	PORT=$(free_port)
	config lighttpd.conf "$PORT"
	# ended by SIGTERM it exits 1 while the client's connection is still open
	web_server INT lighttpd -D -f "$DIR/lighttpd.conf"
	silent err
	log_wellformed
	listened "$PORT"
	accepted "$PORT" 1
	[ "$(bytes read)" -eq "$ASKED" ]
	[ "$(bytes 'write|writev|sendfile|send')" -eq "$FETCHED" ]
	in_log "close\([0-9]+<tcp:127.0.0.1:$PORT->.*\) = 0 " 1
}

# ---- data stores --------------------------------------------------------

@test "redis-server, redis-benchmark and redis-cli" {
	local sent received

	PORT=$(free_port)
	serve redis-server --port "$PORT" --bind 127.0.0.1 --save '' \
		--appendonly no --dir "$DIR" >server.out 2>server.err
	wait_for_port "$PORT"
	redis-cli -p "$PORT" set key value >/dev/null
	LOG=$PWD/cli.log same redis-cli -p "$PORT" get key
	[ "$(cat out)" = value ]
	SOCKWRENCH_LOG=$PWD/bench.log LD_PRELOAD=$LIB redis-benchmark \
		-p "$PORT" -n 2000 -c 20 -q -t set,get >bench.out 2>bench.err
	[ ! -s bench.err ]
	grep -q 'SET: .* requests per second' bench.out
	grep -q 'GET: .* requests per second' bench.out
	redis-cli -p "$PORT" info commandstats >stats
	grep -q 'cmdstat_set:calls=2001,' stats
	grep -q 'cmdstat_get:calls=2002,' stats
	finish
	[ ! -s server.err ]
	silent server.out bench.out

	LOG=cli.log in_log "connect\([0-9]+<tcp:.*, 127.0.0.1:$PORT\)"
	LOG=cli.log in_log 'send\([0-9]+<tcp:.*, "\*2.*get.*key.*" *, '
	[ "$(LOG=cli.log bytes recv)" -eq 11 ]	# $5 value, with line ends
	log_wellformed bench.log
	log_wellformed
	listened "$PORT"
	# the benchmark's connections, as it and as the server saw them
	sed -nE "s/.* connect\([0-9]+<tcp:(127.*)->127.*/->\1>/p" bench.log |
		sort -u >connected
	[ "$(wc -l <connected)" -ge 40 ]
	sed -nE 's/.* accept4?\(.* = [0-9]+<tcp:.*(->127.*>) .*/\1/p' "$LOG" |
		sort | comm -13 - connected | cmp - /dev/null
	grep -Ff connected "$LOG" >server.log
	sent=$(LOG=bench.log bytes 'write|writev|send')
	received=$(LOG=bench.log bytes 'read|recv')
	[ "$sent" -gt 100000 ]
	[ "$(LOG=server.log bytes 'read|recv')" -eq "$sent" ]
	[ "$(LOG=server.log bytes 'write|writev|send')" -eq "$received" ]
}

@test "memcached" {
	local request=$'set a 0 0 5\r\nhello\r\nget a\r\nquit\r\n'

	PORT=$(free_port)
	serve memcached -u nobody -l 127.0.0.1 -p "$PORT" -t 2 -m 8 \
		>out 2>err
	wait_for_port "$PORT"
	printf %s "$request" | nc.openbsd -N 127.0.0.1 "$PORT" >answer
	said "$LOG" "close\([0-9]+<tcp:127.0.0.1:$PORT->.*\) = 0 "
	finish
	[ "$(tr -d '\r' <answer)" = $'STORED\nVALUE a 0 5\nhello\nEND' ]
	silent out err
	log_wellformed
	listened "$PORT"
	accepted "$PORT" 1
	[ "$(bytes 'read|recv')" -eq ${#request} ]
	[ "$(bytes 'write|send|sendmsg')" -eq "$(stat -c %s answer)" ]
	in_log "close\([0-9]+<tcp:127.0.0.1:$PORT->.*\) = 0 " 1
	# the main thread accepts, another one serves
	[ "$(sed -nE 's/^([0-9]+) .* accept4?\(.* = [0-9]+<.*/\1/p' "$LOG")" -ne \
	  "$(sed -nE 's/^([0-9]+) .* sendmsg\(.*/\1/p' "$LOG")" ]
}

# ---- one process for each client ----------------------------------------

@test "git clone from git daemon" {
	git init -q work
	seq 1 30000 >work/file
	git -C work add file
	git -C work commit -q -m one
	mkdir served
	git clone -q --bare work served/repo.git
	PORT=$(free_port)
	DAEMON=$DIR/git.pid
	tree_log
	serve git daemon --listen=127.0.0.1 --port="$PORT" --export-all \
		--base-path="$DIR/served" --pid-file="$DAEMON" >out 2>err
	wait_for_port "$PORT"
	SOCKWRENCH_LOG=$PWD/client.log LD_PRELOAD=$LIB \
		git clone -q "git://127.0.0.1:$PORT/repo.git" copy \
		>client.out 2>client.err
	kill "$(cat "$DAEMON")"
	wait "${PIDS[-1]}" || true
	unset 'PIDS[-1]'
	tree_ended
	cat client.out client.err out | cmp - /dev/null
	silent err
	cmp copy/file work/file
	[ "$(git -C copy rev-parse HEAD)" = "$(git -C work rev-parse HEAD)" ]
	git -C copy fsck --strict 2>&1

	log_wellformed client.log
	log_wellformed
	listened "$PORT"
	accepted "$PORT" 1
	LOG=client.log in_log "connect\([0-9]+<tcp:.*, 127.0.0.1:$PORT\) = 0 " 1
	LOG=client.log in_log 'dup\([0-9]+<tcp:.*\) = [0-9]+<tcp:' 1
	in_log "dup2\([0-9]+<tcp:.*, 0\) = 0<tcp:127.0.0.1:$PORT->" 1
	# upload-pack, two programs further, has it as 0 and 1
	in_log 'read\(0<tcp:'
	in_log 'write\(1<tcp:'
	[ "$(bytes 'read|recv')" -eq \
		"$(LOG=client.log bytes 'write|send|fwrite')" ]
	[ "$(bytes 'write|send|fwrite')" -eq \
		"$(LOG=client.log bytes 'read|recv')" ]
}

# A configuration, a key, and the empty directory Debian makes at boot.
prepare_sshd() {
	mkdir -p /run/sshd
	chmod 755 /run/sshd
	ssh-keygen -q -t ed25519 -N '' -C '' -f key
	PORT=$(free_port)
	config sshd_config "$PORT"
}

# The child that talks to a stranger puts itself under seccomp and takes
# itself the right to write files: its lines need a log that is a pipe.
@test "ssh-keyscan at sshd" {
	prepare_sshd
	background /usr/sbin/sshd -D -e -f "$DIR/sshd_config" 2>plain.sshd
	wait_for_port "$PORT"
	ssh-keyscan -t ed25519 -p "$PORT" 127.0.0.1 >/dev/null 2>&1
	said plain.sshd '\[preauth\]'	# the child's last words
	finish
	tree_log
	serve /usr/sbin/sshd -D -e -f "$DIR/sshd_config" >sshd.out 2>sshd
	wait_for_port "$PORT"
	SOCKWRENCH_LOG=$PWD/client.log LD_PRELOAD=$LIB \
		ssh-keyscan -t ed25519 -p "$PORT" 127.0.0.1 >out 2>err
	said sshd '\[preauth\]'
	finish
	tree_ended

	[ "$(cat out)" = "[127.0.0.1]:$PORT $(cut -d ' ' -f 1,2 key.pub)" ]
	sed -i -E 's/port [0-9]+ \[/port N [/' plain.sshd sshd
	diff plain.sshd sshd
	[ ! -s sshd.out ]
	silent err
	log_wellformed client.log
	log_wellformed
	listened "$PORT"
	accepted "$PORT" 1
	[ "$(bytes write)" -eq "$(LOG=client.log bytes read)" ]
	[ "$(bytes read)" -eq "$(LOG=client.log bytes write)" ]
	[ "$(bytes write)" -gt 1000 ]
}

@test "sshd with a log in a file" {
	prepare_sshd
	serve /usr/sbin/sshd -D -e -f "$DIR/sshd_config" 2>err
	wait_for_port "$PORT"
	ssh-keyscan -t ed25519 -p "$PORT" 127.0.0.1 >out 2>/dev/null
	said err '\[preauth\]'
	finish
	[ "$(cat out)" = "[127.0.0.1]:$PORT $(cut -d ' ' -f 1,2 key.pub)" ]
	silent err
	log_wellformed
	listened "$PORT"
	accepted "$PORT" 1
	in_log 'write\([0-9]+<tcp:.*, "SSH-2.0-OpenSSH_' 1
	in_log 'read\([0-9]+<tcp:'
}

@test "socat, as server and as client" {
	local size

	size=$(stat -c %s www/big)
	PORT=$(free_port)
	serve socat -t 20 "TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork" \
		EXEC:/bin/cat >server.out 2>server.err
	wait_for_port "$PORT"
	LOG=$PWD/client.log same socat -t 20 'OPEN:www/big,rdonly!!STDOUT' \
		"TCP:127.0.0.1:$PORT"
	finish || true
	cmp out www/big
	cat server.out server.err | cmp - /dev/null
	LOG=client.log in_log "connect\([0-9]+<tcp:.*, 127.0.0.1:$PORT\) = 0 " 1
	[ "$(LOG=client.log bytes write)" -eq "$size" ]
	[ "$(LOG=client.log bytes read)" -eq "$size" ]
	log_wellformed
	listened "$PORT"
	accepted "$PORT" 2
	[ "$(bytes write)" -eq $((2 * size)) ]
	[ "$(bytes read)" -eq $((2 * size)) ]
	# cat, another program, has the child's end of a socketpair
	[ "$(bytes read '0<unix')" -eq $((2 * size)) ]
	[ "$(bytes write '1<unix')" -eq $((2 * size)) ]
}

@test "nc" {
	local pid

	PORT=$(free_port)
	serve nc.openbsd -l -N 127.0.0.1 "$PORT" </dev/null >got 2>server.err
	wait_for_port "$PORT"
	SOCKWRENCH_LOG=$PWD/client.log LD_PRELOAD=$LIB \
		nc.openbsd -N 127.0.0.1 "$PORT" <www/big >out 2>err
	pid=${PIDS[-1]}
	wait "$pid"
	PIDS=()
	cmp got www/big
	cat out err server.err | cmp - /dev/null
	log_wellformed client.log
	log_wellformed
	listened "$PORT"
	accepted "$PORT" 1
	LOG=client.log in_log "connect\([0-9]+<tcp:.*, 127.0.0.1:$PORT\) = " 1
	[ "$(LOG=client.log bytes 'write|send')" -eq "$(stat -c %s www/big)" ]
	[ "$(bytes 'read|recv')" -eq "$(stat -c %s www/big)" ]
	LOG=client.log in_log 'close\([0-9]+<tcp:.*->.*\) = 0 ' 1
	in_log 'close\([0-9]+<tcp:.*->.*\) = 0 ' 1
}
