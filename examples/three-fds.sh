# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# To be sourced: closes every descriptor but the first three, whatever it was
# started with, so that a program's own have the same numbers everywhere.
for fd in /proc/self/fd/*; do
	[ "${fd##*/}" -le 2 ] || eval "exec ${fd##*/}>&-"
done
unset fd
