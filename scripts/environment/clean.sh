#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# clean.sh clean|distclean: removes the builds of this checkout. distclean also empties the cache.
# It removes only entries that these scripts make, as the cache can be a folder with other files.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

rm -rf "${TOP:?}/build"
[[ ${1-} == distclean ]] || exit 0
for entry in "$CACHE"/{root,apt,packages,source,stock,debug,crates}-*; do
	[[ ! -e $entry ]] || note "removing $entry"
	remove_tree "$entry"
done
rm -rf "$CACHE"/{resolved,logs,locks} "$CACHE"/kvm-*
rmdir "$CACHE" 2>/dev/null || note "the cache $CACHE is kept, as there are other files in it"
