#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# wall.sh: compares the module with the page allocator and mempool. Sends bursts of atomic requests
# while memory is full of clean page cache, in a small guest. Prints a table and a verdict. Table,
# JSON and KTAP are kept in build/wall.
#   WALL_MEMORY  memory of the guest in MiB
#   WALL_BURST   number of pages in a burst, and in a reserve
#   WALL_ROUNDS  number of bursts of each contestant
#   WALL_FRAGMENTATION  0 leaves out the second part, which is about fragmentation
#   WALL_TRAFFIC  number of rounds of network traffic, see traffic.sh; 0 leaves it out
#   WALL_SEEDS   number of seeds of the third part, which is about reserves that size themselves
# Status: 0 all requirements are met, 1 one is not met or the run failed, 2 wrong usage, 3 the run
# is invalid, and proves nothing.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# bounded NAME LEAST MOST: the variable NAME must be a whole number within these bounds.
bounded() {
	local value=${!1}
	[[ $value =~ ^(0|[1-9][0-9]{0,6})$ ]] && ((value >= $2 && value <= $3)) && return
	printf 'labyrinth: error: %s is %s\nlabyrinth: fix: give a whole number from %s to %s\n' \
		"$1" "'$value'" "$2" "$3" >&2
	exit 2
}
WALL_MEMORY=${WALL_MEMORY:-384}
WALL_BURST=${WALL_BURST:-2048}
WALL_ROUNDS=${WALL_ROUNDS:-10}
WALL_FRAGMENTATION=${WALL_FRAGMENTATION:-1}
WALL_TRAFFIC=${WALL_TRAFFIC:-2}
WALL_SEEDS=${WALL_SEEDS:-10}
bounded WALL_MEMORY 256 4096
bounded WALL_BURST 64 32768
bounded WALL_ROUNDS 1 1000
bounded WALL_FRAGMENTATION 0 1
bounded WALL_TRAFFIC 0 100
bounded WALL_SEEDS 0 1000
# Three reserves, one burst and four times as much page cache must fit into half of the memory.
((WALL_BURST <= 16 * WALL_MEMORY)) || {
	printf 'labyrinth: %s\n' >&2 \
		"error: WALL_BURST=$WALL_BURST is too much for WALL_MEMORY=$WALL_MEMORY" \
		"fix: give at most $((16 * WALL_MEMORY)) pages, or more memory"
	exit 2
}

kernel=${KDIR:+kdir}
kernel=${kernel:-stock}
folder=$TOP/build/wall
lock "wall-$(cksum <<<"$TOP" | tr ' ' -)"
[[ $kernel == kdir ]] || "$SCRIPTS/environment/setup.sh" stock
module=$("$SCRIPTS/build/build.sh" "$kernel" | tail -n 1)

rm -rf "$folder"
mkdir -p "$folder"
# The guest runs copies, so that edits in the checkout do not affect the run.
cp "$module" "${module%/*}/labyrinth_lab.ko" "$TOP"/tests/wall/*.py "$folder/"
# A sparse file takes no space on the host, and fills the page cache of the guest all the same.
truncate -s "$((2 * WALL_MEMORY))M" "$folder/cache"
trap 'rm -f "$folder/cache"' EXIT

# With one CPU, nothing else runs during a burst, so the speed of this machine does not matter.
# Without huge pages, the kernel keeps as little memory free as the machines in the field reports.
rc=0
"$SCRIPTS/machine/vm.sh" --kernel "$kernel" --cpus 1 --memory "${WALL_MEMORY}M" \
	--boot-timeout 900 --timeout "$((1800 + 60 * (WALL_ROUNDS + WALL_SEEDS)))" --append transparent_hugepage=never \
	--log "$folder/console.log" -- \
	"$SCRIPTS/runs/wall-guest.sh" "$folder" "$WALL_BURST" "$WALL_ROUNDS" "$WALL_FRAGMENTATION" \
	"$WALL_SEEDS" || rc=$?

[[ -s $folder/results.ktap ]] ||
	die "the run ended without a result (status $rc of vm.sh)" "see $folder/console.out and console.log"
cat "$folder/table.txt"
echo
cat "$folder/results.ktap"
echo
((rc <= 1)) || die "the kernel reported a bug, or the run took too long (status $rc of vm.sh)" \
	"see $folder/console.log"
status=$(<"$folder/console.rc")
# 3 is what traffic.sh and this script return for an invalid run.
((status != 2)) || status=3
if ((WALL_TRAFFIC)); then
	export WALL_MEMORY WALL_BURST WALL_TRAFFIC
	rc=0
	"$SCRIPTS/runs/traffic.sh" "$folder/traffic" || rc=$?
	# A requirement that is not met is worse than an invalid run.
	if ((rc && status != 1)); then status=$rc; fi
fi
case $status in
0) note "all requirements are met; table, JSON and KTAP are in $folder" ;;
3) note "the run is invalid, and proves nothing"; exit 3 ;;
*) note "a requirement is not met; all results are in $folder"; exit 1 ;;
esac
