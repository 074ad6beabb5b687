# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the scripts of bench/ share: the ways a program is run, and medians. Every
# way is measured in turn, several times over, so that a noisy machine disturbs
# all of them alike; the medians are shown.

lib=${LIB:-$PWD/build/libsockwrench.so}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

plain() { "$@"; }
idle() { LD_PRELOAD=$lib SOCKWRENCH_LOG=none "$@"; }
# with_rule RULES PROG...: nothing is recorded but what is injected, nor that.
with_rule() {
	LD_PRELOAD=$lib SOCKWRENCH_LOG=none SOCKWRENCH_RULE=$1 "${@:2}"
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
