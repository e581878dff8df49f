#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# demo-guest.sh MODULE TOOL FOLDER: the part of the demo that runs in the guest. The tool writes its
# measurements into FOLDER.
set -euo pipefail
tool=$2 folder=$3
debugfs=/sys/kernel/debug/labyrinth
seconds=10

# measure NAME [OPTION]…: lets the tool run all exercises again, and write FOLDER/NAME.json.
measure() {
	local name=$1
	shift
	"$tool" run --duration 4s --json "$@" >"$folder/$name.json" 2>"$folder/$name.log" && return
	echo "demo: the tool failed:"
	cat "$folder/$name.log"
	exit 1
}

printf 'Linux %s, %s CPUs\n\n' "$(uname -r)" "$(nproc)"
insmod "$1"
for run in "$debugfs"/exercise/*/run; do echo 1 >"$run"; done
sleep "$seconds"
for run in "$debugfs"/exercise/*/run; do echo 0 >"$run"; done
printf 'stats after %s seconds of atomic allocations:\n\n' "$seconds"
cat "$debugfs/stats"
printf '\nthe first lines of latency:\n\n'
head -n 24 "$debugfs/latency"
served=$(awk '$1 ~ /^labyrinth_page_alloc_total.*success/ { sum += $2 } END { print sum + 0 }' \
	"$debugfs/metrics")
measure allocator
measure pool --pool
in_flight=$(awk '$1 == "labyrinth_pages_in_flight" { print $2 }' "$debugfs/metrics")
rmmod labyrinth
printf '\n'
((served > 0)) || { echo "demo: no page was allocated"; exit 1; }
[[ $in_flight == 0 ]] || { echo "demo: $in_flight pages were not freed"; exit 1; }
echo "demo: $served pages were allocated in atomic and process context, and all were freed."
echo "demo: the module is unloaded."
