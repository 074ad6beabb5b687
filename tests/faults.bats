#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What faults must never do, and what they do that no other program here
# shows. tests/progs/faults.c prints a line for each thing that can be seen;
# with -r the kernel itself makes the event.

load helpers

# injected RULES ARGS...: under these rules, one a line, each of which fires.
injected() {
	local rule rules how=()
	mapfile -t rules <<<"$1"
	for rule in "${rules[@]}"; do
		how+=(-e "$rule")
	done
	"$SW" run ${FIRES---must-fire} "${how[@]}" -o "$LOG" -- \
		"$PROGS/faults" "${@:2}" >ours
}

# as_kernel RULES ARGS...: it sees of them what it sees of the kernel.
as_kernel() {
	"$PROGS/faults" -r "${@:2}" >kernel
	injected "$@"
	diff kernel ours
}

# untouched RULES ARGS...: it sees nothing of them.
untouched() {
	"$PROGS/faults" "${@:2}" >without
	injected "$@"
	diff without ours
}

# harmless RULES ARGS...: the same, of rules that need not fire.
harmless() {
	FIRES='' untouched "$@"
}

# well RULES ARGS...: all that it tries goes well.
well() {
	injected "$@"
	[ -s ours ]
	! grep -vE ' ok$|^ok$' ours
}

# says TEXT RULES ARGS...: one line.
says() {
	injected "${@:2}"
	diff <(echo "$1") ours
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# ---- what is no socket, or another one ----------------------------------

@test "a number closed behind our back: what has it now is not hit" {
	local rule before
	for rule in reset eof error=EINTR error=ENOMEM 'when=1 error=ETIMEDOUT' \
		'when=2 eof' 'at=1 reset' short=1; do
		for before in '' r rwr; do
			harmless "recv peer=127.0.0.2:* $rule" stale "$before"
		done
	done
	for rule in reset error=EPIPE error=ENOBUFS 'at=3 reset'; do
		harmless "send peer=127.0.0.2:* $rule" stale rw
	done
}

@test "a number closed behind our back: nor after stdio has read from it" {
	harmless 'recv peer=127.0.0.2:* reset' stale f
	harmless 'recv peer=127.0.0.2:* when=2 eof' stale fr
}

@test "its socket was hit before it lost its number" {
	untouched 'recv peer=127.0.0.2:* error=ENOMEM' stale r
}

@test "descriptors that are files, closed, or none: the kernel's own errors" {
	local rules
	rules=$(printf '%s\n' 'recv error=ENOMEM' 'send error=ENOBUFS' \
		'accept error=EMFILE' 'connect error=EPERM' \
		'bind error=EADDRINUSE' 'listen error=EADDRINUSE' \
		'shutdown error=ENOTCONN' 'sockopt error=EINVAL' \
		'close error=EIO')
	harmless "$rules" nosock
}

# ---- EPIPE --------------------------------------------------------------

@test "EPIPE through every call, whatever becomes of SIGPIPE" {
	local kind
	for kind in tcp unix seqpacket; do
		as_kernel 'send fd=100 error=EPIPE' epipe "$kind" 3
	done
}

@test "EPIPE at the first write: the others are the kernel's" {
	as_kernel 'send fd=100 when=1 error=EPIPE' epipe tcp 3
	as_kernel 'send fd=100 when=1 error=EPIPE' epipe unix 3
}

# ---- less than was asked for --------------------------------------------

@test "short counts: every byte arrives, once and in order" {
	local kind
	for kind in tcp unix tcp6; do
		well 'recv,send fd=100 short=1' shorts "$kind" 1
		well 'recv,send fd=100 short=1..60' shorts "$kind" 60
		well 'recv,send fd=100 short=50%' shorts "$kind" 5000
	done
}

@test "short counts, by interruptions: none is lost" {
	well 'recv,send fd=100 prob=30% short=1..90' shorts tcp 5000
}

@test "short counts in a thread with the smallest stack" {
	well 'recv,send fd=100 short=1..7' little tcp 7
	well 'recv,send fd=100 short=1..7' little unix 7
}

@test "short counts of up to 1,024 parts, in memory that is read-only" {
	local kind
	for kind in tcp unix; do
		injected 'recv,send fd=100 short=1..99' parts "$kind" 99
		[ "$(grep -c ' ok .* ok$' ours)" -eq 28 ]
	done
}

@test "short counts: a descriptor goes along once, and none is left open" {
	untouched 'recv,send fd=100 short=1..7' messages
}

@test "never cut: PEEK, WAITALL and messages" {
	local kind
	for kind in tcp unix seqpacket dgram udp; do
		harmless 'recv,send fd=100 short=1..7' whole "$kind"
	done
}

@test "bad arguments are refused as the kernel refuses them" {
	local kind
	for kind in tcp unix seqpacket dgram udp; do
		harmless 'recv,send fd=100 short=1..7' bad "$kind"
	done
}

@test "bad arguments on a connection that was reset: no crash, no byte lost" {
	local kind
	for kind in tcp unix seqpacket; do
		as_kernel 'recv fd=100 when=1 reset' bad "$kind" end
	done
}

# ---- at a byte ----------------------------------------------------------

@test "at=N reset: N bytes are sent, by every call" {
	local at
	for at in 0 1 1000 150000; do
		injected "send fd=100 at=$at reset" out tcp $at
		[ "$(grep -cE "^[a-z0-9]+ [a-z]+ $at E(CONNRESET|PIPE)" ours)" -eq 18 ]
		[ "$(grep -cE " peer $at ECONNRESET same$" ours)" -eq 18 ]
	done
}

@test "at=N: N bytes are received by every call, then the end" {
	local kind at
	for kind in tcp unix; do
		for at in 0 1 7 1500; do
			as_kernel "recv fd=100 at=$at reset" in $kind $at
			as_kernel "recv fd=100 at=$at eof" in $kind $at eof
		done
	done
}

@test "at= of a rule that has had its turns: an edge tells of the rest" {
	FIRES='' injected 'recv fd=100 at=5 when=9 reset' unread tcp eRe
	[ "$(grep -c '=5:01234 .*edge=IN,OUT,$' ours)" -eq "$(wc -l <ours)" ]
}

@test "at= is a place in each stream, of a new one on the same socket, too" {
	says '10 10 again=0 10' 'send at=10 reset' two
}

@test "what MSG_PEEK has shown is there" {
	local kind rule
	for kind in tcp unix; do
		for rule in 'recv short=1' 'recv when=2 error=EINTR' \
			'recv short=50%'; do
			harmless "$rule" unread $kind pR
			harmless "$rule" unread $kind prR
		done
	done
}

# ---- what had arrived ---------------------------------------------------

# in_turn KIND RULE END LETTERS...: the calls in that order.
in_turn() {
	local letters
	for letters in "${@:4}"; do
		as_kernel "$2" unread "$1" "$letters" $3
	done
}

@test "a TCP reset: what had arrived is read first, by all who have the socket" {
	in_turn tcp 'recv fd=100 when=1 reset' '' rrrr rpRrR rcrcrc rqrqRqR \
		rbRbRb rnRnR roRR ruRuR rwRwR rsRsR rkrkrk rKRK rzRzR rtRR \
		raRR rjRRo reReRe rQRQ xrxRx
}

@test "an AF_UNIX reset: what had arrived is read first" {
	in_turn unix 'recv fd=100 when=1 reset' '' rrrr rpRrR rcrcrc rqrqRqR \
		rbRbRb rnRnR roRR ruRuR rwRwR rsRsR rkrkrk rKRRoK rzR
}

@test "an AF_UNIX reset: calls that ask for nothing, for all, for half an errno" {
	in_turn unix 'recv fd=100 when=1 reset' '' rzzRzzR raRR rjRRo
}

@test "an AF_UNIX reset: a socket that is in two epoll sets" {
	in_turn unix 'recv fd=100 when=1 reset' '' reReRe
}

@test "a SEQPACKET reset: the message comes first" {
	in_turn seqpacket 'recv fd=100 when=1 reset' '' rR rRR roR rwR rbR rkR
}

@test "the end of the stream: what had arrived comes first" {
	local kind
	for kind in tcp unix; do
		in_turn $kind 'recv fd=100 when=1 eof' eof rrrr rpRrR rcrcRc \
			rqRqR rbRbR roRR rwRw rkrkRk reReRe
	done
}

@test "the end of the stream, and ours: the connection is closed" {
	in_turn tcp 'recv fd=100 when=1 eof' eof rsfsR rsfnR rsfbR
}

# ---- threads that are in their calls already ----------------------------

@test "a thread blocked in a call wakes with the reset, or with what follows" {
	local act
	for act in r w; do
		as_kernel 'recv,send nonblocking fd=100 when=1 reset' \
			blocked tcp $act ECONNRESET
	done
	as_kernel 'shutdown fd=100 when=1 reset' blocked tcp s ECONNRESET
}

@test "a thread blocked in a call: the error is the rule's" {
	"$PROGS/faults" -r blocked tcp w ECONNRESET >kernel
	injected 'recv,send nonblocking fd=100 when=1 error=ETIMEDOUT' \
		blocked tcp w ETIMEDOUT
	diff kernel <(sed 's/ETIMEDOUT/ECONNRESET/' ours)
}

@test "a thread that is cancelled in a call leaves everything fit" {
	untouched 'recv,send fd=100 short=50%' cancel
}

@test "a handler that sends, in the middle of a call" {
	local kind
	for kind in tcp unix; do
		says '0 bad, 0 mishandled, 0 lost' \
			'recv,send short=1..99' handler $kind 99
	done
}

@test "a handler that jumps out of a call" {
	says '60 jumps, ok' 'recv,send fd=100 short=1..7' jump tcp 7
}

@test "many threads and connections: nothing comes that was not sent" {
	says '0 wrong' "$(printf '%s\n' 'send prob=2% error=EPIPE' \
		'recv prob=2% reset' 'recv,send prob=50% short=1..20' \
		'recv prob=5% error=EINTR')" threads
}

# ---- which calls --------------------------------------------------------

@test "when=, per=, limit=: what they count, in threads and in a child" {
	says ' first:..E... second:...... thread:...... thread:...... first:...... child:..E... child2:...... second:...... third:......' \
		'send when=3 error=ENOMEM' counts
	says ' first:..E... second:..E... thread:...... thread:...... first:...... child:..E... child2:..E... second:...... third:..E...' \
		'send when=3 per=conn error=ENOMEM' counts
	says ' first:..E... second:...... thread:..E... thread:..E... first:...... child:..E... child2:...... second:...... third:......' \
		'send when=3 per=thread error=ENOMEM' counts
	says ' first:EE.... second:EE.... thread:...... thread:...... first:...... child:EE.... child2:EE.... second:...... third:EE....' \
		'send limit=2 per=conn error=ENOMEM' counts
	says ' first:.E.E.E second:.E.E.E thread:.E.E.E thread:.E.E.E first:.E.E.E child:.E.E.E child2:.E.E.E second:.E.E.E third:.E.E.E' \
		'send when=2+2 error=ENOMEM' counts
}

@test "prob=: the same on each connection, however many threads there are" {
	local rules=$'recv prob=20% error=ENOMEM\nrecv prob=30% short=1..9'
	injected "$rules" chances 1
	mv ours one
	grep -q E one
	injected "$rules" chances 8
	diff one ours
	[ "$(head -n 8 one | sort -u | wc -l)" -eq 8 ]
	diff <(tail -n 1 one) <("$PROGS/faults" chances 8 | tail -n 1)
}

# ---- delay=, signal= ----------------------------------------------------

@test "delay=: every call takes that long, whatever signals come" {
	injected '* delay=30ms' delay 30
	[ "$(grep -c ' in time$' ours)" -eq 15 ]
}

@test "signal=: for the thread that calls, before its call" {
	local how
	says ' send=3/1 recv=3:abc/1 send=3/2 0 strangers, late by 0' \
		'send signal=SIGUSR1' signal handled
	says ' send=3/0 recv=3:abc/0 send=3/0 pending 0 strangers, late by 0' \
		'send signal=SIGUSR1' signal blocked
	how=0
	injected 'send signal=SIGUSR1' signal default || how=$?
	[ $how -eq 138 ]
}

# ---- descriptors, listeners ---------------------------------------------

@test "number=: the next that is free from there, with its flags" {
	says ' listener=200:cloexec socket=202 socket=203:cloexec accept=204 accept4=205:cloexec:nonblock udp=206:nonblock again=202 sent=3' \
		'socket,accept number=200' numbers 200
}

@test "a listener can listen again" {
	harmless 'listen when=2 error=EADDRINUSE' listens
	says ' listen=EADDRINUSE again=0' 'listen when=1 error=EADDRINUSE' \
		listens
}

@test "accept that fails leaves the client in the queue" {
	as_kernel 'accept when=1..2 error=EMFILE' accepts
}

@test "accept that aborts takes it, and says nothing of it" {
	says ' accept=ECONNABORTED poll=IN, accept=ECONNABORTED poll=IN, accept=client 2 poll= accept=EAGAIN poll= accept=EAGAIN poll= accept=EAGAIN poll= client=0 client=0 client=EAGAIN' \
		'accept when=1..2 error=ECONNABORTED' accepts
}

@test "accept reset: as of a client that has gone" {
	local letters
	for letters in brrr 1bRRR oRn wwr sr nR er qRR br 1pRR; do
		as_kernel 'accept reset' accepted $letters
	done
}

@test "accept reset: half an errno takes it all" {
	as_kernel 'accept reset' accepted bjrr
}

@test "close that fails closes" {
	local kind
	for kind in tcp unix; do
		"$PROGS/faults" closes $kind >without
		injected 'close fd=100 error=EIO' closes $kind
		diff <(sed '1,2s/close=0/close=EIO/' without) ours
	done
}

# ---- connect ------------------------------------------------------------

@test "connect refused: nobody hears of it, and the socket is the kernel's" {
	local letters
	for letters in ccc cbo cngS Bcn Ncwoc NcwccS Ncwbg Ncwub cSg; do
		as_kernel 'connect fd=100 error=ECONNREFUSED' \
			connects tcp $letters
	done
	as_kernel 'connect fd=100 error=ECONNREFUSED' connects tcp6 cbn
}

@test "connect interrupted: the handshake goes on" {
	as_kernel 'connect when=1 error=EINTR' goes_on tcp
	as_kernel 'connect when=1 error=EINTR' goes_on tcp6
}

# ---- datagrams, pairs, addresses, names ---------------------------------

@test "datagrams refused and too long" {
	as_kernel 'send fd=100 when=2+2 error=ECONNREFUSED' refused
	as_kernel 'send fd=100 when=1 error=EMSGSIZE' too_long
}

@test "socketpair that fails, an address that is taken" {
	as_kernel 'socket when=1 error=EMFILE' pairs
	as_kernel 'bind when=2 error=EADDRINUSE' in_use
}

@test "names: a server's answer, and none" {
	as_kernel 'resolve error=EAI_NONAME' names 3
	as_kernel 'resolve error=EAI_AGAIN' names 2
	as_kernel 'resolve error=EAI_NODATA' names 0
	as_kernel 'resolve error=EAI_AGAIN' names -1
}

@test "names: a number is no name" {
	harmless 'resolve error=EAI_AGAIN' literals
	says ' getaddrinfo=-10 getaddrinfo=-10 getaddrinfo=-10 gethostbyname=NULL:-1 gethostbyname2=NULL:-1 gethostbyname_r=ENOMEM:NULL:-1 gethostbyname2_r=ENOMEM:NULL:-1 getnameinfo=-10' \
		'resolve error=EAI_MEMORY' literals
}

# ---- what a program has that is not a socket ----------------------------

@test "errno is kept by calls that go well" {
	untouched 'recv,send fd=100 short=1..2' kept
	harmless '* delay=1us' kept
}

@test "a sandbox is told of no call that the program does not make" {
	local rule
	for rule in error=EAGAIN error=ENOMEM 'at=3 reset' reset eof short=1 \
		signal=SIGURG delay=1us; do
		untouched "recv fd=100 $rule" sandbox tcp moves
	done
	for rule in error=EPIPE error=ECONNRESET short=1 signal=SIGURG; do
		untouched "send fd=100 $rule" sandbox tcp moves
	done
	untouched 'recv fd=100 when=1 reset' sandbox tcp over
	untouched 'recv fd=100 when=1 reset' sandbox unix over
}

@test "a sandbox: accept, connect and socket" {
	local rule
	for rule in reset error=EMFILE error=ECONNABORTED number=300; do
		untouched "accept $rule" sandbox tcp accept
	done
	for rule in error=ECONNREFUSED error=ENETUNREACH error=EINTR reset; do
		untouched "connect $rule" sandbox tcp connect
	done
	untouched 'socket error=EMFILE' sandbox tcp socket
	untouched 'socket number=300' sandbox tcp socket
}
