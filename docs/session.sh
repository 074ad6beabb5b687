#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# session.sh PAGE [BUILD]: docs/PAGE.in with what its commands print, to
# standard output. Lines `$ COMMAND` in its blocks are typed, one after the
# other, into one shell at the root of the repository; what BUILD holds (build)
# is there as build. examples/settle.sh gives what differs from run to run a
# fixed form, and places in programs, which differ between compilers, get `...'.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
page=$root/docs/$1.in
build=$(cd "${2:-$root/build}" && pwd)
patience=120				# seconds, for one command
scratch=$(mktemp -d)
export LC_ALL=C
# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -z "${shell:-}" ] || kill -- "-$shell" 2>/dev/null || true
	rm -rf "$scratch"
}
trap finish EXIT

mkdir "$scratch/build"
for name in sockwrench libsockwrench.so examples; do
	ln -s "$build/$name" "$scratch/build"
done
for name in docs examples rules tests; do
	ln -s "$root/$name" "$scratch"
done
cd "$scratch"

# A group of its own, so that nothing that it starts stays.
coproc SHELL {
	. "$root/examples/three-fds.sh"
	exec 2>&1
	exec env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$HOME" LC_ALL=C \
		setsid bash --noprofile --norc
}
# shellcheck disable=SC2153 # of the coprocess
shell=$SHELL_PID

# printed: what comes until the command is done; the page's port in port.
printed() {
	local line
	while IFS= read -r -t "$patience" -u "${SHELL[0]}" line; do
		# the command's last line may have no end
		if [[ $line == *$'\1'* ]]; then
			port=${line#*$'\1'}
			line=${line%%$'\1'*}
			[ -z "$line" ] || printf '%s\n' "$line"
			return
		fi
		[[ $line =~ ^bash:\ line.*(Terminated|Killed) ]] ||
			printf '%s\n' "$line"
	done
	echo "session.sh: no end of: $command" >&2
	exit 1
}

printf '<!-- made by docs/session.sh from %s.in -->\n' "$1"
while IFS= read -r text; do
	printf '%s\n' "$text"
	[[ $text == '$ '* ]] || continue
	command=${text#'$ '}
	# shellcheck disable=SC2016 # of the shell that it is typed into
	printf '%s\n{ status=$?; printf "\\1%%s\\n" "$PORT"; (exit $status); }\n' \
		"$command" >&"${SHELL[1]}"
	printed >printed
	"$root/examples/settle.sh" "$port" <printed |
		sed -E "s|$build/|build/|g; s|$root/||g; s/[+]0x[0-9a-f]+/+0x.../g"
done <"$page"
