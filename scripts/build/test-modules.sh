#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# test-modules.sh stock|debug|kdir MODULE: builds the modules of tests/modules against MODULE, the
# path of a labyrinth.ko. Prints their paths, one per line.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
(($# == 2)) || die "test-modules.sh needs a kernel and a module"

id=$1
built=$(cd "$(dirname "$2")" && pwd -P)
symbols=$built/Module.symvers
[[ -r $symbols && -r $built/liblabyrinth.rmeta ]] ||
	die "$symbols or liblabyrinth.rmeta is missing" \
		"build the module first: scripts/build/build.sh $id"
grep -qw labyrinth_pool_create "$symbols" || die "$2 exports nothing for other modules" \
	"build it from this checkout: scripts/build/build.sh $id"

assignments=$("$SCRIPTS/environment/kernel.sh" "$id")
eval "$assignments"
out=$built/test-modules
mkdir -p "$out"

build() {
	"$SCRIPTS/environment/sandbox.sh" --kernel "$id" \
		make -C "$K_BUILD" "${K_MAKE_ARGS[@]}" M="$TOP/tests/modules" MO="$out" \
		LABYRINTH="$built" -j"$JOBS" modules
}

AGAIN="make quick WHAT=build"
[[ $id != debug ]] || AGAIN+=" KERNEL=debug"
lock "build-$(cksum <<<"$out" | tr ' ' -)"
# Like the check in build.sh.
if [[ $id == kdir || ! -s $out/labyrinth_transfers.ko ]] ||
	! unchanged_since "$out/built" "$2" "$symbols" "$TOP"/{tests/modules,include,rust} \
		"$SCRIPTS"/{build,environment}; then
	rm -f "$out/built"
	: >"$out/begun"
	step "building the modules that use labyrinth for $K_RELEASE" "$out/build.log" build
	grep -E '^(warning|WARNING)|: warning:' "$out/build.log" >&2 || mv "$out/begun" "$out/built"
fi
printf '%s\n' "$out"/labyrinth_*.ko
