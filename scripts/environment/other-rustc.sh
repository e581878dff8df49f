#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# other-rustc.sh: fetches a rustc that is not the one of the toolchain, unless it is in the cache.
# Prints the path of a script that runs it in the sandbox.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"
# shellcheck source=scripts/environment/resolve.sh
source "$SCRIPTS/environment/resolve.sh"
# shellcheck source=scripts/environment/stock-kernel.sh
source "$SCRIPTS/environment/stock-kernel.sh"

# Debian builds browsers with a newer rustc. Its libraries for other programs are left out.
unpack_rustc() {
	local build=$CACHE/$key packages package
	mkdir -p "$build/debs"
	cd "$build/debs"
	lock "apt-$ROOT_KEY"
	mapfile -t packages < <(root_apt apt-get install --simulate rustc-web |
		sed -nE 's/^Inst (rustc-web|libstd-rust-web-[0-9.]+|libllvm[0-9]+) .*/\1/p')
	((${#packages[@]} > 1)) || { echo "there is no rustc-web"; return 1; }
	root_apt apt-get download "${packages[@]}"
	unlock
	for package in *.deb; do
		"$SCRIPTS/environment/sandbox.sh" dpkg-deb -x "$package" "$build"
	done
	rm -r "$build/debs"
	# shellcheck disable=SC2016 # the arguments are those of the other shell
	printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$build/usr/lib/x86_64-linux-gnu" \
		"$build/usr/bin/rustc" >"$build/run"
	chmod +x "$build/run"
}

AGAIN=scripts/environment/other-rustc.sh
steps 3
make_root
resolve
key=rustc-web-$ROOT_KEY
entry "$key" wipe "fetching another rustc" unpack_rustc
printf '%s\n' "$CACHE/$key/run"
