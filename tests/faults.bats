#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What faults must never do, and what they do that no other program here
# shows. tests/progs/faults.c prints a line for each thing that can be seen.

load helpers

# faulted RULES ARGS...: under these rules, one a line.
faulted() {
	SOCKWRENCH_RULE=$1 SOCKWRENCH_LOG=$LOG LD_PRELOAD=$LIB \
		"$PROGS/faults" "${@:2}"
}

# unlike RULES ARGS...: the lines about what is no socket differ from those
# without the object.
no_socket_differs() {
	! diff <("$PROGS/faults" "${@:2}" | grep -v '^[a-z0-9_]* socket ') \
		<(faulted "$@" | grep -v '^[a-z0-9_]* socket ') >&2
}

@test "a number closed behind our back: its file, pipe, eventfd, epoll is untouched" {
	local rule before
	for rule in 'recv reset' 'recv eof' 'recv error=EINTR' \
		'recv error=ENOMEM' 'recv when=1 error=ETIMEDOUT' \
		'recv when=2 eof' 'recv at=1 reset' \
		'send via=write,writev,pwritev2 error=ENOBUFS'; do
		for before in '' r; do
			! no_socket_differs "$rule" stale "$before"
		done
	done
}

@test "the rules have touched the sockets of that program" {
	faulted 'recv error=ENOMEM' stale r >/dev/null
	in_log '= -1 ENOMEM .* \[-e:1\]$'
}

@test "descriptors that are files, closed, or none: the kernel's own errors" {
	local rules
	rules=$(printf '%s\n' 'recv error=ENOMEM' 'send error=ENOBUFS' \
		'accept error=EMFILE' 'connect error=EPERM' \
		'bind error=EADDRINUSE' 'listen error=EADDRINUSE' \
		'shutdown error=ENOTCONN' 'sockopt error=EINVAL' \
		'close error=EIO')
	! no_socket_differs "$rules" nosock
}
