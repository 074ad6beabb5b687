#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a call costs, in ns, and how much of that is ours.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/common.sh
. bench/common.sh
rounds=${ROUNDS:-5}

unwanted() {
	LD_PRELOAD=$lib SOCKWRENCH_TRACE=$tmp/t SOCKWRENCH_CALLS=listen "$@"
}
traced() { LD_PRELOAD=$lib SOCKWRENCH_TRACE=$tmp/t "$@"; }
logged() { LD_PRELOAD=$lib SOCKWRENCH_LOG=$tmp/l "$@"; }
with_strace() { strace -f -o "$tmp/s" -e trace=%network,read "$@"; }
with_fiu() { fiu-run -x "$@"; }

# Rules that never fire, from those that are about other calls to one that is
# asked about each.
other_family() { with_rule 'accept when=9999 error=EMFILE' "$@"; }
other_family,_a_gate() { with_rule 'connect inprogress=1s' "$@"; }
other_protocol() { with_rule 'recv proto=udp error=ENOMEM' "$@"; }
other_connection() { with_rule 'recv conn=999 reset' "$@"; }
other_connection,_a_gate() { with_rule 'recv conn=999 latency=20ms' "$@"; }
other_peer() { with_rule 'recv peer=10.0.0.1:* reset' "$@"; }
ten_other_peers() {
	with_rule "$(for n in 1 2 3 4 5 6 7 8 9 10; do
		echo "recv peer=10.0.0.$n:* reset"
	done)" "$@"
}
not_yet() { with_rule 'recv when=1000000000 reset' "$@"; }

# table TITLE CALL WAY...: the plain call first, it is what is subtracted.
table() {
	local title=$1 call=$2 way round base=
	shift 2
	rm -f "$tmp"/at.*
	for ((round = 0; round < rounds; round++)); do
		for way in plain "$@"; do
			"$way" build/bench/cost "$call" >>"$tmp/at.$way"
			rm -f "$tmp"/[tls]
		done
	done
	printf '\n%s\n  %-28s %10s %10s %8s\n' "$title" '' 'ns a call' added ratio
	for way in plain "$@"; do
		median <"$tmp/at.$way" >"$tmp/m"
		[ -n "$base" ] || base=$(cat "$tmp/m")
		awk -v base="$base" -v name="${way//_/ }" \
			'{ printf "  %-28s %10.1f %10.1f %8.2f\n", name, $1,
			   $1 - base, $1 / base }' "$tmp/m"
	done
}

peers=()
command -v strace >/dev/null && peers+=(with_strace)
command -v fiu-run >/dev/null && peers+=(with_fiu)
table 'recv giving EAGAIN on an empty TCP socket' recv \
	idle unwanted traced logged "${peers[@]}"
table 'the same recv, and rules that do not fire: about ...' recv \
	other_family other_family,_a_gate other_protocol other_connection \
	other_connection,_a_gate other_peer ten_other_peers not_yet
table 'epoll_wait finding one socket, and the same rules' epoll \
	idle other_family other_connection other_connection,_a_gate not_yet
table 'read of a plain file: not a socket' read idle not_yet traced logged

printf '\nthe same recv with more sockets open, traced\n'
for n in 10 1000 15000 100000 1000000; do
	if traced build/bench/cost recv "$n" >"$tmp/n" 2>/dev/null; then
		printf '  %8d sockets %12.1f ns a call\n' "$n" "$(cat "$tmp/n")"
	else
		printf '  %8d sockets: the limit on descriptors is lower here\n' \
			"$n"
	fi
	rm -f "$tmp/t"
done

printf '\nthe table of descriptors alone, ns\n'
build/bench/table
