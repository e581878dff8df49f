# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by most scripts. Sets TOP, SCRIPTS, CACHE and JOBS, and has functions for messages, locks,
# and entries of the cache. Messages go to stderr, results to stdout.

# shellcheck source=scripts/lib/variables.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/variables.sh"

# $(…) drops line feeds at the end. With the dot after them they remain, and are refused below.
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P && echo .)
TOP=${TOP%$'\n.'}
SCRIPTS=$TOP/scripts

note() { printf 'labyrinth: %s\n' "$*" >&2; }

# tell_why LINE…: records why this part of a test run failed. The report at the end prints it. AGAIN
# is the command that repeats the part, if there is one.
tell_why() {
	[[ -n ${LABYRINTH_WHY-} ]] || return 0
	printf '%s\n' "$@" ${AGAIN:+"again: $AGAIN"} >>"$LABYRINTH_WHY"
}

# die WHAT [FIX]: prints the error and what to do about it, and exits.
die() {
	tell_why "$1" ${2:+"fix: $2"}
	printf 'labyrinth: error: %s\n' "$1" >&2
	[[ -z ${2-} ]] || printf 'labyrinth: fix: %s\n' "$2" >&2
	exit 1
}

# shellcheck source=scripts/lib/architecture.sh
source "$SCRIPTS/lib/architecture.sh"
# shellcheck source=scripts/lib/places.sh
source "$SCRIPTS/lib/places.sh"

JOBS=${JOBS:-$(nproc)}
[[ $JOBS =~ ^[1-9][0-9]{0,3}$ ]] || die "JOBS is '$JOBS'" "give a number of parallel jobs"
check_place "the checkout" "$TOP"
[[ -x $SCRIPTS/environment/sandbox.sh ]] ||
	die "the scripts of the checkout $TOP cannot be executed" \
		"its file system may be mounted noexec: choose a folder on another file system"
# A script sets only_reads if it writes nothing to the checkout.
[[ -w $TOP || -n ${only_reads-} ]] || die "cannot write to the checkout $TOP" "clone it to a folder of your own"

if [[ -n ${LABYRINTH_CACHE-} ]]; then
	CACHE=$LABYRINTH_CACHE cache_name="the cache (LABYRINTH_CACHE)"
elif [[ -n ${XDG_CACHE_HOME-} ]]; then
	CACHE=$XDG_CACHE_HOME/labyrinth cache_name="the cache (XDG_CACHE_HOME)"
elif [[ -n ${HOME-} ]]; then
	CACHE=$HOME/.cache/labyrinth cache_name="the cache (HOME)"
else
	die "HOME is not set, so there is no default for the cache" \
		"set LABYRINTH_CACHE to a folder of your own"
fi
check_path "$cache_name" "$CACHE"
# The path may contain links. The folder that they lead to must be a valid place, too.
CACHE=$(realpath -m -- "$CACHE" && echo .)
CACHE=${CACHE%$'\n.'}
check_place "$cache_name" "$CACHE"
mkdir -p "$CACHE/logs" "$CACHE/locks" 2>/dev/null || true
[[ -w $CACHE && -w $CACHE/logs && -w $CACHE/locks ]] ||
	die "cannot write to the cache $CACHE" "set LABYRINTH_CACHE to a folder of your own"
check_file_system "the cache" "$CACHE"

# lock NAME: holds a lock until unlock, or until this shell and all of its children have ended. So
# the children of a run that was killed hold the lock until they end.
lock_fd=
lock() {
	exec {lock_fd}>"$CACHE/locks/$1"
	flock -n "$lock_fd" && return
	note "waiting for another run that uses $1"
	flock "$lock_fd"
}
unlock() { exec {lock_fd}>&-; }

# An entry of the cache is a folder. It is valid once it contains the file .complete, which is
# written last, so an incomplete entry is never used. Entries are made at their final path, because
# kernel build folders contain their own path.
entry_ready() { [[ -e $CACHE/$1/.complete ]]; }

# entry NAME keep|wipe WHAT COMMAND…: makes the entry with COMMAND, unless it is valid. After an
# interrupted run, keep continues with its files, and wipe removes them first.
entry() {
	local name=$1 left=$2 what=$3
	shift 3
	if entry_ready "$name"; then skip_step; return; fi
	lock "$name"
	if entry_ready "$name"; then skip_step; unlock; return; fi
	[[ $left == keep ]] || remove_tree "$CACHE/$name"
	mkdir -p "$CACHE/$name"
	step "$what" "$CACHE/logs/$name.log" "$@"
	touch "$CACHE/$name/.complete"
	unlock
}

# unchanged_since STAMP PATH…: whether the file STAMP exists and is newer than these files and
# folders and everything below them.
unchanged_since() {
	local stamp=$1 newer
	shift
	[[ -e $stamp ]] && newer=$(find "$@" -newer "$stamp" -print -quit) && [[ -z $newer ]]
}

# remove_tree PATH: removes a tree. Trees unpacked by an ordinary user can have read-only folders.
remove_tree() {
	[[ -e $1 ]] || return 0
	rm -f "$1/.complete"
	rm -rf "$1" 2>/dev/null || { chmod -R u+rwX "$1" && rm -rf "$1"; }
}

# guard GROUP…: ends these process groups if this shell is killed by SIGKILL and cannot do it
# itself. Stops at unguard.
guard_pid=
guard() {
	local owner=$$
	set -m
	(
		trap - EXIT INT TERM HUP
		while kill -0 "$owner" 2>/dev/null; do sleep 1; done
		for group; do kill -TERM -- "-$group" 2>/dev/null || true; done
	) </dev/null >/dev/null 2>&1 &
	guard_pid=$!
	set +m
}
unguard() {
	[[ -n $guard_pid ]] || return 0
	kill -KILL -- "-$guard_pid" 2>/dev/null || true
	# Without this, bash prints that it was killed.
	wait "$guard_pid" 2>/dev/null || true
	guard_pid=
}

# shellcheck source=scripts/lib/progress.sh
source "$SCRIPTS/lib/progress.sh"
