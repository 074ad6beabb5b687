#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# need.sh FILE: make sure that the Debian packages listed in FILE are there.
# Installs what is missing where it may; else says the one command needed.
set -euo pipefail

mapfile -t wanted < <(sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$1")
missing=()
for package in "${wanted[@]}"; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
		grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

install="apt-get install -y --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
	echo "sockwrench: not a Debian system; please install what these" \
		"packages hold: ${missing[*]}" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "sockwrench: packages are missing; please run:" >&2
	echo "  sudo $install" >&2
	exit 1
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# services of these packages must not start by being installed
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod +x "$policy"
	made=1
fi
status=0
{ apt-get update && $install; } >"${TMPDIR:-/tmp}/sockwrench-apt.$$" 2>&1 ||
	status=$?
[ -z "$made" ] || rm -f "$policy"
if [ "$status" -ne 0 ]; then
	tail -5 "${TMPDIR:-/tmp}/sockwrench-apt.$$" >&2
	echo "sockwrench: could not run: $install" >&2
fi
rm -f "${TMPDIR:-/tmp}/sockwrench-apt.$$"
exit "$status"
