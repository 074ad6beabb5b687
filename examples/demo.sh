#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# make demo: what sockwrench shows of a real client and server on loopback, and
# of a small client whose server dies.  Everything it starts it ends.
set -euo pipefail
cd "$(dirname "$0")/.."
sw=build/sockwrench
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
	printf '\n%s%s%s\n\n' "$bold" "$1" "$plain"
}

# annotate REGEX TEXT...: the log from standard input, TEXT above the first
# line that matches REGEX.
annotate() {
	local line i notes=("$@")
	while IFS= read -r line; do
		for ((i = 0; i < ${#notes[@]}; i += 2)); do
			[[ -n ${notes[i]} && $line =~ ${notes[i]} ]] || continue
			printf '%s# %s%s\n' "$dim" "${notes[i + 1]}" "$plain"
			notes[i]=
			break
		done
		# what the story does not need: options, polls that only look
		[[ $line =~ (sockopt|fcntl|getsockname|getpeername|socketpair)\( ||
			$line =~ poll\(.*,\ 0\)\ = || $line == *'<unix>'* ]] &&
			continue
		printf '%s\n' "$line"
	done
}

title '1. curl and a web server, every socket call (options and names left out)'
echo 'Hello from a web server.' >"$tmp/index.html"
mkfifo "$tmp/port"
python3 -c '
import http.server, os, sys
os.chdir(sys.argv[1])
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Quiet)
with open("port", "w") as port:
    print(server.server_port, file=port)
server.serve_forever()' "$tmp" &
pids+=($!)
read -r port <"$tmp/port"
echo "\$ sockwrench trace -- curl -s http://127.0.0.1:$port/"
$sw trace -o "$tmp/log" -- curl -s "http://127.0.0.1:$port/"
annotate \
	'execve' 'the program; its process in front, seconds since the start' \
	' socket\(AF_INET' 'a TCP socket, descriptor and protocol behind =' \
	'connect\(.*EINPROGRESS' 'curl does not wait for the connection ...' \
	'POLLOUT=>' '... but for poll to say that it can be written' \
	' send(to)?\(' 'the request leaves; from here on <local->peer> is known' \
	' recv(from)?\(.*= [1-9]' 'the answer arrives; <0.000012> is how long the call took' \
	' close\(.*tcp' 'and curl hangs up' <"$tmp/log"

title '2. An echo client whose server is killed after the first line'
mkfifo "$tmp/echo" "$tmp/stdin" "$tmp/stdout"
build/examples/echo/server >"$tmp/echo" &
server=$!
read -r port <"$tmp/echo"
echo "\$ sockwrench trace -w trace -s 32 -- build/examples/echo/client $port"
$sw trace -w "$tmp/trace" -s 32 -o "$tmp/log" -- \
	build/examples/echo/client "$port" <"$tmp/stdin" >"$tmp/stdout" &
client=$!
exec 3>"$tmp/stdin" 4<"$tmp/stdout"
echo one >&3
read -r reply <&4
{
	kill -9 "$server"
	wait "$server"
} 2>/dev/null || true
echo two >&3
# its read of nothing must have come back before it is given a third line
until grep -q 'read(.*= 0' "$tmp/log"; do
	read -r -t 0.01 <> <(:) || true
done
{ echo three >&3; } 2>/dev/null || true
status=0
{ wait "$client"; } 2>/dev/null || status=$?
exec 3>&- 4<&-
echo "exit status $status"
echo '$ sockwrench show trace'
$sw show "$tmp/trace" | annotate \
	' socket\(' "the client connects, sends \"one\", gets \"$reply\" back" \
	'write\(.*"two' 'the server is gone, and this write SUCCEEDS: the kernel learns it from the answer' \
	'read\(.*= 0 ' '0 means that the peer has closed; this client takes it for an answer' \
	'write\(.*unfinished' 'now the kernel knows: the third write raises SIGPIPE and never returns'
if [ "$status" -ne 141 ]; then
	echo 'expected status 141, death by SIGPIPE' >&2
	exit 1
fi
printf '%s# 141 is 128 + SIGPIPE: no message, no core, the client is just gone.%s\n' \
	"$dim" "$plain"
printf '%s# examples/echo/client_good.c is the same client, and survives this.%s\n' \
	"$dim" "$plain"

title '3. The same trace by connection and by call'
echo '$ sockwrench show -f summary trace'
$sw show -f summary "$tmp/trace"
