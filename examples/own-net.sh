#!/bin/sh
# SPDX-License-Identifier: MIT
# own-net.sh COMMAND...: runs it in a network of its own, in which there is
# loopback and nothing else. Who is not root needs user namespaces for that.
how=-rn
[ "$(id -u)" -ne 0 ] || how=-n
# shellcheck disable=SC2016 # of the inner shell
exec unshare "$how" sh -ec 'ip link set lo up; exec "$@"' sh "$@"
