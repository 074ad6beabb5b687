#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# checks.sh [BUILD]: docs/checks.md, to standard output: what a socket says of a
# connect that did not wait, once where the kernel brings it about and once
# where we do.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
checks=$build/examples/checks/checks

kernel=$(timeout 60 "$checks" real)
ours=$(timeout 60 "$build/sockwrench" run -o /dev/null \
	-r examples/checks/checks.rules -- "$checks" plain)

cat <<'END'
# What has become of a connect that did not wait?

Made by `docs/checks.sh`, compared by `tests/checks.bats`. A non-blocking
connect says EINPROGRESS. There are several ways to ask later how it went, and
books and articles differ on what each answers. This is Linux: a small program
(`examples/checks/checks.c`) asks in each way, each time a socket of its own.
The *kernel* makes the first line of each pair: a full accept queue, a
listener, one that has sent something, a port without one, SYN after SYN
dropped. *sockwrench* makes the second, of nothing but listeners, by
`examples/checks/checks.rules`. They are the same.

END
# Two blanks and more part the columns. Lines come in pairs.
paste -d '\n' <(printf '%s\n' "$kernel") <(printf '%s\n' "$ours") | awk -F '  +' '
{
	row = "| " (NR % 2 ? $1 : "") " | "
	row = row (NR == 1 ? "made by" : NR % 2 ? "kernel" : "sockwrench")
	for (i = 2; i <= 6; i++)
		row = row " | " $i
	if (NR != 2)
		print row " |"
	else
		print "|---|---|---|---|---|---|---|"
}'
cat <<'END'

`-`: nothing is ready. A name of an error: the call failed, or SO_ERROR was
that. *twice*: the second answer. *SO_ERROR, connect*: connect, after SO_ERROR
has been asked. *with data*: the server has spoken first.

What follows:

- **Writable says that connect is over, not how.** A refusal is readable and
  writable; so is a connection on which the server has spoken first. select
  cannot tell them from each other, poll can: by ERR and HUP.
- **SO_ERROR is the answer, once.** Asked before the socket is writable it is 0,
  which is no success; asked twice it is 0, too, since the first question has
  taken the error away. So: wait, ask once, keep what it says.
- **getpeername says whether, not why.** ENOTCONN may mean that nothing is
  decided yet, or that it failed.
- **A read of 0 bytes says nothing.** Where it is recommended, it was tried on
  another system. A read of 1 byte says it all, and takes a byte.
- **A second connect is a question, a third is a call.** On a connection Linux
  says 0 first and EISCONN after that. On a failure it says the error, and the
  third starts anew: EINPROGRESS. After SO_ERROR has taken the error the second
  says ECONNABORTED, which is about nothing at all.
END
