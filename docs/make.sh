#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# make.sh TABLES OUTDIR: the pages that are made from tables. Lines @@WHAT of
# docs/*.in are replaced with the output of `tables WHAT`, @@presets with the
# names and first lines of rules/presets.
set -euo pipefail
tables=$1 out=$2
cd "$(dirname "$0")"

presets() {
	local file
	printf '| preset | |\n|---|---|\n'
	for file in ../rules/presets/*.rules; do
		printf '| `%s` | %s |\n' "$(basename "$file" .rules)" \
			"$(sed -n '1s/^# //p' "$file")"
	done
}

for page in sockwrench.1 libsockwrench.so.7 rules.md audit.md; do
	while IFS= read -r line; do
		if [[ $line == @@presets ]]; then
			presets
		elif [[ $line == @@* ]]; then
			# shellcheck disable=SC2086 # words of the line
			"$tables" ${line#@@}
		else
			printf '%s\n' "$line"
		fi
	done <"$page.in" >"$out/$page"
done
"$tables" calls >"$out/calls.md"
