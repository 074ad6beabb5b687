#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# transcript.sh [-d FOLDER] [SCENARIO...]: runs the programs of the scenario
# files (all of them) under their rules, and writes down what happens beside
# each, or in FOLDER.  scenario.s3 becomes transcript.s3.txt.
#
# How a run is brought to its end, the key `ends' says, first of the naive
# program, then of the good one: a status or a signal, it ends by itself;
# waits: it is in a call for good; spins: it makes the same calls again and
# again (until there are so many `lines'); serves: it waits when its client has
# been served.  `without' are lines that a run may have or not; `caller' is the
# client where the one of the audit shows less.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
export LC_ALL=C
exec </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-

sw=build/sockwrench
patience=60				# seconds, for one program
words=()				# of a command, by split
tmp=$(mktemp -d)
pids=()

finish() {
	local pid
	for pid in "${pids[@]}"; do
		{ kill "$pid" && wait "$pid"; } 2>/dev/null
	done
	pids=()
}
trap 'finish; rm -rf "$tmp" "$tmp.new"' EXIT

die() {
	echo "transcript.sh: $*" >&2
	exit 1
}

# value KEY FILE: of a scenario file.
value() {
	sed -n "s/^$1: *//p" "$2"
}

tick() {
	read -r -t 0.02 <> <(:) || true
}

# patient SINCE WHAT: there is still time for it.
patient() {
	[ $((SECONDS - $1)) -lt "$patience" ] || die "$file: $2"
}

alive() {
	kill -0 "$1" 2>/dev/null
}

show() {
	$sw show "$tmp/trace" 2>/dev/null
}

# text FILE: its lines; the last one gets an end.
text() {
	sed '$a\' "$1"
}

# cut ENDS: the text before this line might have gone on.
cut() {
	[ "$1" != spins ] || printf '\f\n'
}

# Every process of the trace that is still there is in a call, and sleeps.
waiting() {
	local pid last state seen=
	while read -r pid last; do
		[ -e "/proc/$pid" ] || continue
		[[ $last == *'<unfinished>'* ]] || return 1
		read -r state <"/proc/$pid/stat" || return 1
		[[ $state == *') S '* ]] || return 1
		seen=yes
	done < <(show | awk '{ last[$1] = $0 } END { for (p in last) print last[p] }')
	[ "$seen" ]
}

# split TEXT: the words of a command, its port filled in, in words.
split() {
	eval "words=(${1//\$PORT/$port})"
}

# serve COMMAND: starts it; the first that it prints, in port.
serve() {
	local pid since=$SECONDS
	: >"$tmp/server"
	split "$1"
	env --default-signal=PIPE "${words[@]}" >>"$tmp/server" 2>&1 &
	pid=$!
	pids+=("$pid")
	until read -r port <"$tmp/server"; do
		alive "$pid" || die "$file: $1 ended"
		patient "$since" "$1 does not listen"
		tick
	done
}

# call COMMAND: a client of the program; what is to be said of it, in called.
# One that fails has printed more or less.
call() {
	local status=0
	split "$1"
	env --default-signal=PIPE "${words[@]}" >"$tmp/heard" 2>"$tmp/failed" ||
		status=$?
	{
		echo "\$ ${1//\$PORT/PORT}"
		[ "$status" -ne 0 ] || text "$tmp/heard"
		text "$tmp/failed"
		status_text "$status"
	} >>"$tmp/called"
}

# listens: the port on which it does or did, in port.
listens() {
	port=$(show | sed -n 's/.* listen([^>]*:\([0-9]*\)>.* = 0 .*/\1/p;T;q')
	[ "$port" ]
}

# listening PID: wait until it does, or has ended.
listening() {
	local since=$SECONDS
	while alive "$1" && ! listens; do
		patient "$since" 'it does not listen'
		tick
	done
	listens
}

status_text() {
	local name=
	[ "$1" -le 128 ] || name=" (SIG$(kill -l $(($1 - 128))))"
	echo "exit status $1$name"
}

# until_end PID ENDS CLIENT: how it ended, in ended.  One that is to end by
# itself and waits for another client gets one.
until_end() {
	local since=$SECONDS status=0
	while alive "$1"; do
		case $2 in
		waits | serves)
			! waiting || break ;;
		spins)
			[ "$(show | head -n "$lines" | wc -l)" -lt "$lines" ] ||
				break ;;
		*)
			if [ "$3" ] && waiting; then call "$3"; fi ;;
		esac
		patient "$since" "no end (expected: $2)"
		tick
	done
	ended=
	if alive "$1"; then
		case $2 in
		waits) ended='(it still waits; ended here)' ;;
		serves) ended='(it waits for the next client; ended here)' ;;
		spins) ended='(it is still at it; ended here)' ;;
		esac
		kill "$1"
	fi
	{ wait "$1"; } 2>/dev/null || status=$?
	[ "$ended" ] || ended=$(status_text "$status")
}

# run KEY ENDS: the program of that key and its companion, to the end.
run() {
	local rules=() pid
	rm -f "$tmp"/*
	port=''
	[ -z "$server" ] || serve "$server"
	[ -z "$(value rules "$file")" ] ||
		rules=(-r "examples/$topic/$(value rules "$file")")
	typed="sockwrench run -w trace${rules[*]:+ ${rules[*]}} --"
	typed+=" build/examples/$topic/$(value "$1" "$file")"
	split "build/examples/$topic/$(value "$1" "$file")"
	env --default-signal=PIPE $sw run -w "$tmp/trace" "${rules[@]}" -- \
		"${words[@]}" <"${input:-/dev/null}" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	pids+=("$pid")
	if [ "$client" ]; then
		! listening "$pid" || call "$client"
	fi
	until_end "$pid" "$2" "$client"
	finish
}

# twin KEY ENDS: what was typed, and what came of it.
twin() {
	local server client input without lines
	server=$(value server "$file")
	client=$(value caller "$file")
	[ "$client" ] || client=$(value client "$file")
	input=$(value input "$file")
	input=${input:+examples/$topic/$input}
	without=$(value without "$file")
	lines=$(value lines "$file")
	lines=${lines:-60}
	run "$@"
	{
		[ -z "$server" ] || echo "\$ $server &"
		echo "\$ ${typed//\$PORT/PORT}${input:+ <$input}${client:+ &}"
		if [ -s "$tmp/called" ] && [ -z "$(value oneshot "$file")" ]; then
			cat "$tmp/called"
			echo '$ fg'
		fi
		text "$tmp/out"
		text "$tmp/err"
		cut "$2"
		echo "$ended"
		echo "\$ sockwrench show trace${without:+ | grep -vE '$without'}"
		show | grep -vE "${without:-^\$}"
		cut "$2"
	} | examples/settle.sh "$port"
}

# transcript: of the scenario `file'.
transcript() {
	local ends=()
	read -ra ends <<<"$(value ends "$file")"
	printf '%s: the naive program\n\n' "$(value id "$file")"
	twin naive "${ends[0]:-0}"
	[ "$(value good "$file")" ] || return 0
	printf '\n%s: the good program\n\n' "$(value id "$file")"
	twin good "${ends[1]:-0}"
}

folder=
if [ "${1-}" = -d ]; then
	folder=$2
	shift 2
fi
[ $# -gt 0 ] || set -- examples/*/scenario*
for file; do
	topic=$(basename "$(dirname "$file")")
	to=${folder:-examples}/$topic
	mkdir -p "$to"
	name=$(basename "$file")
	transcript >"$tmp.new" || exit
	mv "$tmp.new" "$to/transcript${name#scenario}.txt"
done
