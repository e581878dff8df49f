#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# build-driver.sh stock|debug|kdir MODULE FOLDER: builds the driver in FOLDER against MODULE, the
# path of a labyrinth.ko. Prints the paths of the driver's modules, one per line.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
(($# == 3)) || die "build-driver.sh needs a kernel, a module and a folder"

id=$1
built=$(cd "$(dirname "$2")" && pwd -P)
[[ -r $built/driver.mk ]] ||
	die "$built/driver.mk is missing" "build the module first: scripts/build/build.sh $id"
check_driver "$3"
folder=$(cd "$3" && pwd -P)

assignments=$("$SCRIPTS/environment/kernel.sh" "$id")
eval "$assignments"
# Folders in different places can have the same name.
sum=$(sha256sum <<<"$folder")
out=$built/drivers/${folder##*/}-${sum:0:12}
mkdir -p "$out"

build() {
	"$SCRIPTS/environment/sandbox.sh" --kernel "$id" --ro-bind "$folder" \
		make -C "$K_BUILD" "${K_MAKE_ARGS[@]}" M="$folder" MO="$out" LABYRINTH="$built" \
		-j"$JOBS" modules
}

AGAIN="make driver DIR=$folder"
lock "build-$(cksum <<<"$out" | tr ' ' -)"
# As in build.sh. A driver outside of the checkout may include files from other folders, so only
# make knows whether it is up to date.
if [[ $id == kdir || $folder != "$TOP"/* ]] ||
	! unchanged_since "$out/built" "$2" "$built/driver.mk" "$folder" \
		"$SCRIPTS"/{build,environment}; then
	rm -f "$out/built"
	: >"$out/begun"
	step "building the driver in $folder for $K_RELEASE" "$out/build.log" build
	grep -E '^(warning|WARNING)|: warning:' "$out/build.log" >&2 || mv "$out/begun" "$out/built"
fi
# Only the modules of this build: an earlier one may have left others. There may be none, as some
# drivers are only for kernels with other options.
sed -n "s|^|$out/|; s/[.]o$/.ko/p" "$out/modules.order"
