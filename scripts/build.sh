#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# build.sh stock|debug|kdir: builds the module for a kernel. LABYRINTH_BENCH=1 adds the benchmark. The
# last line on stdout is the path of labyrinth.ko.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

id=${1:?build.sh needs a kernel: stock, debug or kdir}

case ${LABYRINTH_BENCH-} in
'') bench='' ;;
1) bench=bench ;;
*) die "LABYRINTH_BENCH is '$LABYRINTH_BENCH'" "set it to 1 for a module with the benchmark, or unset it" ;;
esac

assignments=$("$SCRIPTS/kernel.sh" "$id")
eval "$assignments"
out=$TOP/build/$K_KEY${bench:+-bench}
mkdir -p "$out"
log=$out/build.log

build() {
	"$SCRIPTS/sandbox.sh" --kernel "$id" make -C "$K_BUILD" "${K_MAKE_ARGS[@]}" M="$TOP" MO="$out" \
		${bench:+LABYRINTH_BENCH=1} -j"$JOBS" modules
}

AGAIN="make quick WHAT=build"
[[ $id != debug ]] || AGAIN+=" KERNEL=debug"
lock "build-$(cksum <<<"$out" | tr ' ' -)"
step "building labyrinth.ko for $K_RELEASE${bench:+ with the benchmark}" "$log" build
# modpost and rustc may warn without failing; nobody should have to look for it.
grep -E '^(warning|WARNING)|: warning:' "$log" >&2 || true
printf '%s\n' "$out/labyrinth.ko"
