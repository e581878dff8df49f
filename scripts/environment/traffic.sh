#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# traffic.sh: unpacks tools that make network traffic, unless they are in the cache. Only make wall
# needs them, so they are not in the root of the toolchain, which has the libraries that they share
# with others. Prints the folder that they are in.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"
# shellcheck source=scripts/environment/resolve.sh
source "$SCRIPTS/environment/resolve.sh"

TRAFFIC=(ethtool iperf3 libiperf0 libsctp1 sockperf)

# The versions in the root and those of these packages must be of one release of Debian.
unpack_traffic() {
	local debs=$CACHE/$key.debs deb
	mkdir -p "$debs"
	cd "$debs"
	# Nobody may update the index during the download.
	lock "${APT_DIR##*/}"
	# The index can be missing, or older than the mirror.
	root_apt apt-get download "${TRAFFIC[@]}" || {
		update_index
		root_apt apt-get download "${TRAFFIC[@]}"
	}
	unlock
	for deb in *.deb; do
		"$SCRIPTS/environment/sandbox.sh" dpkg-deb -x "$deb" "$CACHE/$key"
	done
	rm -rf "$debs"
}

AGAIN=scripts/environment/traffic.sh
steps 1
key=traffic-$(printf '%s\n' "$ROOT_KEY" "${TRAFFIC[@]}" | sha256sum | cut -c1-10)
entry "$key" wipe "fetching tools that make traffic" unpack_traffic
printf '%s\n' "$CACHE/$key"
