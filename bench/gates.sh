#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Faults in time: whether they come in time, and what they cost the rest of the
# program. Status 1 where anything came early.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/common.sh
. bench/common.sh
b=build/bench
early=0

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }

# late RULE WHAT HOW N MS ROUNDS
late() {
	local rule=$1 median most n of
	shift
	if [ -n "$rule" ]; then
		with_rule "$rule" $b/late "$@" >"$tmp/late" || true
	else
		$b/late "$@" >"$tmp/late" || true
	fi
	if ! read -r median most n of <"$tmp/late"; then
		printf '  %-30s %-7s %6d   NEVER CAME\n' "${rule:-a timer}" \
			"$2" "$3"
		early=$((early + 1))
		return
	fi
	printf '  %-30s %-7s %6d %10d %10d %7d of %d\n' \
		"${rule:-a timer, without us}" "$2" "$3" "$median" "$most" \
		"$n" "$of"
	early=$((early + n))
}

timing() {
	local how
	printf '\nhow late a wake-up is, in us: of N descriptors in one set\n'
	printf '  %-30s %-7s %6s %10s %10s %7s\n' '' waiting N median '99 %' \
		early
	late '' timer level 1 5 100
	late '' timer level 1000 200 3
	for how in level edge poll select block; do
		late 'connect inprogress=5ms' connect $how 1 5 100
	done
	for how in level edge; do
		late 'connect inprogress=200ms' connect $how 1000 200 3
	done
	for how in level edge poll select block; do
		late 'recv latency=5ms' recv $how 1 5 100
	done
	for how in level edge; do
		late 'recv latency=200ms' recv $how 1000 200 3
		late 'recv stall=200ms' recv $how 1000 200 3
	done
}

# Ways of the loop of beside; 127.0.0.2 is the peer of the one beside.
not_yet() { with_rule 'recv peer=127.0.0.2:* reset when=1000000000' "$@"; }
stalled() { with_rule 'recv peer=127.0.0.2:* stall=forever' "$@"; }
delayed() { with_rule 'recv peer=127.0.0.2:* latency=20ms..80ms' "$@"; }

beside() {
	local round way plain not_yet rounds=${ROUNDS:-11}
	for ((round = 0; round < rounds; round++)); do
		for way in plain not_yet stalled delayed; do
			"$way" $b/beside 150 >>"$tmp/beside.$way"
		done
	done
	plain=$(median <"$tmp/beside.plain")
	not_yet=$(median <"$tmp/beside.not_yet")
	printf '\nan epoll loop of 8 connections beside one with a rule\n'
	printf '  %-30s %14s %12s %18s\n' '' 'messages a s' 'to no shim' \
		'to one not firing'
	for way in plain not_yet stalled delayed; do
		local n
		n=$(median <"$tmp/beside.$way")
		printf '  %-30s %14d %12s %18s\n' "${way/_/ }" "$n" \
			"$(ratio "$n" "$plain")" "$(ratio "$n" "$not_yet")"
	done
}

rates() {
	local asked what how got bytes
	printf '\nrate=: bytes a second, reached and asked for\n'
	printf '  %-12s %-6s %14s %14s %8s\n' '' '' asked reached ratio
	for asked in 65536 1048576 104857600; do
		for what in recv send; do
			for how in block edge; do
				bytes=$((asked < 1048576 ? asked * 5 / 4 : asked))
				got=$(with_rule "$what rate=${asked}B/s" \
					$b/rate $what $how $bytes 3000)
				printf '  %-12s %-6s %14d %14d %8s\n' $what $how \
					$asked "$got" "$(ratio "$got" $asked)"
			done
		done
	done
}

# cpu RULE SERVER...: ms of its CPU time, under a load that is always the same.
cpu() {
	local port ms server
	rm -f "$tmp/said"
	mkfifo "$tmp/said"
	with_rule "$1" "${@:2}" >"$tmp/said" &
	server=$!
	{
		read -r port
		$b/load "$port" 100 100 15
		read -r ms
	} <"$tmp/said"
	wait $server
	echo "$ms"
}

servers() {
	local rule=latency=20ms..80ms round server never late rounds=3
	local -a command
	printf '\nCPU time of a server, ms: 100 clients, 1,000 lines a second\n'
	printf '  %-12s %20s %22s %8s\n' '' 'a rule not firing' \
		'recv latency=20..80ms' ratio
	for server in python3 node; do
		command -v $server >/dev/null || continue
		command=("$server" bench/server.py)
		[ $server = python3 ] || command=("$server" bench/server.js)
		rm -f "$tmp"/cpu.*
		for ((round = 0; round < rounds; round++)); do
			cpu 'recv when=1000000000 reset' "${command[@]}" \
				>>"$tmp/cpu.never"
			cpu "recv $rule" "${command[@]}" >>"$tmp/cpu.late"
		done
		never=$(median <"$tmp/cpu.never")
		late=$(median <"$tmp/cpu.late")
		printf '  %-12s %20s %22s %8s\n' $server "$never" "$late" \
			"$(ratio "$late" "$never")"
	done
}

timing
beside
rates
servers
if [ $early -gt 0 ]; then
	printf '\nEARLY OR NEVER: %d wake-ups. A gate must not open before its time.\n' \
		$early
	exit 1
fi
printf '\nearly: 0\n'
