#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# transcript.sh [-k] [-d FOLDER] [SCENARIO...]: runs the programs of the scenario
# files (all of them) under their rules, and writes down what happens beside
# each, or in FOLDER.  scenario.s3 becomes transcript.s3.txt.  With -k there are
# no rules, the kernel does it, and only the naive program is run.
#
# Keys of a scenario, beside those of the audit:
#   ends      how the naive program ends, and the good one: a status or a
#             signal; waits: it is in a call for good; spins: it goes on and on;
#             serves: it waits when its client has been served
#   lines     of a trace, before which it has not come to wait or spin
#   caller    the client, where the one of the audit shows less
#   without   lines of a trace that a run may have or not
#   show      how the trace is shown, other than by call
#   sort      by process: they go on side by side
#   kernel, kernel-server, kernel-client, kernel-ends
#             instead of naive, server, client and ends with -k
#   kernel-under
#             a command that runs the naive program with -k
#   kernel-net
#             shell commands that prepare a network for that, of its own
set -uo pipefail
cd "$(dirname "$0")/.." || exit
export LC_ALL=C
. examples/three-fds.sh
exec </dev/null

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

# show OPTION...: the trace, which may still be growing.
show() {
	$sw show "$@" "$tmp/trace" 2>/dev/null
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
asleep() {
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

# That, and a moment later nothing has changed.
waiting() {
	local before
	before=$(show)
	[ "$(wc -l <<<"$before")" -ge "$lines" ] && asleep && tick &&
		[ "$before" = "$(show)" ]
}

spinning() {
	[ "$(show | head -n "$lines" | wc -l)" -ge "$lines" ]
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
			! spinning || break ;;
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
	case $ended in
	"exit status $2" | "("* | *"($2)") ;;
	*) die "$file: $ended, and not $2" ;;
	esac
}

# run KEY ENDS: the program of that key and its companion, to the end.
run() {
	local rules=() pid
	rm -f "$tmp"/*
	port=''
	[ -z "$server" ] || serve "$server"
	[ "$kernel" ] || [ -z "$(value rules "$file")" ] ||
		rules=(-r "examples/$topic/$(value rules "$file")")
	typed="build/examples/$topic/$(value "$1" "$file")"
	[ -z "$kernel" ] || typed="$(value kernel-under "$file") $typed"
	split "$typed"
	typed="sockwrench run -w trace${rules[*]:+ ${rules[*]}} -- $typed"
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

# sorted: the trace, process by process if that is wanted.
sorted() {
	if [ "$sort" ]; then sort -s -n -k1,1; else cat; fi
}

# twin KEY ENDS: what was typed, and what came of it.
twin() {
	local server client input without lines sort pipe form=()
	server=$(value "${kernel}server" "$file")
	[ "$server" ] || server=$(value server "$file")
	client=$(value "${kernel:-caller}${kernel:+client}" "$file")
	[ "$client" ] || client=$(value client "$file")
	input=$(value input "$file")
	input=${input:+examples/$topic/$input}
	without=$(value without "$file")
	lines=$(value lines "$file")
	[ "$lines" ] || { [ "$2" = spins ] && lines=60; } || lines=1
	sort=$(value sort "$file")
	read -ra form <<<"$(value show "$file")"
	pipe="${sort:+ | sort -s -n -k1,1}${without:+ | grep -vE '$without'}"
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
		echo "\$ sockwrench show${form[*]:+ ${form[*]}} trace$pipe"
		show "${form[@]}" | sorted | grep -vE "${without:-^\$}"
		cut "$2"
	} | examples/settle.sh "$port"
}

# transcript: of the scenario `file'.
transcript() {
	local ends=() id good
	id=$(value id "$file")
	good=$(value good "$file")
	read -ra ends <<<"$(value ends "$file")"
	if [ "$kernel" ]; then
		read -ra ends <<<"$(value kernel-ends "$file") ${ends[*]}"
		printf '%s: the naive program, and the kernel\n\n' "$id"
		if [ "$(value kernel "$file")" ]; then
			twin kernel "${ends[0]}"
		else
			twin naive "${ends[0]}"
		fi
		return
	fi
	printf '%s: the %sprogram\n\n' "$id" "${good:+naive }"
	twin naive "${ends[0]}"
	[ "$good" ] || return 0
	printf '\n%s: the good program\n\n' "$id"
	twin good "${ends[1]}"
}

# in_net ARGS...: once more, in a network of one's own that is set up first.
in_net() {
	IN_NET=yes exec examples/own-net.sh sh -ec \
		"$(value kernel-net "$file"); exec \"\$@\"" sh "$0" "$@"
}

kernel='' folder=examples
while getopts kd: option; do
	case $option in
	k) kernel=kernel- ;;
	d) folder=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- examples/*/scenario*
for file; do
	if [ "$kernel" ] && [ "$(value kernel-net "$file")" ] &&
		[ -z "${IN_NET-}" ]; then
		(in_net -k -d "$folder" "$file") || exit
		continue
	fi
	topic=$(basename "$(dirname "$file")")
	mkdir -p "$folder/$topic"
	name=$(basename "$file")
	transcript >"$tmp.new" || exit
	mv "$tmp.new" "$folder/$topic/transcript${name#scenario}.txt"
done
