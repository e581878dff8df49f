#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kernel.sh stock|debug|kdir|RELEASE: prints the properties of a kernel as shell assignments. If the
# kernel is not in the cache, it is made first. RELEASE is a release of Debian, see old-kernel.sh.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"

# shellcheck source=scripts/environment/resolve.sh
source "$SCRIPTS/environment/resolve.sh"
# shellcheck source=scripts/environment/stock-kernel.sh
source "$SCRIPTS/environment/stock-kernel.sh"
# shellcheck source=scripts/environment/debug-kernel.sh
source "$SCRIPTS/environment/debug-kernel.sh"
# shellcheck source=scripts/environment/old-kernel.sh
source "$SCRIPTS/environment/old-kernel.sh"

K_ID=${1:?kernel.sh needs a kernel: stock, debug, kdir or a release of Debian}
K_MAKE_ARGS=() K_MODULES='' K_IMAGE=''

# Does not look for newer kernels, as all parts of a run must use the same one. setup.sh does.
make_if_missing() {
	"$SCRIPTS/environment/setup.sh" --have "$K_ID" || "$SCRIPTS/environment/setup.sh" "$K_ID"
}

from_cache() {
	make_if_missing
	load_resolved
	"${K_ID}_entry"
	local entry=${K_ID^^}_ENTRY
	K_KEY=${!entry}
	K_BUILD=$CACHE/$K_KEY
	K_SOURCE=$CACHE/$SOURCE_ENTRY
	# The kernel's build folder contains the path of its source, so it cannot be moved.
	local source
	source=$(sed -n 's/^include //p' "$K_BUILD/Makefile")
	[[ -z $source || $source == "$K_SOURCE/Makefile" ]] ||
		die "the cache $CACHE has been moved: its kernels were built in ${source%/*/Makefile}" \
			"move it back, or remove $K_BUILD to build that kernel again"
}

case $K_ID in
stock)
	from_cache
	K_RELEASE=$R_RELEASE
	K_MAKE_ARGS=("KERNELRELEASE=$R_RELEASE")
	K_MODULES=$CACHE/$PACKAGES_ENTRY
	K_IMAGE=$K_MODULES/usr/lib/modules/$R_RELEASE/vmlinuz
	;;
debug)
	from_cache
	K_RELEASE=$(<"$K_BUILD/include/config/kernel.release")
	K_MAKE_ARGS=("${DEBUG_MAKE[@]}")
	K_IMAGE=$K_BUILD/$ARCH_IMAGE
	;;
kdir)
	# shellcheck source=scripts/environment/preflight.sh
	source "$SCRIPTS/environment/preflight.sh"
	preflight
	;;
*)
	is_old "$K_ID" || die "there is no kernel '$K_ID'" \
		"use stock, debug, kdir with KDIR=<kernel tree>, or a release: ${OLD_KERNELS[*]}"
	make_if_missing
	load_old "$K_ID"
	K_RELEASE=$R_RELEASE K_KEY=$OLD_ENTRY K_MODULES=$CACHE/$OLD_ENTRY
	# These headers require the compiler of their release, which the root does not have.
	K_MAKE_ARGS=(CC=gcc)
	K_IMAGE=$K_MODULES/usr/lib/modules/$R_RELEASE/vmlinuz
	K_BUILD=$K_MODULES/usr/src/linux-headers-$R_RELEASE
	K_SOURCE=$K_BUILD
	;;
esac

printf 'K_ID=%q\nK_KEY=%q\nK_RELEASE=%q\nK_BUILD=%q\nK_SOURCE=%q\nK_IMAGE=%q\nK_MODULES=%q\n' \
	"$K_ID" "$K_KEY" "$K_RELEASE" "$K_BUILD" "$K_SOURCE" "$K_IMAGE" "$K_MODULES"
printf 'K_MAKE_ARGS=('
((${#K_MAKE_ARGS[@]} == 0)) || printf '%q ' "${K_MAKE_ARGS[@]}"
printf ')\n'
