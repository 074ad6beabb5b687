#!/bin/sh
# SPDX-License-Identifier: MIT
# settle.sh [PORT] <TEXT: what differs from run to run gets a fixed form,
# so that two runs can be compared.  Times become zeros, processes 1001, 1002,
# ... and ports 40001, 40002, ... in the order in which they appear, the given
# port PORT.  A time-out of poll, which may be the rest of one, goes up to the
# next tenth of a second.  Lines that are alike are shown twice, and counted;
# not where a line with a form feed says that the text before it was cut off
# somewhere.
exec awk -v port="$1" -v root="$PWD/" '
# A word for each number, in the order of their coming.
function name(kind, number,    key) {
	key = kind number
	if (!(key in names))
		names[key] = ++count[kind] + (kind == "pid" ? 1000 : 40000)
	return names[key]
}

# All that match, each replaced by what stands for it.
function replace(text, what,    out, hit) {
	out = ""
	while (match(text, what)) {
		hit = substr(text, RSTART, RLENGTH)
		out = out substr(text, 1, RSTART - 1)
		text = substr(text, RSTART + RLENGTH)
		if (hit ~ /:/) {
			match(hit, /:[0-9]+$/)
			out = out substr(hit, 1, RSTART) \
				port_name(substr(hit, RSTART + 1))
		} else if (hit ~ /^pid /) {
			out = out "pid " name("pid", substr(hit, 5))
		} else {
			out = out hit
		}
	}
	return out text
}

function port_name(number) {
	return number == port ? "PORT" : number + 0 < 1024 ? number : \
		name("port", number)
}

function settled(line,    at, head, number, rest) {
	while ((at = index(line, root)))
		line = substr(line, 1, at - 1) substr(line, at + length(root))
	if (port && line == port)
		return "PORT"
	if (match(line, /^(.*  )?[0-9]+ [0-9]+\.[0-9]+ [a-z_]+[0-9]?\(/)) {
		match(line, /[0-9]+ [0-9]+\.[0-9]+ /)
		head = substr(line, 1, RSTART - 1)
		rest = substr(line, RSTART)
		split(rest, number, " ")
		sub(/^[0-9]+ [0-9.]+/, "", rest)
		line = head name("pid", number[1]) " 0.000000" rest
	}
	line = replace(line, "(([0-9]+\\.)+[0-9]+|\\[[0-9a-f:]*\\]):[0-9]+")
	line = replace(line, "pid [0-9]+")
	if (match(line, /poll\(.*\], [0-9]+\)/)) {
		rest = substr(line, RSTART + RLENGTH)
		line = substr(line, 1, RSTART + RLENGTH - 2)
		match(line, /[0-9]+$/)
		line = substr(line, 1, RSTART - 1) \
			100 * int((substr(line, RSTART) + 99) / 100) ")" rest
	}
	if (port)
		gsub("\"" port "\"", "\"PORT\"", line)
	# a row of the summary
	if (line ~ /^ *[0-9]+  (tcp|udp|unix)/ &&
	    match(line, / [ 0-9][ 0-9][ 0-9][0-9]\.[0-9][0-9][0-9][0-9][0-9][0-9]/))
		line = substr(line, 1, RSTART) "   0.000000" \
			substr(line, RSTART + RLENGTH)
	if (match(line, /<[0-9]+\.[0-9]+>( \[[^]]*\])?$/)) {
		rest = substr(line, RSTART)
		sub(/<[0-9.]+>/, "<0.000000>", rest)
		line = substr(line, 1, RSTART - 1) rest
	}
	return line
}

# How a line is compared: each turn has ports, data and numbers of its own.
function masked(line) {
	gsub(/:4[0-9][0-9][0-9][0-9]/, ":*", line)
	gsub(/"[^"]*"/, "\"\"", line)
	gsub(/, [0-9]+/, ", #", line)
	if (line !~ /^1[0-9][0-9][0-9] 0\.000000 /)
		gsub(/[0-9]+/, "#", line)
	return line
}

# Whether the p lines from `at` on are those before them once more.  In a text
# that was cut off a part of them will do, or a call that has only begun.
function again(at, p,    i) {
	for (i = at; i < at + p; i++) {
		if (cut && i == n && masks[i] ~ /unfinished/)
			return 1
		if (i > n)
			return cut && i > at
		if (masks[i] != masks[i - p])
			return 0
	}
	return 1
}

# How many turns of p lines are there behind the one at `at`?
function turns(at, p,    k) {
	for (k = 1; at + k * p <= n && again(at + k * p, p); k++)
		;
	return k - 1
}

# The turn that begins there is shown twice; where the text goes on.
function shorten(at, p, more,    i) {
	for (i = at; i < at + 2 * p; i++)
		print lines[i]
	more--
	if (!cut || at + (more + 2) * p <= n)
		print "... " more (p == 1 ? " more like it" : \
				   " times more lines like these " p)
	else
		print "... and so on, again and again"
	return at + (more + 2) * p
}

# Prints the lines that have been gathered.
function flush(    at, p, more) {
	for (at = 1; at <= n; ) {
		for (p = 1; p <= 8; p++)
			if ((more = turns(at, p)) >= 5)
				break
		if (p <= 8)
			at = shorten(at, p, more)
		else
			print lines[at++]
	}
	n = cut = 0
}

$0 == "\f" {
	cut = 1
	flush()
	next
}

{
	lines[++n] = settled($0)
	masks[n] = masked(lines[n])
}

END {
	flush()
}'
