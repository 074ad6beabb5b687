#!/bin/sh
# SPDX-License-Identifier: MIT
# Every name in rules/calls.def, one a line, in the order of the table.
printf '%s\n' '#define CALL(f, r, t, name, ...) @name' \
	'#define BYHAND(f, r, t, name, ...) @name' \
	'#define ALSO(t, name, ...) @name' \
	'#define HANDALSO(t, name, ...) @name' \
	"#include \"$(dirname "$0")/../rules/calls.def\"" |
	gcc -E -P -x c - | tr -s ' \n' '\n' | sed -n 's/^@//p'
