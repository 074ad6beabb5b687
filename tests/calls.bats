#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every row of rules/calls.def: exported, exercised by a case of
# tests/progs/rows.c, and recorded as it happened, in programs compiled plainly
# and in fortified ones; and no program can tell that it is being watched.

load helpers

# rows: what calls.def has, NAME BASE [RESULT KINDS...].
rows() {
	gcc -E -P -I"$ROOT" -x c - <<-'MACROS' | tr '(),' '   '
	#define CALL(family, result, type, name, params, args, kinds, doc) \
		name name result kinds
	#define BYHAND(family, result, type, name, params, kinds, doc) \
		name name result kinds
	#define ALSO(type, name, params, base, args) name base
	#define HANDALSO(type, name, params, base) name base
	#include "rules/calls.def"
	MACROS
}

# table: the same, and other names have the result and kinds of their base.
table() {
	rows | awk '{
		name[NR] = $1
		base[NR] = $2
		if (NF > 2) {
			sub(/^ *[^ ]+ +[^ ]+ +/, "")
			rest[base[NR]] = $0
		}
	}
	END {
		for (i = 1; i <= NR; i++)
			print name[i], base[i], rest[base[i]]
	}'
}

setup_file() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	local cc=(gcc -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror)

	table >"$BATS_FILE_TMPDIR/table"
	"${cc[@]}" -O1 -o "$BATS_FILE_TMPDIR/plain" \
		"$BATS_TEST_DIRNAME/progs/rows.c" -pthread
	"${cc[@]}" -O2 -D_FORTIFY_SOURCE=2 -D_FILE_OFFSET_BITS=64 \
		-o "$BATS_FILE_TMPDIR/fortified" \
		"$BATS_TEST_DIRNAME/progs/rows.c" -pthread
}

names() {
	cut -d' ' -f1 "$BATS_FILE_TMPDIR/table" | sort
}

# judged PROGRAM WHAT: by a shell of its own, as bats watches every command.
judged() {
	bash "$BATS_TEST_DIRNAME/rows.sh" "$LIB" "$BATS_FILE_TMPDIR" \
		"$BATS_TEST_TMPDIR" "$1" "$2"
}

@test "calls: the object exports the functions of the table and nothing else" {
	diff <(names) <(nm -D --defined-only "$LIB" | awk '{ print $3 }' | sort)
}

@test "calls: the test program has a case for every function, and no other" {
	diff <(names) <("$BATS_FILE_TMPDIR/plain" --list | sort)
	diff <(names) <("$BATS_FILE_TMPDIR/fortified" --list | sort)
}

@test "calls: every row is recorded as it happened" {
	judged plain rows
}

@test "calls: every row, in a fortified program with 64-bit offsets" {
	judged fortified rows
}

@test "calls: a fortified program does call the fortified functions" {
	# the cases name each of them once; their callers are more than that
	local name
	for name in __recv_chk __recvfrom_chk __read_chk __pread64_chk \
		__poll_chk __ppoll_chk __fread_chk __fgets_chk __fprintf_chk \
		__vfprintf_chk __printf_chk __dprintf_chk __vdprintf_chk; do
		[ "$(objdump -d --no-show-raw-insn "$BATS_FILE_TMPDIR/fortified" |
			grep -c "call .*<$name@plt>")" -gt 1 ] ||
			{ echo "$name"; false; }
	done
	nm -u "$BATS_FILE_TMPDIR/fortified" | grep -q ' fcntl64@'
}

@test "calls: a system call by number is recorded as the call it makes" {
	judged plain numbers
}

@test "calls: an exec that succeeds is told by the new program, once" {
	judged plain execs
}

@test "calls: a program that does nothing is told only to who asks for it" {
	logged_all /bin/true
	in_log ' execve\("[^"]*true", \["/bin/true"\]\) = 0 ' 1
	in_log . 1
	rm "$LOG"
	logged /bin/true
	[ ! -s "$LOG" ]
}

@test "calls: the program is told once, by the process that executed it" {
	logged "$BATS_FILE_TMPDIR/plain" _Exit
	in_log ' execve\(' 1
	# the child is the first to be recorded, and did not execute it
	[ "$(head -1 "$LOG" | cut -d' ' -f1)" != "$(sed -n 2p "$LOG" |
		cut -d' ' -f1)" ]
	[[ $(head -1 "$LOG") == *' execve('* ]]
}
