#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# audit: what it says of the programs of examples/, and how it says it.

# '$PORT' is audit's, and run sets status, output and lines:
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helpers
bats_require_minimum_version 1.5.0

EXAMPLES=$BUILD/examples

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
}

# value KEY FILE: of a scenario file.
value() {
	sed -n "s/^$1: *//p" "$2"
}

# audit_of KEY FILE OPTIONS...: audits the program that the scenario names.
audit_of() {
	local key=$1 file=$2 folder options=() prog
	folder=$(basename "$(dirname "$file")")
	shift 2
	[ -z "$(value server "$file")" ] ||
		options+=(--server "$(value server "$file")")
	[ -z "$(value client "$file")" ] ||
		options+=(--client "$(value client "$file")")
	[ -z "$(value input "$file")" ] ||
		options+=(--input "examples/$folder/$(value input "$file")")
	read -ra prog <<<"$(value "$key" "$file")"
	"$SW" audit "${options[@]}" "$@" -- \
		"$EXAMPLES/$folder/${prog[0]}" "${prog[@]:1}"
}

# found REPORT: the names of its findings, each once.
found() {
	grep -oE '^(error|warning|note): [a-z-]+' "$1" | sed 's/.*: //' | sort -u
}

# row FILE: the naive program has all that its row says.
row() {
	local report=$BATS_TEST_TMPDIR/report name notes=() status=0 missing=
	# what no Linux does, or is no fault in itself, is a note
	[[ ! $(value findings "$1") =~ hang|blocking-accept ]] || notes=(--notes)
	audit_of naive "$1" -j 6 "${notes[@]}" >"$report" || status=$?
	for name in $(value findings "$1" | tr ',' ' '); do
		found "$report" | grep -qx "$name" || missing+=" $name"
	done
	[ -z "$missing" ] || {
		echo "$1: not found:$missing; but" "$(found "$report")"
		return 1
	}
	[ "$status" -le 1 ]
}

# nothing FILE OPTIONS...: the good twin has no finding.
nothing() {
	local report=$BATS_TEST_TMPDIR/report status=0
	audit_of good "$@" -j 4 >"$report" 2>&1 || status=$?
	[ "$status" -eq 0 ] || {
		echo "$1: status $status"
		cat "$report"
		return 1
	}
	[ -z "$(found "$report")" ]
	grep -qE ' [1-9][0-9]* trials' "$report"
}

# each FUNCTION TOPIC...: all scenario files of these folders.
each() {
	local function=$1 file n=0
	shift
	for topic in "$@"; do
		for file in examples/"$topic"/scenario*; do
			"$function" "$file"
			n=$((n + 1))
		done
	done
	[ "$n" -ge $# ]
}

twins() {
	local seed
	[ -n "$(value good "$1")" ] || return 0
	for seed in 1 7 1000003; do
		nothing "$1" --seed "$seed"
	done
}

# ---- the scenarios --------------------------------------------------------

@test "backlog: the naive program"  { each row backlog; }
@test "blocking-accept: the naive program"  { each row blocking-accept; }
@test "close-unread: the naive program"  { each row close-unread; }
@test "close-wait: the naive program"  { each row close-wait; }
@test "echo: the naive program"  { each row echo; }
@test "eintr: the naive program"  { each row eintr; }
@test "fork-close: the naive program"  { each row fork-close; }
@test "framing: the naive program"  { each row framing; }
@test "nonblocking: the naive program"  { each row nonblocking; }
@test "oneshot: the naive program"  { each row oneshot; }
@test "partial-send: the naive program"  { each row partial-send; }
@test "peer-gone: the naive program"  { each row peer-gone; }
@test "reset: the naive program"  { each row reset; }
@test "sigpipe: the naive program"  { each row sigpipe; }
@test "silent-peer: the naive program"  { each row silent-peer; }
@test "sndtimeo: the naive program"  { each row sndtimeo; }
@test "time-wait: the naive program"  { each row time-wait; }
@test "timestamp: the naive program"  { each row timestamp; }
@test "udp: the naive program"  { each row udp; }
@test "unreachable: the naive program"  { each row unreachable; }

@test "backlog: the good twin"  { each twins backlog; }
@test "blocking-accept: the good twin"  { each twins blocking-accept; }
@test "close-unread: the good twin"  { each twins close-unread; }
@test "close-wait: the good twin"  { each twins close-wait; }
@test "echo: the good twin"  { each twins echo; }
@test "eintr: the good twin"  { each twins eintr; }
@test "fork-close: the good twin"  { each twins fork-close; }
@test "framing: the good twin"  { each twins framing; }
@test "nonblocking: the good twin"  { each twins nonblocking; }
@test "oneshot: the good twin"  { each twins oneshot; }
@test "partial-send: the good twin"  { each twins partial-send; }
@test "peer-gone: the good twin"  { each twins peer-gone; }
@test "reset: the good twin"  { each twins reset; }
@test "sigpipe: the good twin"  { each twins sigpipe; }
@test "silent-peer: the good twin"  { each twins silent-peer; }
@test "sndtimeo: the good twin"  { each twins sndtimeo; }
@test "time-wait: the good twin"  { each twins time-wait; }
@test "timestamp: the good twin"  { each twins timestamp; }
@test "udp: the good twin"  { each twins udp; }
@test "unreachable: the good twin"  { each twins unreachable; }

@test "every example has its test" {
	local file
	for file in examples/*/scenario*; do
		[ -z "$(value good "$file")" ] || grep -q \
			"each twins $(basename "$(dirname "$file")");" \
			"$BATS_TEST_FILENAME"
	done
}

# ---- the oracle against itself ---------------------------------------------

# idle FILE: with nothing injected nothing is found, and that is said; but for
# what needs no fault: a socket that is left open in the parent.
idle() {
	local key report=$BATS_TEST_TMPDIR/report result
	for key in naive good; do
		[ -n "$(value $key "$1")" ] || continue
		result=0
		audit_of "$key" "$1" --faults none -j 4 >"$report" || result=$?
		run -1 grep -E '^    injected +[^n ]' "$report"
		[ "$key $(basename "$(dirname "$1")")" = 'naive fork-close' ] ||
			[ "$result" -eq 0 ]
		grep -qx 'nothing was injected' "$report"
	done
}

@test "without a fault nothing is found in any example" {
	local topics
	mapfile -t topics < <(printf '%s\n' examples/*/scenario* |
		xargs -n1 dirname | xargs -n1 basename | sort -u)
	each idle "${topics[@]}"
}

# ---- the report --------------------------------------------------------------

# echo_client OPTIONS...: the client that dies of SIGPIPE.
echo_client() {
	run "$SW" audit --server "$EXAMPLES/echo/server" --input \
		examples/echo/lines "$@" -- "$EXAMPLES/echo/client" '$PORT'
}

@test "the report: where, what, how it ended, and how to see it again" {
	echo_client
	[ "$status" -eq 1 ]
	[[ $output == *'error: sigpipe-death: write at main client.c:'* ]]
	[[ $output == *'injected  send from=client+0x'*' error=EPIPE'* ]]
	[[ $output == *'happened  killed by SIGPIPE'* ]]
	[[ $output == *'last      '*'write('*'<tcp:'* ]]
	[[ $output =~ [0-9]+' call sites, '[0-9]+' trials: '[0-9]+' tolerated, '[0-9]+' handled, '[0-9]+' findings, '[0-9]+' not reached' ]]
}

@test "the command of a finding shows it again" {
	local again
	echo_client --faults EPIPE
	again=$(sed -n 's/^    again     //p' <<<"$output" | head -1)
	[[ $again == sockwrench\ run* ]]
	coproc SERVER { exec "$EXAMPLES/echo/server"; }
	read -ru "${SERVER[0]}" PORT
	again=${again/#sockwrench/"$SW"}
	PORT=$PORT run -141 bash -c "$again"
	[[ $output == *"->127.0.0.1:$PORT>,"*' EPIPE '*'[-e:1]'* ]]
	kill "$SERVER_PID"
}

@test "json: a head, and a line for each finding" {
	echo_client -f json
	[ "$status" -eq 1 ]
	"$PYTHON" -c '
import json, sys
head, *found = map(json.loads, sys.stdin)
assert head["findings"] == len(found) > 3, head
assert head["trials"] >= head["tolerated"] + head["handled"]
assert any(f["finding"] == "sigpipe-death" and f["level"] == "error" and
	   "client.c:" in f["at"] and f["again"].startswith("sockwrench run")
	   for f in found)' <<<"$output"
}

@test "junit: a case for each trial" {
	echo_client -f junit
	"$PYTHON" -c '
import sys, xml.etree.ElementTree as tree
suite = tree.fromstring(sys.stdin.read())
cases = suite.findall("testcase")
assert len(cases) == int(suite.get("tests")) > 10
assert sum(c.find("failure") is not None for c in cases) == int(
	suite.get("failures")) > 3
assert suite.get("errors") == "0"' <<<"$output"
	# what needs no fault is there, too, and notes are only where asked for
	run "$SW" audit -f junit --faults eof --client \
		"$EXAMPLES/mate/mate ask \$PORT one two three" -- \
		"$EXAMPLES/fork-close/server"
	"$PYTHON" -c '
import sys, xml.etree.ElementTree as tree
suite = tree.fromstring(sys.stdin.read())
cases = suite.findall("testcase")
assert len(cases) == int(suite.get("tests"))
failed = [c for c in cases if c.find("failure") is not None]
assert len(failed) == int(suite.get("failures"))
assert any(c.get("name") == "nothing injected" for c in failed)' <<<"$output"
}

@test "--fail-on: what is worth a status" {
	echo_client --faults EPIPE --fail-on error
	[ "$status" -eq 1 ]
	echo_client --faults stall
	[ "$status" -eq 0 ]
	echo_client --faults stall --notes
	[ "$status" -eq 0 ]
	[[ $output == *'note: hang: '* ]]
	echo_client --faults stall --fail-on note
	[ "$status" -eq 1 ]
}

@test "--keep: traces and output of every trial" {
	echo_client --faults EPIPE --keep "$BATS_TEST_TMPDIR/kept"
	cd "$BATS_TEST_TMPDIR/kept"
	"$SW" show trial.1/trace | grep -q 'EPIPE.*\[-e:1\]$'
	"$SW" show untouched.1/server.trace | grep -q ' accept('
	[ -s untouched.2/out ]
}

@test "nothing is left: no file, no process" {
	mkdir "$BATS_TEST_TMPDIR/tmp"
	TMPDIR=$BATS_TEST_TMPDIR/tmp echo_client
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/tmp")" ]
	run -1 pgrep -f "$BATS_TEST_TMPDIR/tmp"
}

@test "-j: as many at a time, on the same port, with the same findings" {
	local n
	for n in 1 4; do
		"$SW" audit -j "$n" --faults EPIPE,reset,eof,EMFILE --client \
			"$EXAMPLES/peer/peer ask \$PORT one two" -- \
			"$EXAMPLES/echo/server" 4711 >"$BATS_TEST_TMPDIR/$n" ||
			[ $? -eq 1 ]
		found "$BATS_TEST_TMPDIR/$n" >"$BATS_TEST_TMPDIR/found.$n"
	done
	grep -qx sigpipe-death "$BATS_TEST_TMPDIR/found.1"
	diff "$BATS_TEST_TMPDIR"/found.[14]
}

@test "interrupted, it says what it has found, and ends everything" {
	local out=$BATS_TEST_TMPDIR/out pid
	mkdir "$BATS_TEST_TMPDIR/tmp"
	TMPDIR=$BATS_TEST_TMPDIR/tmp "$SW" audit --notes --faults EPIPE,stall \
		--server "$EXAMPLES/echo/server" --timeout 1m \
		--input examples/echo/lines -- "$EXAMPLES/echo/client" \
		'$PORT' >"$out" 2>&1 3>&- &
	pid=$!
	# the trial that waits for ever has begun
	until compgen -G "$BATS_TEST_TMPDIR/tmp/*/trial.1/trace" >/dev/null; do
		kill -0 "$pid"
	done
	kill -INT "$pid"
	local result=0
	wait "$pid" || result=$?
	[ "$result" -eq 130 ]
	grep -q 'left out\|could not be run' "$out"
	run -1 pgrep -f "$BATS_TEST_TMPDIR/tmp"
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/tmp")" ]
}

@test "--faults, --target, --exhaustive: fewer trials, and more" {
	trials() { sed -n 's/.*, \([0-9]*\) trials\?:.*/\1/p' <<<"$output"; }
	echo_client
	all=$(trials)
	echo_client --faults recv
	[ "$(trials)" -lt "$all" ]
	[[ $output != *' write at '* ]]
	echo_client --faults all
	[ "$(trials)" -gt "$all" ]
	echo_client --exhaustive 1
	[ "$(trials)" -gt "$all" ]
	run "$SW" audit --server "$EXAMPLES/echo/server" --target 'cl*' --input \
		examples/echo/lines -- sh -c "$EXAMPLES/echo/client \$PORT"
	[[ $output == *'sigpipe-death: write at main client.c:'* ]]
}

# ---- what cannot be audited ----------------------------------------------------

# refuses MESSAGE OPTIONS...: one line, status 125.
refuses() {
	local message=$1
	shift
	run "$SW" audit "$@"
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
	# shellcheck disable=SC2053 # a pattern
	[[ $output == "sockwrench: audit: "$message ]] || {
		echo "$output"
		return 1
	}
}

@test "what it cannot do it says in a line" {
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR" "$BATS_TEST_TMPDIR/full"
	touch "$BATS_TEST_TMPDIR/full/file"
	refuses 'expected a program'
	refuses '--seed x1: expected a whole number' --seed x1 true
	refuses '--server, --client: expected a command' --client '' true
	refuses "--keep $BATS_TEST_TMPDIR/full: Directory not empty" \
		--keep "$BATS_TEST_TMPDIR/full" true
	[ -e "$BATS_TEST_TMPDIR/full/file" ]
	refuses '--timeout 3: expected a time *' --timeout 3 true
	refuses '-j 0: expected a number *' -j 0 true
	refuses '-f xml: expected text, json or junit' -f xml true
	refuses '--fail-on bad: expected error, warning or note' --fail-on bad true
	refuses "--faults: 'EWRONG' is no *" --faults recv,EWRONG true
	refuses '--server and --client: *' --server a --client b true
	refuses '--input /no/such: No such file or directory' --input /no/such true
	refuses 'the untouched program made no socket call' true
	refuses 'the untouched program never listened' --client true \
		--timeout 300ms sleep 60
	refuses 'the untouched program did not end within 0.3 s: *' \
		--timeout 300ms "$EXAMPLES/echo/server"
	refuses '--client: it fails with the untouched program' --client false \
		"$EXAMPLES/echo/server"
	refuses 'the server ended before it listened' --server true --timeout 300ms true
	run -127 "$SW" audit /no/such/program
	# nothing of it is left
	[ -z "$(ls -A "$TMPDIR")" ]
}

# ---- cost ----------------------------------------------------------------------

@test "a client of a hundred calls is audited" {
	seq 45 >"$BATS_TEST_TMPDIR/lines"
	run "$SW" audit -j 2 --keep "$BATS_TEST_TMPDIR/kept" \
		--input "$BATS_TEST_TMPDIR/lines" \
		--server "$EXAMPLES/peer/peer echo" -- \
		"$EXAMPLES/echo/client_good" '$PORT'
	[ "$status" -eq 0 ]
	[ "$("$SW" show "$BATS_TEST_TMPDIR/kept/untouched.1/trace" |
		grep -cE ' (poll|send|recv|connect|socket|read|write)\(')" -ge 90 ]
}
