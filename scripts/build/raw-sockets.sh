#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# raw-sockets.sh stock|debug|kdir FOLDER: prints the path of a module with raw sockets for a kernel
# that was built without CONFIG_PACKET. Prints nothing for other kernels. FOLDER is the folder that
# labyrinth.ko was built in. The tests of a network driver need such sockets. In the debug kernel,
# with the protocols that belong to them, they would take minutes more to build.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
(($# == 2)) || die "raw-sockets.sh needs a kernel and a folder"
id=$1 out=$2/raw-sockets

assignments=$("$SCRIPTS/environment/kernel.sh" "$id")
eval "$assignments"
! grep -q '^CONFIG_PACKET=' "$K_BUILD/.config" || exit 0
[[ -r $K_SOURCE/net/packet/af_packet.c ]] || exit 0
mkdir -p "$out"

build() {
	"$SCRIPTS/environment/sandbox.sh" --kernel "$id" \
		make -C "$K_BUILD" "${K_MAKE_ARGS[@]}" M="$K_SOURCE/net/packet" MO="$out" \
		CONFIG_PACKET=m -j"$JOBS" modules
}

lock "build-$(cksum <<<"$out" | tr ' ' -)"
if [[ ! -s $out/af_packet.ko ]] ||
	! unchanged_since "$out/built" "$K_BUILD/.config" "$K_BUILD/Module.symvers"; then
	rm -f "$out/built"
	step "building raw sockets for $K_RELEASE" "$out/build.log" build
	touch "$out/built"
fi
printf '%s\n' "$out/af_packet.ko"
