#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# setup.sh root|stock|debug|RELEASE…: makes the toolchain root or a kernel, unless it is in the
# cache. After an interruption, the next run continues. A RELEASE of Debian stands for its own
# kernel; see old-kernel.sh.
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

# setup.sh --missing RELEASE: prints why the archive has no such kernel, or nothing if it has one.
if [[ ${1-} == --missing ]] && is_old "${2-}"; then
	steps 2
	make_root
	resolve_old "$2"
	echo "${R_MISSING-}"
	exit
fi

# setup.sh --have stock|debug|RELEASE: succeeds if that kernel is in the cache.
if [[ ${1-} == --have ]] && is_old "${2-}"; then
	old_names "$2"
	if ! root_ready || [[ ! -s $OLD_RESOLVED ]]; then exit 1; fi
	load_old "$2"
	[[ -z ${R_MISSING-} ]] && entry_ready "$OLD_ENTRY"
	exit
fi
if [[ ${1-} == --have && ${2-} =~ ^(stock|debug)$ ]]; then
	if ! root_ready || [[ ! -s $RESOLVED ]]; then exit 1; fi
	load_resolved
	"$2_entry"
	entry=${2^^}_ENTRY
	if ! entry_ready "$SOURCE_ENTRY" || ! entry_ready "${!entry}"; then exit 1; fi
	[[ $2 == debug ]] || entry_ready "$PACKAGES_ENTRY"
	exit
fi

(($#)) || die "setup.sh: nothing to set up" "setup.sh root|stock|debug|RELEASE…"
count=1 resolves=''
for what; do
	case $what in
	root) ;;
	stock) count=$((count + 3)) resolves=1 ;;
	debug) count=$((count + 2)) resolves=1 ;;
	*)
		is_old "$what" || die "setup.sh: unknown argument '$what'" \
			"setup.sh root|stock|debug…, or a release: ${OLD_KERNELS[*]}"
		count=$((count + 2))
		;;
	esac
done

AGAIN="scripts/environment/setup.sh $*"
steps $((count + (resolves != 0)))
make_root
[[ -z $resolves ]] || resolve
for what; do
	case $what in
	root) ;;
	stock | debug) "make_$what" ;;
	# A subshell, because the choice for an old kernel must not apply to the others.
	*)
		(make_old "$what")
		skip_step
		skip_step
		;;
	esac
done
