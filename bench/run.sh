#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# make bench: what a call costs, in ns, and how much of that is ours. Every way
# is measured in turn, ROUNDS times over, so that a noisy machine disturbs all
# of them alike; the medians are shown.
set -euo pipefail
cd "$(dirname "$0")/.."
lib=$PWD/build/libsockwrench.so
rounds=${ROUNDS:-7}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

plain() { "$@"; }
idle() { LD_PRELOAD=$lib SOCKWRENCH_LOG=none "$@"; }
unwanted() {
	LD_PRELOAD=$lib SOCKWRENCH_TRACE=$tmp/t SOCKWRENCH_CALLS=listen "$@"
}
# a rule for another family, one that does not match, ten that do not
other_rule() {
	LD_PRELOAD=$lib SOCKWRENCH_LOG=none \
		SOCKWRENCH_RULE='accept when=9999 error=EMFILE' "$@"
}
one_rule() {
	LD_PRELOAD=$lib SOCKWRENCH_LOG=none \
		SOCKWRENCH_RULE='recv peer=10.0.0.1:* reset' "$@"
}
ten_rules() {
	LD_PRELOAD=$lib SOCKWRENCH_LOG=none SOCKWRENCH_RULE="$(
		for n in 1 2 3 4 5 6 7 8 9 10; do
			echo "recv peer=10.0.0.$n:* reset"
		done)" "$@"
}
traced() { LD_PRELOAD=$lib SOCKWRENCH_TRACE=$tmp/t "$@"; }
logged() { LD_PRELOAD=$lib SOCKWRENCH_LOG=$tmp/l "$@"; }
with_strace() { strace -f -o "$tmp/s" -e trace=%network,read "$@"; }
with_fiu() { fiu-run -x "$@"; }

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# table TITLE CALL WAY...: the plain call first, it is what is subtracted.
table() {
	local title=$1 call=$2 way round base=
	shift 2
	for ((round = 0; round < rounds; round++)); do
		for way in plain "$@"; do
			"$way" build/bench/cost "$call" >>"$tmp/$call.$way"
			rm -f "$tmp"/[tls]
		done
	done
	printf '\n%s\n  %-28s %10s %10s %8s\n' "$title" '' 'ns a call' added ratio
	for way in plain "$@"; do
		median <"$tmp/$call.$way" >"$tmp/m"
		[ -n "$base" ] || base=$(cat "$tmp/m")
		awk -v base="$base" -v name="${way/_/ }" \
			'{ printf "  %-28s %10.1f %10.1f %8.2f\n", name, $1,
			   $1 - base, $1 / base }' "$tmp/m"
	done
}

peers=()
command -v strace >/dev/null && peers+=(with_strace)
command -v fiu-run >/dev/null && peers+=(with_fiu)
table 'recv giving EAGAIN on an empty TCP socket' recv \
	idle unwanted other_rule one_rule ten_rules traced logged "${peers[@]}"
table 'read of a plain file: not a socket' read idle traced logged

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
