#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# wall-guest.sh FOLDER BURST ROUNDS FRAGMENTATION SEEDS: the part of make wall that runs in the guest.
# Its status is that of guest.py.
set -euo pipefail
insmod "$1/labyrinth.ko"
insmod "$1/labyrinth_lab.ko"
rc=0
python3 "$1/guest.py" "$@" || rc=$?
rmmod labyrinth_lab
rmmod labyrinth
exit "$rc"
