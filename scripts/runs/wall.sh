#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# wall.sh: bursts of atomic requests against memory full of clean page cache, in a small virtual
# machine. Prints a table and a verdict; table, JSON and KTAP stay in build/wall.
#   WALL_MEMORY  the machine's memory in MiB
#   WALL_BURST   the pages in a burst, and in a reserve
#   WALL_ROUNDS  bursts of each contestant
#   WALL_FRAGMENTATION  0 leaves out the second part, which is about fragmentation
# Status: 0 all requirements met, 1 one was missed or something broke, 2 wrong usage, 3 the run
# proves nothing.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# bounded NAME LEAST MOST: the variable NAME has to be a whole number within these bounds.
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
bounded WALL_MEMORY 256 4096
bounded WALL_BURST 64 32768
bounded WALL_ROUNDS 1 1000
bounded WALL_FRAGMENTATION 0 1
# Three reserves, one burst and four times as much page cache have to fit into half of the memory.
((WALL_BURST <= 16 * WALL_MEMORY)) || {
	printf 'labyrinth: error: WALL_BURST=%s is too much for WALL_MEMORY=%s\nlabyrinth: fix: give at most %s pages, or more memory\n' \
		"$WALL_BURST" "$WALL_MEMORY" "$((16 * WALL_MEMORY))" >&2
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
# What the guest runs, so that work in the checkout does not get into the run.
cp "$module" "${module%/*}/labyrinth_lab.ko" "$TOP"/tests/wall/*.py "$folder/"
# All hole: it takes no space, and the guest's page cache cannot tell.
truncate -s "$((2 * WALL_MEMORY))M" "$folder/cache"
trap 'rm -f "$folder/cache"' EXIT

# One CPU: in a burst nobody else runs, so it does not matter how fast the machine is. Without huge
# pages the kernel keeps the little memory free that the machines of the field reports keep.
rc=0
"$SCRIPTS/machine/vm.sh" --kernel "$kernel" --cpus 1 --memory "${WALL_MEMORY}M" \
	--boot-timeout 900 --timeout "$((1800 + 60 * WALL_ROUNDS))" --append transparent_hugepage=never \
	--log "$folder/console.log" -- \
	"$SCRIPTS/runs/wall-guest.sh" "$folder" "$WALL_BURST" "$WALL_ROUNDS" "$WALL_FRAGMENTATION" || rc=$?

[[ -s $folder/results.ktap ]] ||
	die "the run ended without a result (status $rc of vm.sh)" "look at $folder/console.out and console.log"
cat "$folder/table.txt"
echo
cat "$folder/results.ktap"
echo
((rc <= 1)) || die "the kernel reported a bug, or the run took too long (status $rc of vm.sh)" "look at $folder/console.log"
case $(<"$folder/console.rc") in
0) note "all requirements met; table, JSON and KTAP are in $folder" ;;
2) note "the run is invalid: it proves nothing"; exit 3 ;;
*) note "a requirement was missed; all results are in $folder"; exit 1 ;;
esac
