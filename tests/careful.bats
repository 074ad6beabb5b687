#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Correct programs stay correct: careful clients and servers in every style
# (tests/progs/careful.c) print the same under every fault they must survive,
# and say so under those that end a connection.

load helpers
bats_require_minimum_version 1.5.0

STYLES=(blocking timeouts nonblocking-connect threads poll select epoll-level
	epoll-edge epoll-edge-short epoll-oneshot epoll-exclusive)
LOOPS=(poll select epoll-level epoll-edge epoll-edge-short epoll-oneshot
	epoll-exclusive)
SEEDS=(1 7 1000003)

# A hang is a failure of the test, not of the patience of who waits for it.
careful() {
	timeout 20 "$PROGS/careful" "$@"
}

# what_is_wanted BYTES: $wanted, what every style prints for that many; none
# of it is by chance.
what_is_wanted() {
	[ "${wanted_bytes:-}" = "$1" ] || wanted=$(careful blocking "$1")
	wanted_bytes=$1
}

# faulted RUN-OPTIONS -- CAREFUL-OPTIONS: the log is in $LOG.
faulted() {
	local run=()
	while [ "$1" != -- ]; do
		run+=("$1")
		shift
	done
	shift
	timeout 20 "$SW" run -o "$LOG" "${run[@]}" -- "$PROGS/careful" "$@"
}

# complain TEXT...: so that one test shows all that is wrong, up to a point.
complaints=0
complain() {
	complaints=$((complaints + 1))
	[ "$complaints" -gt 8 ] || printf '%s\n' "$@"
}

nothing_wrong() {
	[ "$complaints" -eq 0 ]
}

# same BYTES RUN-OPTIONS -- CAREFUL-OPTIONS STYLE: it prints what it prints
# untouched.
same() {
	local bytes=$1 out status=0
	shift
	what_is_wanted "$bytes"
	out=$(faulted "$@" "$bytes" 2>&1) || status=$?
	if [ "$status" -ne 0 ] || [ "$out" != "$wanted" ]; then
		complain "status $status: $* $bytes" "$(diff -U0 \
			<(echo "$wanted") <(echo "$out") | grep '^+[^+]' |
			head -n 5)" "$(tail -n 3 "$LOG" 2>&1)"
	fi
}

# count_fired: adds to counts[N], how often rule N of the command line did.
count_fired() {
	local n rule
	while read -r n rule; do
		counts[rule]=$((${counts[rule]:-0} + n))
	done < <(sed -n 's/.*\[-e:\([0-9]*\)\]$/\1/p' "$LOG" | sort | uniq -c)
}

is_loop() {
	[[ " ${LOOPS[*]} " == *" $1 "* ]]
}

# rows: family errno protocols condition mechanism after, from the table.
rows() {
	"$SW" list errors | awk -F '  +' '{
		gsub(/ +/, "|", $3); print $1, $2, $3, $4, $5, $6 }'
}

# survivable: the rows after which a careful program goes on.
survivable() {
	rows | grep -E ' (answer|start|take) transient$' |
		grep -E '^((send|recv|accept|poll) |connect (EINTR|ENOBUFS|EADDRNOTAVAIL|EAGAIN|ENOMEM) )'
}

# carries DOMAIN PROTOCOLS: the row is of TCP, or of AF_UNIX streams.
carries() {
	[[ "|$2|" = *"|any|"* || "|$2|" = *"|$1|"* ]]
}

# often FAMILY ERRNO MECHANISM: as often as eleven connections can bear.
often() {
	case $1.$2.$3 in
	poll.E[MN]FILE.*) echo limit=2 ;;
	poll.ENOSPC.*) echo prob=20% limit=20 ;;
	poll.*|send.*|recv.*) echo prob=5% limit=20 ;;
	*.take) echo prob=50% limit=1 ;;
	*) echo prob=50% limit=3 ;;
	esac
}

# must_fire STYLE FAMILY ERRNO CONDITION: the style makes such calls.
must_fire() {
	case $2.$3.$1 in
	*.timeouts) false ;;
	poll.E[MN]FILE.epoll-*|poll.ENOSPC.epoll-*) true ;;
	poll.E[MN]FILE.*|poll.ENOSPC.*) false ;;
	poll.*) is_loop "$1" ;;
	*) case $4 in
		blocking) [ "$1" = blocking ] || [ "$1" = threads ] ;;
		nonblocking) is_loop "$1" && [ "$2" != connect ] ;;
		always) true ;;
		esac ;;
	esac
}

# together STYLE DOMAIN FAMILY MECHANISM: all such rows of the table at once,
# under each seed; each has fired under one of them.
together() {
	local style=$1 domain=$2 options=() rules=() rows=() counts=() seed i
	local family errno protocols condition mechanism
	while read -r family errno protocols condition mechanism _; do
		[ "$family.$mechanism" = "$3.$4" ] || continue
		carries "$domain" "$protocols" || continue
		rows+=("$family $errno $condition")
		rules+=(-e "$family error=$errno $(often "$family" \
			"$errno" "$mechanism")")
	done <<<"$table"
	[ ${#rows[@]} -gt 0 ] || return 0
	tried=$((tried + ${#rows[@]}))
	[ "$domain" = tcp ] || options+=(-u)
	# A client whose connection is lost in the queue has to come again.
	[ "$4" != take ] || options+=(-a)
	for seed in "${SEEDS[@]}"; do
		same 8192 --seed "$seed" "${rules[@]}" -- "${options[@]}" \
			"$style"
		count_fired
	done
	for i in "${!rows[@]}"; do
		# shellcheck disable=SC2086 # three words
		if [ -z "${counts[i + 1]:-}" ] &&
			must_fire "$style" ${rows[i]}; then
			complain "never fired: ${rows[i]}, $style, $domain"
		fi
	done
}

# all_rows STYLE: every fault of the table that it must survive.
all_rows() {
	local kind domain tried=0 table
	table=$(survivable)
	for kind in 'send answer' 'recv answer' 'accept answer' 'accept take' \
		'poll answer' 'connect answer' 'connect start'; do
		for domain in tcp unix; do
			# shellcheck disable=SC2086 # two words
			together "$1" "$domain" $kind
		done
	done
	[ "$tried" -gt 45 ]
	nothing_wrong
}

# pieces STYLE: short counts, interruptions, both, and what presets have.
pieces() {
	local domain options seed
	for domain in '' -u; do
		options=(${domain:+"$domain"} "$1")
		for seed in "${SEEDS[@]}"; do
			same 5000 --must-fire --seed "$seed" \
				-e 'recv,send short=1..16' -- "${options[@]}"
			same 16384 --seed "$seed" \
				-e 'recv,send prob=10% error=EINTR' \
				-e 'poll prob=10% error=EINTR' \
				-e 'recv,send prob=50% short=50%' -- \
				"${options[@]}"
			same 16384 --seed "$seed" -r short-io -- "${options[@]}"
			same 16384 --seed "$seed" -r eintr -- "${options[@]}"
		done
	done
	nothing_wrong
}

# ---- without any fault, and real ones ----------------------------------------

@test "every style is right by itself, and under real short counts and signals" {
	local style options
	what_is_wanted 65536
	for style in "${STYLES[@]}"; do
		for options in '' -u -tb4096 -utb4096; do
			diff <(echo "$wanted") <(careful ${options:+"$options"} \
				"$style" 65536 2>&1)
		done
	done
}

@test "every style is right with the object and no rule" {
	local style options
	what_is_wanted 65536
	for style in "${STYLES[@]}"; do
		for options in '' -u -tb4096; do
			diff <(echo "$wanted") <(SOCKWRENCH_LOG=none \
				LD_PRELOAD=$LIB careful ${options:+"$options"} \
				"$style" 65536 2>&1)
		done
	done
}

@test "the loops survive a real want of descriptors" {
	local style
	for style in "${LOOPS[@]}"; do
		diff <(careful "$style" 20000 1 12) \
			<(ulimit -n 32; careful "$style" 20000 1 12 2>&1)
	done
}

@test "who leaves out one care is found out" {
	local status
	short() { faulted --must-fire -e 'recv,send short=1..16' -- "$@"; }
	run -1 short -x short-write poll 20000
	run -1 short -x short-read blocking 20000
	run -1 short -x short-write epoll-edge 20000
	run -3 faulted -e 'recv when=5 error=EINTR' -- -x eintr threads 20000
	run -3 faulted -e 'poll when=5 error=EINTR' -- -x eintr select 20000
	run -3 faulted -e 'connect when=1 error=EINTR' -- \
		-x eintr blocking 20000
	[[ $output == *'connect: '* ]]
}

# ---- pieces and interruptions ------------------------------------------------

@test "blocking: pieces" { pieces blocking; }
@test "timeouts: pieces" { pieces timeouts; }
@test "nonblocking-connect: pieces" { pieces nonblocking-connect; }
@test "threads: pieces" { pieces threads; }
@test "poll: pieces" { pieces poll; }
@test "select: pieces" { pieces select; }
@test "epoll-level: pieces" { pieces epoll-level; }
@test "epoll-edge: pieces" { pieces epoll-edge; }
@test "epoll-edge-short: pieces" { pieces epoll-edge-short; }
@test "epoll-oneshot: pieces" { pieces epoll-oneshot; }
@test "epoll-exclusive: pieces" { pieces epoll-exclusive; }

# A buffer that is full for the kernel, while a call was cut or refused for
# want of room that was there: the edge has to come all the same.
@test "the loops with small buffers: pieces" {
	local style seed options
	for style in "${LOOPS[@]}"; do
		for options in -b4096 -ub4096 -tb4096; do
			for seed in "${SEEDS[@]}"; do
				same 9000 --must-fire --seed "$seed" \
					-e 'send prob=20% error=EAGAIN' \
					-e 'recv prob=20% error=EAGAIN' \
					-e 'recv,send prob=50% short=1..200' \
					-- "$options" "$style"
			done
		done
	done
	nothing_wrong
}

# ---- every fault that goes by -------------------------------------------------

@test "blocking: every fault that goes by" { all_rows blocking; }
@test "timeouts: every fault that goes by" { all_rows timeouts; }
@test "nonblocking-connect: every fault that goes by" {
	all_rows nonblocking-connect
}
@test "threads: every fault that goes by" { all_rows threads; }
@test "poll: every fault that goes by" { all_rows poll; }
@test "select: every fault that goes by" { all_rows select; }
@test "epoll-level: every fault that goes by" { all_rows epoll-level; }
@test "epoll-edge: every fault that goes by" { all_rows epoll-edge; }
@test "epoll-edge-short: every fault that goes by" {
	all_rows epoll-edge-short
}
@test "epoll-oneshot: every fault that goes by" { all_rows epoll-oneshot; }
@test "epoll-exclusive: every fault that goes by" { all_rows epoll-exclusive; }

@test "who is refused, or lost in the queue, comes again" {
	local style seed
	for style in "${STYLES[@]}"; do
		for seed in "${SEEDS[@]}"; do
			same 8192 --must-fire --seed "$seed" \
				-e 'accept prob=50% limit=5 reset' \
				-e 'connect when=2..4 error=ECONNREFUSED' \
				-- -a "$style"
		done
	done
	nothing_wrong
}

# ---- faults that end a connection ----------------------------------------------

# says_so RULE STYLE REGEX: one line, and status 3.  The buffers are small:
# the end comes while there is more.
says_so() {
	local status=0 out
	out=$(faulted --must-fire -e "$1" -- -b4096 "$2" 65536 2>&1 \
		>/dev/null) || status=$?
	if [ "$status" -ne 3 ] || [[ ! $out =~ ^careful:\ $3$ ]]; then
		complain "status $status: $1, $2: $out" "$(tail -n 3 "$LOG")"
	fi
}

@test "a connection that ends is told in one line, by every style" {
	local style fault
	for style in "${STYLES[@]}"; do
		for fault in 'send role=client when=2 error=EPIPE' \
			'send role=server when=2 error=ECONNRESET' \
			'recv role=client when=2 error=ECONNRESET' \
			'recv role=server when=2 reset' \
			'recv role=client when=2 eof' \
			'send role=client when=2 error=ETIMEDOUT'; do
			says_so "$fault" "$style" 'client [0-9]+: [a-z]+: .*'
		done
	done
	nothing_wrong
}

# ---- what strace and libfiu make of correct programs ---------------------------

@test "a connect that fails: it says how, and nobody is there" {
	local style errno text
	for style in "${STYLES[@]}"; do
		while read -r errno text; do
			says_so "connect when=2 error=$errno" "$style" \
				"client [0-9]+: connect: $text"
		done <<-END
			ECONNREFUSED Connection refused
			ETIMEDOUT Connection timed out
			EHOSTUNREACH No route to host
			ECONNRESET Connection reset by peer
			ENETUNREACH Network is unreachable
			EACCES Permission denied
		END
	done
	nothing_wrong
}

@test "a connect that takes its time: SO_ERROR is 0 only when it has come" {
	local style
	for style in "${STYLES[@]}"; do
		same 8192 --must-fire -e 'connect inprogress=20ms' -- "$style"
		same 8192 --must-fire -e 'connect when=2..5 inprogress=30ms' \
			-e 'recv,send short=1..100' -- "$style"
		says_so 'connect when=2 inprogress=20ms then=ETIMEDOUT' \
			"$style" 'client [0-9]+: connect: Connection timed out'
	done
	nothing_wrong
}

@test "one EAGAIN does not starve who waits for edges" {
	local rule
	for rule in 'recv nonblocking when=1 error=EAGAIN' \
		'recv nonblocking when=1..3 error=EAGAIN' \
		'recv nonblocking when=2 error=EAGAIN' \
		'send nonblocking when=1 error=EAGAIN' \
		'send nonblocking when=1..2 error=EAGAIN' \
		'recv,send nonblocking when=1+2 error=EAGAIN' \
		'recv,send nonblocking short=1'; do
		diff <(careful starve) <(faulted --must-fire -e "$rule" -- \
			starve)
		diff <(careful -u starve) <(faulted -e "$rule" -- -u starve)
	done
}

@test "nor does a short count" {
	local options
	for options in '' -u; do
		diff <(careful ${options:+"$options"} starve short) \
			<(faulted --must-fire \
			-e 'recv,send nonblocking short=1..3' -- \
			${options:+"$options"} starve short)
	done
}

@test "after a reset every call says what it says after a real one" {
	local calls rule
	for calls in rrwpnes rwrpn rprwp rnrw re rsw; do
		for rule in 'recv role=client when=1 error=ECONNRESET' \
			'recv role=client when=1 reset'; do
			diff <(careful aftermath ":$calls") <(faulted \
				--must-fire -e "$rule" -- aftermath "$calls")
		done
	done
	for calls in wrwp wwrpn wprn wnr wer; do
		for rule in 'send role=client when=1 error=ECONNRESET' \
			'send role=client when=1 reset'; do
			diff <(careful aftermath ":$calls") <(faulted \
				--must-fire -e "$rule" -- aftermath "$calls")
		done
	done
}

@test "after a reset the other end has met a real one" {
	local rule
	for rule in 'recv role=client when=1 error=ECONNRESET' \
		'recv role=client when=1 reset'; do
		faulted --must-fire -e "$rule" -- aftermath rRRWw >"$LOG.out"
		diff <(printf '%s\n' 'r ECONNRESET' 'R ECONNRESET' 'R 0' \
			'W EPIPE' 'w EPIPE') \
			<(sed '1d; /^rand /,$d' "$LOG.out")
	done
}

# ---- what takes time ---------------------------------------------------------------

@test "what is late or slow is the same in the end" {
	local style
	for style in "${STYLES[@]}"; do
		same 8192 --must-fire -e 'recv latency=1ms..3ms' -- "$style"
		same 8192 --must-fire -e 'recv,send per=conn when=2 stall=5ms' \
			-- "$style"
		same 8192 --must-fire -e 'send rate=4MiB/s' -- "$style"
	done
	nothing_wrong
}

# ---- one seed, one run -----------------------------------------------------------

decisions() {
	faulted --seed "$1" -e 'recv prob=20% error=EINTR' \
		-e 'send prob=10% error=EINTR' -- ${3:+"$3"} decisions "$2" 8 200
}

@test "a seed decides the same with 1, 2 and 8 threads, and under load" {
	local one options threads seed
	background "$BASH" -c 'while :; do :; done'
	background "$BASH" -c 'while :; do :; done'
	for options in '' -u; do
		one=$(decisions 7 1 "$options")
		[[ $one == *.E*.E* ]]
		for threads in 1 2 8; do
			diff <(echo "$one") <(decisions 7 "$threads" "$options")
		done
		stop_background
		for threads in 1 2 8; do
			diff <(echo "$one") <(decisions 7 "$threads" "$options")
		done
		for seed in 8 70; do
			[ "$one" != "$(decisions "$seed" 1 "$options")" ]
		done
	done
}

@test "no connection decides as another does" {
	local strings
	strings=$(decisions 7 2 | grep -E '^[0-9]+ (recv|send) ')
	[ "$(wc -l <<<"$strings")" -eq 16 ]
	[ "$(awk '{ print $3 }' <<<"$strings" | sort -u | wc -l)" -eq 16 ]
}

@test "prob=20% is a fifth of the calls" {
	local n
	n=$(decisions 7 1 | grep recv | tr -cd E | wc -c)
	# of 1600: five standard deviations
	[ "$n" -ge 240 ]
	[ "$n" -le 400 ]
}
