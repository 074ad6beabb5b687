#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# make check: everything that can be checked, a line per step, and at the end
# "N passed, N failed" over steps and test cases. A skipped case is a failure.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
export LC_ALL=C.UTF-8
jobs=$(nproc)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0 failed=0
say=${MAKE:-make}

# step NAME COMMAND...: quiet when it succeeds, all of its output when not.
step() {
	local name=$1 begin=$SECONDS
	shift
	if "$@" >"$out/step" 2>&1; then
		passed=$((passed + 1))
		printf 'ok      %-46s %3d s\n' "$name" $((SECONDS - begin))
	else
		failed=$((failed + 1))
		printf 'FAILED  %s\n' "$name"
		sed 's/^/        /' "$out/step"
	fi
}

# cases NAME FILES...: bats files; every case counts.
cases() {
	local name=$1 begin=$SECONDS good bad skipped
	shift
	# cases wait more than they work
	bats --jobs $((jobs * 3 / 2)) --formatter tap "$@" >"$out/tap" 2>&1
	good=$(grep -cE '^ok ' "$out/tap")
	bad=$(grep -cE '^not ok ' "$out/tap")
	skipped=$(grep -cE '^ok .*# skip' "$out/tap")
	# bats itself may fail before it has run all that it announced
	announced=$(sed -n 's/^1\.\.//p' "$out/tap" | head -1)
	[ $((good + bad)) -eq "${announced:-0}" ] && [ "$good" -gt 0 ] ||
		bad=$((bad + 1))
	passed=$((passed + good - skipped))
	failed=$((failed + bad + skipped))
	if [ $((bad + skipped)) -eq 0 ]; then
		printf 'ok      %-46s %3d s\n' "$name ($good cases)" \
			$((SECONDS - begin))
	else
		printf 'FAILED  %s\n' "$name"
		grep -vE '^ok ' "$out/tap" | sed 's/^/        /'
		grep -E '^ok .*# skip' "$out/tap" | sed 's/^/        /'
	fi
}

units() {
	local unit
	for unit in build/unit/*; do
		[ ! -x "$unit" ] || [ -d "$unit" ] || "$unit" || return 1
	done
}

# All at once.
fuzz() {
	local target pid pids=() bad=0
	for target in build/fuzz/*; do
		[ -x "$target" ] && [ ! -d "$target" ] || continue
		(cd "$out" && exec "$OLDPWD/$target" -max_total_time=30 \
			-verbosity=0 -print_final_stats=1) &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || bad=1
	done
	[ "${#pids[@]}" -gt 0 ] && [ "$bad" -eq 0 ]
}

shells() {
	git ls-files '*.sh' '*.bash' '*.bats' .ci/run |
		xargs shellcheck -S warning
}

step 'build with gcc' "$say" -s -j"$jobs" all progs examples unit drivers build/tables
step 'build with clang' "$say" -s -j"$jobs" B=build/clang CC=clang all
step 'shellcheck' shells
step 'cppcheck' tests/cppcheck.sh
step 'unit tests (ASan, UBSan)' units
step 'fuzz targets, built' "$say" -s -j"$jobs" fuzz
step 'fuzz targets, 30 s each' fuzz
cases 'tests' tests/*.bats
step 'make demo' examples/demo.sh

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
