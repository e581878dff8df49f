#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# build.sh stock|debug|kdir [planted]: builds the module for a kernel, or a copy with planted faults
# for the test of the tests. LABYRINTH_BENCH=1 adds the benchmark. The last line on stdout is the
# path of labyrinth.ko.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

id=${1:?build.sh needs a kernel: stock, debug or kdir}
planted=${2-}
case $planted in
'' | planted) ;;
*) die "build.sh: unknown argument '$planted'" "build.sh stock|debug|kdir [planted]" ;;
esac

case ${LABYRINTH_BENCH-} in
'') bench='' ;;
1) bench=bench ;;
*) die "LABYRINTH_BENCH is '$LABYRINTH_BENCH'" "set it to 1 for a module with the benchmark, or unset it" ;;
esac

assignments=$("$SCRIPTS/kernel.sh" "$id")
eval "$assignments"
out=$TOP/build/$K_KEY${planted:+-planted}${bench:+-bench}
source=$TOP
mkdir -p "$out"
log=$out/build.log

# The faults are no part of the source, so that nobody has to read around them.
plant_faults() {
	source=$out/source
	rm -rf "$source"
	mkdir -p "$source/scripts"
	cp -a "$TOP"/{Kbuild,labyrinth_mod.rs,rust,include} "$source/"
	cp -a "$SCRIPTS/Makefile.bindgen" "$source/scripts/"
	cp "$TOP/tests/planted/plant.rs" "$source/rust/source/"
	cp "$TOP/tests/planted/fault.rs" "$source/rust/debugfs/"
	"$SCRIPTS/sandbox.sh" patch --batch --directory "$source" --strip 1 <"$TOP/tests/planted/faults.patch"
}

build() {
	[[ -z $planted ]] || plant_faults
	"$SCRIPTS/sandbox.sh" --kernel "$id" make -C "$K_BUILD" "${K_MAKE_ARGS[@]}" M="$source" MO="$out" \
		${bench:+LABYRINTH_BENCH=1} -j"$JOBS" modules
}

AGAIN="make quick WHAT=build"
[[ $id != debug ]] || AGAIN+=" KERNEL=debug"
lock "build-$(cksum <<<"$out" | tr ' ' -)"
step "building labyrinth.ko for $K_RELEASE${planted:+ with planted faults}${bench:+ with the benchmark}" "$log" build
# modpost and rustc may warn without failing; nobody should have to look for it.
grep -E '^(warning|WARNING)|: warning:' "$log" >&2 || true
printf '%s\n' "$out/labyrinth.ko"
