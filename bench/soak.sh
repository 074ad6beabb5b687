#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# soak.sh [SEEDS [BYTES]]: careful edge-triggered programs, whose reads and
# writes are all short and are refused with EAGAIN 30% of the time, deliver
# every byte: as many of them, with as many seeds in a row. One connection by
# send and recv, and ten that share the bytes, each by other functions.
# Status 1 where a run differs from the untouched one.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
seeds=${1:-100}
bytes=${2:-100000000}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
wrong=0

careful() { timeout 120 "$build/progs/careful" "$@"; }
faulted() {
	timeout 120 "$build/sockwrench" run -o /dev/null --must-fire --seed "$1" \
		-e 'recv,send prob=30% error=EAGAIN' \
		-e 'recv,send short=1..4096' \
		-- "$build/progs/careful" "${@:2}"
}

# seeds_of TITLE CAREFUL-OPTIONS...
seeds_of() {
	local title=$1 seed status begin=$SECONDS bad=0
	shift
	careful "$@" >"$tmp/wanted"
	for ((seed = 1; seed <= seeds; seed++)); do
		status=0
		faulted "$seed" "$@" >"$tmp/got" 2>"$tmp/said" || status=$?
		if [ $status -eq 0 ] && cmp -s "$tmp/wanted" "$tmp/got"; then
			continue
		fi
		bad=$((bad + 1))
		printf 'seed %d, status %d: %s\n' $seed $status "$*"
		tail -n 2 "$tmp/said"
	done
	printf '  %-44s %5d of %d seeds %6d s\n' "$title" $((seeds - bad)) \
		"$seeds" $((SECONDS - begin))
	wrong=$((wrong + bad))
}

printf 'every byte of %d there and back, short=1..4096, 30%% EAGAIN\n' "$bytes"
for style in epoll-edge epoll-edge-short; do
	seeds_of "$style, send and recv" $style "$bytes" 1 1
	seeds_of "$style, ten pairs of functions" $style $((bytes / 10)) 1 10
	seeds_of "$style, AF_UNIX" -u $style "$bytes" 1 1
done
exit $((wrong != 0))
