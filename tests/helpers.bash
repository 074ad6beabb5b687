# SPDX-License-Identifier: MIT
# What the bats files share: load helpers (from tests/).
# shellcheck disable=SC2034 # used by those who load it

ROOT=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
BUILD=$ROOT/build
LIB=$BUILD/libsockwrench.so
SW=$BUILD/sockwrench
PROGS=$BUILD/progs
LOG=$BATS_TEST_TMPDIR/log
TRACE=$BATS_TEST_TMPDIR/trace
PIDS=()

# Debian's interpreter, whatever else is first in PATH.
PYTHON=/usr/bin/python3

# logged PROG ARGS...: run it with the plain object, the log in $LOG.
logged() {
	SOCKWRENCH_LOG=$LOG LD_PRELOAD=$LIB "$@"
}

# logged_all: the same with processes and signals.
logged_all() {
	SOCKWRENCH_CALLS=all SOCKWRENCH_LOG=$LOG LD_PRELOAD=$LIB "$@"
}

# traced PROG ARGS...: run it with a binary trace in $TRACE.
traced() {
	SOCKWRENCH_TRACE=$TRACE LD_PRELOAD=$LIB "$@"
}

# in_log REGEX [N]: the log has such a line, or exactly N of them.
in_log() {
	local n
	n=$(grep -cE -- "$1" "$LOG" || true)
	if [ "$n" -ne "${2:-$n}" ] || { [ $# -eq 1 ] && [ "$n" -eq 0 ]; }; then
		echo "expected ${2:-at least 1} of: $1, found $n in:" >&2
		tail -n 60 "$LOG" >&2
		return 1
	fi
}

# background PROG ARGS...: started, and ended by the teardown.
background() {
	"$@" 3>&- &
	PIDS+=($!)
}

# A server's port comes through a fifo: no sleeping, no polling.
# port_of FIFO: the first line a server writes into it, within 10 s.
port_of() {
	local port
	read -r -t 10 port <"$1"
	echo "$port"
}

# wait_for_port PORT: until something listens there (10 s), asking the kernel.
wait_for_port() {
	local hex i
	hex=$(printf '%04X' "$1")
	for ((i = 0; i < 1000; i++)); do
		grep -qE ":$hex [0-9A-F]+:0000 0A" /proc/net/tcp /proc/net/tcp6 && return 0
		read -r -t 0.01 <> <(:) || true
	done
	echo "nothing listens on port $1" >&2
	return 1
}

# free_port: a port nobody listens on at the moment.
free_port() {
	"$PYTHON" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

stop_background() {
	local pid
	for pid in "${PIDS[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	for pid in "${PIDS[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	PIDS=()
}

teardown() {
	stop_background
}
