#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# browser.sh: makes a Debian root with Chromium, unless it is in the cache. Only tests need it, so
# it is not in the root of the toolchain. Prints the path of a script that runs Chromium there.
# Chromium sees the current folder, at the same path, and no network.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"

BROWSER=(chromium fonts-dejavu-core)

make_browser() {
	local root=$CACHE/$key name
	bootstrap "$root" "${BROWSER[@]}"
	# shellcheck disable=SC2016 # expanded by the script
	{
		printf '#!/bin/sh\nhere=$(pwd -P)\nexec bwrap --die-with-parent --unshare-all --clearenv'
		for name in usr etc var; do printf ' --ro-bind %s /%s' "$root/$name" "$name"; done
		for name in bin sbin lib lib64; do printf ' --symlink usr/%s /%s' "$name" "$name"; done
		printf ' --dev /dev --proc /proc --tmpfs /tmp --setenv HOME /tmp --setenv PATH /usr/bin'
		printf ' --bind "$here" "$here" --chdir "$here" chromium "$@"\n'
	} >"$root/chromium.sh"
	chmod +x "$root/chromium.sh"
}

AGAIN=scripts/environment/browser.sh
steps 1
key=root-browser-$(printf '%s\n' "$SUITE" "${BROWSER[@]}" | sha256sum | cut -c1-10)
entry_ready "$key" || need_bootstrap
entry "$key" wipe "making a Debian $SUITE root with chromium" make_browser
printf '%s\n' "$CACHE/$key/chromium.sh"
