#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# build.sh stock|debug|kdir [PLANT]: builds the module for a kernel, with a planted fault for
# tests of the tests. The last line on stdout is the path of labyrinth.ko.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

id=${1:?build.sh needs a kernel: stock, debug or kdir}
plant=${2-}
case $plant in
'' | leak | sleep | use_after_free) ;;
*) die "'$plant' is no fault that can be planted" "use leak, sleep or use_after_free" ;;
esac

assignments=$("$SCRIPTS/kernel.sh" "$id")
eval "$assignments"
out=$TOP/build/$K_KEY${plant:+-$plant}
mkdir -p "$out"
log=$out/build.log

build() {
	"$SCRIPTS/sandbox.sh" --kernel "$id" make -C "$K_BUILD" "${K_MAKE_ARGS[@]}" M="$TOP" MO="$out" \
		${plant:+"LABYRINTH_PLANT=$plant"} -j"$JOBS" modules
}

lock "build-$(cksum <<<"$out" | tr ' ' -)"
step "building labyrinth.ko for $K_RELEASE${plant:+ with a planted $plant}" "$log" build
# modpost and rustc may warn without failing; nobody should have to look for it.
grep -E '^(warning|WARNING)|: warning:' "$log" >&2 || true
printf '%s\n' "$out/labyrinth.ko"
