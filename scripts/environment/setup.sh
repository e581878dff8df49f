#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# setup.sh root|stock|debug…: makes the toolchain root or a kernel, unless it is in the cache. After
# an interruption, the next run continues.
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

# setup.sh --have stock|debug: succeeds if that kernel is in the cache.
if [[ ${1-} == --have && ${2-} =~ ^(stock|debug)$ ]]; then
	if ! root_ready || [[ ! -s $RESOLVED ]]; then exit 1; fi
	load_resolved
	"$2_entry"
	entry=${2^^}_ENTRY
	if ! entry_ready "$SOURCE_ENTRY" || ! entry_ready "${!entry}"; then exit 1; fi
	[[ $2 == debug ]] || entry_ready "$PACKAGES_ENTRY"
	exit
fi

(($#)) || die "setup.sh: nothing to set up" "setup.sh root|stock|debug…"
count=1
for what; do
	case $what in
	root) ;;
	stock) count=$((count + 3 + (count == 1))) ;;
	debug) count=$((count + 2 + (count == 1))) ;;
	*) die "setup.sh: unknown argument '$what'" "setup.sh root|stock|debug…" ;;
	esac
done

AGAIN="scripts/environment/setup.sh $*"
steps "$count"
make_root
((count == 1)) || resolve
for what; do
	[[ $what == root ]] || "make_$what"
done
