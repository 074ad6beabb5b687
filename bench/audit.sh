#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What an audit costs: a client of a hundred calls, by itself and per trial.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${B:-build} runs=50
server="$build/examples/peer/peer echo"
client=$build/examples/echo/client_good
tmp=$(mktemp -d)
seq 45 >"$tmp/lines"
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$tmp"' EXIT

now() { date +%s%N; }
# it prints its port
# shellcheck disable=SC2086 # two words
exec 3< <(exec $server)
pid=$!
read -ru 3 port
"$build/sockwrench" trace -o "$tmp/log" -- "$client" "$port" \
	<"$tmp/lines" >/dev/null
calls=$(grep -c ' = ' "$tmp/log")
begin=$(now)
for ((i = 0; i < runs; i++)); do
	"$client" "$port" <"$tmp/lines" >/dev/null
done
own=$((($(now) - begin) / runs))
begin=$(now)
# shellcheck disable=SC2016 # audit's own
"$build/sockwrench" audit -j 2 --exhaustive 1 -f json --server "$server" \
	--input "$tmp/lines" -- \
	"$client" '$PORT' >"$tmp/report" || true
took=$(($(now) - begin))
trials=$(head -1 "$tmp/report" | grep -oP '"trials":\K\d+')
awk -v calls="$calls" -v own="$own" -v took="$took" -v n="$trials" 'BEGIN {
	printf "audit of a client of %d calls, %d trials: %.1f s in all\n",
		calls, n, took / 1e9
	printf "  its own run %.1f ms; a trial %.1f ms, at most twice that " \
		"and 20 ms: %.1f ms\n", own / 1e6, took / n / 1e6,
		own * 2 / 1e6 + 20 }'
