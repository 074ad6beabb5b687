#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# An injected fault and the kernel's own are the same to whoever looks: what
# `make fidelity` compares, a slice for each case.

load helpers

# same REGEX: all runs of these situations.
same() {
	FIDELITY=$PROGS/fidelity SOCKWRENCH=$SW "$ROOT/tests/fidelity.sh" "$1"
}

@test "socket, bind, listen" {
	same '^(socket|bind|listen):'
}

@test "connect: TCP, a failure that ends the attempt" {
	same '^connect:(ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENOPROTOOPT|ECONNRESET):tcp'
}

@test "connect: TCP and UDP, a failure that does not" {
	same '^connect:E(NETUNREACH|ADDRNOTAVAIL|NOBUFS|PERM|ACCES|INTR):(tcp|udp)'
}

@test "connect: AF_UNIX" {
	same '^connect:.*:(stream|dgram|seqpacket)'
}

@test "accept: what leaves the connection in the queue, what takes it" {
	same '^accept:E'
}

@test "accept: a connection that is already reset" {
	same '^accept:reset'
}

@test "recv: a TCP reset" {
	same '^recv:(ECONNRESET|reset):tcp'
}

@test "recv: another end of a TCP connection" {
	same '^recv:(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNABORTED):tcp'
}

@test "recv: the end of an AF_UNIX connection" {
	same '^recv:(ECONNRESET|reset):(stream|seqpacket)'
}

@test "recv: the end of the stream, and an end at a byte of it" {
	same '^recv:(eof|at=)'
}

@test "recv: a signal" {
	same '^recv:EINTR:'
}

@test "recv: nothing there yet, less there than asked for" {
	same '^recv:(EAGAIN|short)'
}

@test "recv: what an earlier datagram met, no memory" {
	same '^recv:(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOPROTOOPT):udp|^recv:ENOMEM'
}

@test "send: a connection that is reset" {
	same '^send:(ECONNRESET|reset|at=.*):tcp'
}

@test "send: EPIPE, and SIGPIPE to the thread that wrote" {
	same '^send:(EPIPE|eof):'
}

@test "send: another end of a TCP connection" {
	same '^send:(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNABORTED):tcp'
}

@test "send: a signal, no room, less room than asked for" {
	same '^send:(EINTR|EAGAIN|short)'
}

@test "send: datagrams" {
	same '^send:E[A-Z]*:(udp|dgram|seqpacket)	.*(P!W[.]PEW|~)'
}

@test "send: no memory" {
	same '^send:(ENOBUFS|ENOMEM):'
}

@test "connect: an attempt that takes its time" {
	same '^connect:(inprogress=300ms|stall=[^:]*):tcp'
}

@test "connect: an attempt that fails after a time" {
	same '^connect:inprogress=300ms[+]then='
}

@test "accept: a client that is late, and one that another has taken" {
	same '^accept:(latency|stall)='
}

@test "recv: data, the end or a reset that is late" {
	same '^recv:latency='
}

@test "recv: a peer that stops for a time" {
	same '^recv:stall='
}

@test "send: no room for a time" {
	same '^send:(latency|stall)='
}

@test "recv and send: a slow peer" {
	same '^(recv|send):rate='
}

@test "shutdown, close, options" {
	same '^(shutdown|close|sockopt):'
}

@test "waiting" {
	same '^poll:'
}

@test "names" {
	same '^resolve:'
}

@test "the cases above leave out no run" {
	local pattern chosen
	chosen=$(grep -oE "same '[^']+'" "$BATS_TEST_FILENAME" |
		grep '\^' | cut -d"'" -f2 | paste -sd'|')
	pattern=$("$PROGS/fidelity" list | grep -vE -- "$chosen" || true)
	[ -z "$pattern" ] || { echo "$pattern"; false; }
}

@test "every row of rules/errors.def has a run" {
	[ -z "$("$PROGS/fidelity" missing)" ]
	[ "$("$PROGS/fidelity" list | wc -l)" -gt 1000 ]
}

@test "docs/fidelity.md has the rows of the table" {
	local runs rows
	# situation, rule and number of runs
	runs=$("$PROGS/fidelity" list | awk -F'\t' '
		!($1 in n) {
			order[++k] = $1
			rule[$1] = $6 == "seen" ? "" : "`" $5 "`"
		}
		{ n[$1]++ }
		END {
			for (i = 1; i <= k; i++)
				printf "%s | %s | %d\n", order[i],
					rule[order[i]], n[order[i]]
		}')
	rows=$(sed -n 's/^| \([a-z]*:[^ ]*\) | [^|]* | \([^|]*\) | \([0-9]*\) |.*/\1 | \2 | \3/p' \
		"$ROOT/docs/fidelity.md")
	diff <(echo "$runs") <(echo "$rows")
}
