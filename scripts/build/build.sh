#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# build.sh stock|debug|kdir: builds the modules for a kernel. Prints their paths, one per line,
# labyrinth.ko last. Warnings are kept in the file `warnings` beside labyrinth.ko.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

id=${1:?build.sh needs a kernel: stock, debug or kdir}

assignments=$("$SCRIPTS/environment/kernel.sh" "$id")
eval "$assignments"
out=$TOP/build/$K_KEY
mkdir -p "$out"
log=$out/build.log

build() {
	# Compilers warn only when they compile. After a build with warnings, rebuild everything.
	[[ ! -e $out/warnings ]] ||
		find "$out" -path "$out/test-modules" -prune -o -name '*.o' -exec rm {} +
	local rc=0
	"$SCRIPTS/environment/sandbox.sh" --kernel "$id" \
		make -C "$K_BUILD" "${K_MAKE_ARGS[@]}" M="$TOP" MO="$out" -j"$JOBS" modules || rc=$?
	# modpost and rustc may warn without failing.
	grep -E -A 12 '^(warning|WARNING)\b|: warning:' "$log" >"$out/warnings" || rm "$out/warnings"
	return "$rc"
}

AGAIN="make quick WHAT=build"
[[ $id != debug ]] || AGAIN+=" KERNEL=debug"
lock "build-$(cksum <<<"$out" | tr ' ' -)"
# make needs seconds to find that there is nothing to do, and each part of a run gets here. Only
# the kernel of KDIR can change; those in the cache do not.
if [[ $id == kdir || ! -s $out/labyrinth.ko || ! -s $out/labyrinth_lab.ko ]] ||
	! unchanged_since "$out/built" "$TOP"/{Kbuild,labyrinth_mod.rs,include,rust} \
		"$SCRIPTS"/{build,environment}; then
	rm -f "$out/built"
	: >"$out/begun"
	step "building labyrinth.ko for $K_RELEASE" "$log" build
	if [[ -e $out/warnings ]]; then cat "$out/warnings" >&2; else mv "$out/begun" "$out/built"; fi
fi
printf '%s\n' "$out/labyrinth_lab.ko" "$out/labyrinth.ko"
