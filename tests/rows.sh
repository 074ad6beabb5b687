#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# rows.sh LIB SHARED OWN PROGRAM WHAT: run PROGRAM (tests/progs/rows.c, in the
# folder SHARED with the table of calls) once for each case, without LIB and
# with it, judge the log by what the program says, and print every complaint.
# For calls.bats.  OWN is a folder to work in.
set -uo pipefail

lib=$1 table=$2/table dir=$3 program=$2/$4 what=$5
log=$dir/log
complaints=0 marks=0 between=()

# watched ARGS...: the program with us in it.
watched() {
	SOCKWRENCH_CALLS=all SOCKWRENCH_LOG=$log LD_PRELOAD=$lib \
		"$program" "$@" </dev/null >"$dir/said" 2>"$dir/said.err"
}

# read_log: the lines between the two marks of a case, and how many marks.
read_log() {
	local line on=

	marks=0 between=()
	while IFS= read -r line; do
		if [[ $line == *' setsockopt(-9, '* ]]; then
			[ "$on" ] && on='' || on=1
			marks=$((marks + 1))
		elif [ "$on" ]; then
			between+=("$line")
		fi
	done <"$log"
}

# wrong NAME TEXT: one more complaint, with what the log has of the case.
wrong() {
	echo "$1: $2"
	echo "    said:   $(<"$dir/said")"
	printf '    logged: %s\n' "${between[@]}"
	complaints=$((complaints + 1))
}

# shown FD KINDS LINE: the line shows the descriptor, and what it is where
# the row has a kind for that.
shown() {
	local fd=$1 kinds=" $2 " line=$3

	[ "$fd" != - ] || return 0
	case $kinds in
	*" SOCK "* | *" FD "* | *" STREAM "* | *" AIO "* | *" EITHER "*)
		[[ $line =~ [\(\ ]$fd\<(tcp|udp|unix)[:\>] ]] ;;
	*)
		[[ $line =~ [^0-9.-]${fd}[^0-9.] ]] ;;
	esac
}

# ended RESULT-CLASS R E LINE: the line ends with the result and the errno.
ended() {
	local class=$1 result=$2 errno=$3 line=$4 regex

	case $class in
	NOTHING | NORETURN) regex='\?' ;;
	NEWFD) regex="$result(<[a-z][^ ]*>)?" ;;
	ERRNUM) [ "$result" = 0 ] && regex=0 || regex="$result \\([A-Z].*\\)" ;;
	*) regex=$result ;;
	esac
	[ "$errno" = 0 ] || regex+=" $errno \\([A-Z].*\\)"
	[[ $line =~ \)\ =\ $regex\ \<[0-9.]+\>$ ]]
}

# judge NAME BASE CLASS KINDS: the log has what the program said, once.
judge() {
	local name=$1 base=$2 class=$3 kinds=$4 line own=() said fd result errno
	local form='fd=([^ ]+) result=([^ ]+) errno=([^ ]+) left='

	read_log
	said=$(<"$dir/said")
	if ! [[ $said =~ $form ]]; then
		wrong "$name" "said nothing"
		return
	fi
	fd=${BASH_REMATCH[1]} result=${BASH_REMATCH[2]}
	errno=${BASH_REMATCH[3]}
	for line in "${between[@]}"; do
		[[ $line =~ ^[0-9]+\ [0-9.]+\ $base\( ]] && own+=("${line#* }")
	done
	if [ "$marks" -ne 2 ] || [ ${#own[@]} -ne 1 ]; then
		wrong "$name" "$marks marks, ${#own[@]} lines of $base"
		return
	fi
	shown "$fd" "$kinds" "${own[0]}" || wrong "$name" "fd $fd is not shown"
	ended "$class" "$result" "$errno" "${own[0]}" ||
		wrong "$name" "the log has another result"
}

# alike FILE: what the program said, without what differs between two runs.
alike() {
	local said

	said=$(<"$1")
	while [[ $said =~ 0x[0-9a-f]+ ]]; do
		said=${said/"${BASH_REMATCH[0]}"/ADDRESS}
	done
	if [[ $said =~ result=([1-9][0-9]*)' '.*status= ]]; then
		said=${said/"result=${BASH_REMATCH[1]}"/result=PID}
	fi
	echo "$said"
}

# case_of NAME BASE CLASS KINDS [ARGUMENT]: run it without us and with us: the
# log is right, and the program cannot tell the difference.
case_of() {
	local name=$1 base=$2 class=$3 kinds=$4 alone with

	shift 4
	: >"$log"
	"$program" "$name" "$@" </dev/null >"$dir/alone" 2>"$dir/alone.err"
	alone=$?
	watched "$name" "$@"
	with=$?
	name+=${1:+ $1}
	judge "$name" "$base" "$class" "$kinds"
	[ "$alone" -eq "$with" ] ||
		wrong "$name" "status $with, without us $alone"
	[ "$(<"$dir/alone.err")" = "$(<"$dir/said.err")" ] ||
		wrong "$name" "another stderr: $(<"$dir/said.err")"
	[ "$(alike "$dir/alone")" = "$(alike "$dir/said")" ] ||
		wrong "$name" "without us: $(<"$dir/alone")"
}

# row NAME: its line in the table, but the name.
row() {
	local line

	line=$(grep "^$1 " "$table")
	echo "${line#* }"
}

# rows: every row; a system call by number is logged as the call it makes.
rows() {
	local name base class kinds n=0

	while read -r name base class kinds; do
		[ "$name" != syscall ] ||
			read -r base class kinds < <(row sendto)
		case_of "$name" "$base" "$class" "$kinds"
		n=$((n + 1))
	done < <(cat "$table")
	echo "$n rows"
	[ "$n" -gt 150 ] || complaints=$((complaints + 1))
}

# numbers: the same by syscall(2); -7 is no socket, so no kind shows it as one.
numbers() {
	local name base class

	while read -r name; do
		read -r base class _ < <(row "$name")
		case_of syscall "$base" "$class" INT "$name"
	done < <("$program" --numbers)
}

# execs: those that succeed; the program goes on as itself.
execs() {
	local name line

	line=" execve(\"$program\", [\"$program\", \"--after\"]) = 0 <"
	while read -r name; do
		: >"$log"
		watched "$name" "$program"
		read_log
		[ "$(<"$dir/said")" = after ] ||
			wrong "$name" "was not executed"
		[ "$(cut -d' ' -f1 "$log" | sort -u | wc -l)" -eq 1 ] ||
			wrong "$name" "more than one process"
		[[ ${#between[@]} -eq 1 && ${between[0]} == *"$line"* ]] ||
			wrong "$name" "not the one line of the new program"
	done < <(cut -d' ' -f1 "$table" | grep -E '^f?exec')
}

case $what in
rows | numbers | execs) "$what" ;;
*) exit 2 ;;
esac
echo "$complaints complaints"
[ "$complaints" -eq 0 ]
