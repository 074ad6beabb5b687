#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# make bench: all that is measured, about three minutes of it. soak.sh is not
# part of it, it takes longer.
set -euo pipefail
cd "$(dirname "$0")"
./cost.sh
./gates.sh
./audit.sh
