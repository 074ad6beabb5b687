#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What each descriptor is, through everything that makes, copies, moves and
# closes it.  tests/progs/fds.c prints the lines the log must have, with the
# kernel's own word for every address, and the log has those and no others.

load helpers

setup_file() {
	gcc -O1 -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror \
		-o "$BATS_FILE_TMPDIR/fds" "$BATS_TEST_DIRNAME/progs/fds.c"
}

# between: the log between marks, without process, time and duration.  What
# program is running is said before its first line, wherever that is.
between() {
	awk '/ setsockopt\(-9, /{ on = !on; next } on' "$LOG" |
		sed -E -e '/ execve\(/d' -e 's/^[0-9]+ [0-9.]+ //' \
			-e 's/ <[0-9.]+>$//'
}

# same CASE: the log is what the program expects.
same() {
	local dir=$BATS_TEST_TMPDIR

	logged "$BATS_FILE_TMPDIR/fds" "$1" >"$dir/expected"
	between >"$dir/seen"
	diff -u "$dir/expected" "$dir/seen"
	# and the program behaves the same when nobody looks
	"$BATS_FILE_TMPDIR/fds" "$1" >"$dir/alone"
	[ "$(wc -l <"$dir/alone")" -eq "$(wc -l <"$dir/expected")" ]
}

@test "fds: a TCP connection, stage by stage" {
	same tcp
}

@test "fds: IPv6, stage by stage" {
	same tcp6
	# a machine without ::1 has the refusal in its log, and only that one
	if grep -qs '^0*1 .* lo$' /proc/net/if_inet6; then
		[ "$(wc -l <"$BATS_TEST_TMPDIR/seen")" -eq 10 ]
	else
		tail -1 "$BATS_TEST_TMPDIR/seen" |
			grep -E ' = -1 (EAFNOSUPPORT|EADDRNOTAVAIL) '
	fi
}

@test "fds: a refused connect has the address it was for" {
	same refused
}

@test "fds: dup, dup2, dup3, F_DUPFD and F_DUPFD_CLOEXEC share a socket" {
	same copies
}

@test "fds: dup2 of a socket over another" {
	same moved
}

@test "fds: dup2 of a file over a socket" {
	same file_over_socket
}

@test "fds: dup2 of a socket over a file" {
	same socket_over_file
}

@test "fds: files alone leave no line" {
	same files
	[ ! -s "$BATS_TEST_TMPDIR/seen" ]
}

@test "fds: a second close of a socket, and a third" {
	same twice
}

@test "fds: a socket's number used again by a file, a socket, a file" {
	same reused
}

@test "fds: fclose" {
	same stdio
}

@test "fds: freopen" {
	same stdio_again
}

@test "fds: close_range" {
	same range
}

@test "fds: closefrom" {
	same from
}

@test "fds: a child goes on with its parent's socket" {
	same forked
}

@test "fds: an executed program has sockets as 0 and 5, and a file as 6" {
	same executed
}

@test "fds: an executed program has a listener" {
	same activated
}

@test "fds: SCM_RIGHTS" {
	same received
}

@test "fds: pidfd_getfd" {
	same fetched
}

@test "fds: AF_UNIX with a path" {
	same unix_path
}

@test "fds: AF_UNIX with an abstract name" {
	same unix_abstract
}

@test "fds: socketpair, by who made it and by who inherited it" {
	same unix_pair
}

@test "fds: an address there was too little room for" {
	same truncated
}

@test "fds: epoll sets of sockets, of sets, and of pipes" {
	same sets
}

@test "fds: UDP, unconnected, connected and unconnected again" {
	same udp
}

# records TRACE: "conn ORDINAL PROTO ROLE LISTENER LOCAL PEER" for each state
# of a socket and "call FD ORDINAL" for each call about one, as they are in
# the file (trace/record.h, trace/file.h).
records() {
	"$PYTHON" - "$1" <<-'END'
	import struct, sys
	data = open(sys.argv[1], "rb").read()
	protos = "unknown tcp udp unix".split()
	roles = "none client server listener pair".split()
	def addr(b):
	    if len(b) >= 8 and b[0] == 2:
	        return "%d.%d.%d.%d:%d" % (*b[4:8], b[2] << 8 | b[3])
	    return "-"
	at = 24576	# behind the head
	while at < len(data):
	    magic, units = struct.unpack_from("<II", data, at)
	    if magic != 0x4e55526b:
	        at += 4096
	        continue
	    end = at + units * 4096
	    at += 64
	    while at < end and data[at]:
	        state, slots = data[at], data[at + 1]
	        if state == 2:
	            fd, conn = struct.unpack_from("<iI", data, at + 40)
	            if conn:
	                print("call", fd, conn)
	        elif state == 4:
	            proto, role, conn = struct.unpack_from("<BBI", data, at + 2)
	            listener, n, m = struct.unpack_from("<IBB", data, at + 16)
	            a = data[at + 22:at + 22 + n + m]
	            print("conn", conn, protos[proto], roles[role], listener,
	                  addr(a[:n]), addr(a[n:]))
	        at += 64 * slots
	    at = end
	END
}

@test "fds: role, ordinal and listener of every socket in the trace" {
	traced "$BATS_FILE_TMPDIR/fds" roles
	records "$TRACE" >"$BATS_TEST_TMPDIR/records"
	cat "$BATS_TEST_TMPDIR/records"
	# the last state of each
	awk '$1 == "conn" { $1 = ""; last[$2] = $0 }
		END { for (i in last) print last[i] }' \
		"$BATS_TEST_TMPDIR/records" | sort -n |
		sed 's/^ //; s/127.0.0.1:[0-9]*/A/g' >"$BATS_TEST_TMPDIR/last"
	diff -u - "$BATS_TEST_TMPDIR/last" <<-END
	1 tcp listener 0 A -
	2 tcp client 0 A A
	3 tcp server 1 A A
	4 unix pair 0 - -
	5 unix pair 0 - -
	6 udp none 0 - -
	7 tcp none 0 - -
	END
	# copies are the same socket, also when the first number is closed
	diff -u - <(grep -E '^call 4[0-4] ' "$BATS_TEST_TMPDIR/records") <<-END
	call 40 2
	call 41 2
	call 42 2
	call 43 2
	call 44 2
	END
}
