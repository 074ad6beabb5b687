#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# make demo: every socket call of curl, then a client that dies of SIGPIPE: how
# it happens, is found, is reproduced and is fixed. It checks what it says, with
# status 1 where something else happened. Everything it starts it ends.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/build:$PATH
tmp=$(mktemp -d)
pids=()
# shellcheck disable=SC2317 # called by the trap
finish() {
	for pid in "${pids[@]}"; do
		{ kill "$pid" && wait "$pid"; } 2>/dev/null || true
	done
	rm -rf "$tmp"
}
trap finish EXIT

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
fi

title() {
	printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}

note() {
	printf '%s# %s%s\n' "$dim" "$1" "$plain"
}

typed() {
	printf '\n$ %s\n' "$1"
}

# expect WHAT CONDITION...: or this demo has told something untrue.
expect() {
	local what=$1
	shift
	"$@" || {
		printf 'expected %s\n' "$what" >&2
		exit 1
	}
}

# started FIFO COMMAND...: a server; its port in PORT, its pid in SERVER.
started() {
	mkfifo "$1"
	"${@:2}" >"$1" &
	SERVER=$!
	pids+=("$SERVER")
	read -r PORT <"$1"
	export PORT
}

# annotate REGEX TEXT...: the log from standard input, TEXT above the first
# line that matches REGEX.
annotate() {
	local line i notes=("$@")
	while IFS= read -r line; do
		for ((i = 0; i < ${#notes[@]}; i += 2)); do
			[[ -n ${notes[i]} && $line =~ ${notes[i]} ]] || continue
			note "${notes[i + 1]}"
			notes[i]=
			break
		done
		printf '%s\n' "$line"
	done
}

# entry HEAD: a finding's part of the report on standard input.
entry() {
	awk -v head="$1" 'index($0, head) == 1 { on = 1 } on; /^$/ { on = 0 }'
}

title '1. Every socket call of a program: curl and a web server'
echo 'Hello from a web server.' >"$tmp/index.html"
started "$tmp/web" python3 -c '
import http.server, os, sys
os.chdir(sys.argv[1])
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Quiet)
print(server.server_port, flush=True)
server.serve_forever()' "$tmp"
note 'which to show is -e trace=; without it all are'
typed "sockwrench trace -e trace=connect,send,recv -- curl -s http://127.0.0.1:$PORT/"
sockwrench trace -e trace=connect,send,recv -o "$tmp/log" -- \
	curl -s "http://127.0.0.1:$PORT/"
annotate \
	'connect\(' 'process, seconds since the start, call, result, time taken' \
	' send(to)?\(' 'descriptor 5 is the connection <protocol:local->peer>' \
	<"$tmp/log"
expect 'a connection of curl' grep -q 'connect(.*tcp' "$tmp/log"

title '2. It happens: the server of an echo client is killed after the first line'
note 'typed into it: one, then (the server is killed) two and three'
started "$tmp/echo" build/examples/echo/server
mkfifo "$tmp/stdin" "$tmp/stdout"
typed "sockwrench trace -w trace -s 32 -- build/examples/echo/client $PORT"
sockwrench trace -w "$tmp/trace" -s 32 -o "$tmp/log" -- \
	build/examples/echo/client "$PORT" <"$tmp/stdin" >"$tmp/stdout" &
client=$!
exec 3>"$tmp/stdin" 4<"$tmp/stdout"
echo one >&3
read -r reply <&4
{
	kill -9 "$SERVER"
	wait "$SERVER"
} 2>/dev/null || true
echo two >&3
# its second read must have come back before it is given a third line
until [ "$(grep -cE ' (read|recv)\(.* = ' "$tmp/log")" -ge 2 ]; do
	read -r -t 0.01 <> <(:) || true
done
(echo three >&3) 2>/dev/null || true
status=0
{ wait "$client"; } 2>/dev/null || status=$?
exec 3>&- 4<&-
echo '$ sockwrench show trace'
sockwrench show "$tmp/trace" | annotate \
	' socket\(' "the client sends \"one\" and gets \"$reply\" back" \
	'write\(.*"two' 'the server is gone, and this write SUCCEEDS: the answer tells the kernel' \
	'read\(.*= 0 ' '0 means that the peer has closed; the client takes it for an answer' \
	'write\(.*unfinished' 'now the kernel knows: SIGPIPE, and the call never returns'
echo "exit status $status"
note '128 + 13, SIGPIPE: no message, no core, the client is just gone'
expect 'status 141' [ "$status" -eq 141 ]

title '3. Found, without a server to kill: every fault at every call'
# shellcheck disable=SC2016 # the port is audit's
program='build/examples/echo/client '\''$PORT'\'
audit='sockwrench audit --server "build/examples/peer/peer echo" --input examples/echo/lines --'
typed "$audit $program"
status=0
eval "$audit $program" >"$tmp/report" 2>/dev/null || status=$?
expect 'findings' [ "$status" -eq 1 ]
grep -E '^(error|warning)' "$tmp/report"
tail -n 1 "$tmp/report"
echo
note 'each says where, what was injected, what came of it, and how to see it again:'
found='error: sigpipe-death: write at main client.c'
printf '%s\n' "$(entry "$found" <"$tmp/report")"
again=$(entry "$found" <"$tmp/report" | sed -n 's/^    again     //p')
expect 'SIGPIPE at the write' [ -n "$again" ]

title '4. Reproduced: the command of the report, with a server on $PORT'
started "$tmp/peer" build/examples/peer/peer echo
typed "$again"
status=0
{ bash -c "$again"; } 2>"$tmp/err" || status=$?
cat "$tmp/err"
echo "exit status $status"
note 'the write fails as it does when the peer has gone, and the signal comes with it'
expect 'the injected EPIPE' grep -q 'EPIPE .*\[-e:1\]$' "$tmp/err"
expect 'status 141' [ "$status" -eq 141 ]

# loop FILE: where it sends and receives.
loop() {
	sed -n '/while (fgets/,/^\t}/p' "examples/echo/$1"
}

title '5. Fixed: every result is looked at, and send_all uses MSG_NOSIGNAL'
typed 'diff -u examples/echo/client.c examples/echo/client_good.c    (its loop)'
diff -U 9 <(loop client.c) <(loop client_good.c) | tail -n +4 || true
program=${program/client/client_good}
typed "sockwrench run -e 'send when=1 error=EPIPE' -- ${program/\'\$PORT\'/\"\$PORT\"} <examples/echo/lines"
status=0
sockwrench run -e 'send when=1 error=EPIPE' -- build/examples/echo/client_good \
	"$PORT" <examples/echo/lines 2>&1 || status=$?
echo "exit status $status"
note 'it says what happened, and ends by itself'
expect 'status 1' [ "$status" -eq 1 ]
typed "$audit $program"
status=0
eval "$audit $program" 2>/dev/null || status=$?
echo "exit status $status"
note 'nothing found'
expect 'status 0' [ "$status" -eq 0 ]
