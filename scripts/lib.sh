# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by every script here: where things are, how to complain, and how an entry of the
# cache comes to be. Messages go to stderr; stdout belongs to results.

# shellcheck disable=SC2034 # read by the scripts that source this file
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
SCRIPTS=$TOP/scripts
CACHE=${LABYRINTH_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME is not set, so LABYRINTH_CACHE has to say where the cache is}/.cache}/labyrinth}

note() { printf 'labyrinth: %s\n' "$*" >&2; }

# tell_why LINE…: for the end of a run of tests, of which this is a part: why it failed. Where AGAIN is
# set, that command repeats it.
tell_why() {
	[[ -n ${LABYRINTH_WHY-} ]] || return 0
	printf '%s\n' "$@" ${AGAIN:+"again: $AGAIN"} >>"$LABYRINTH_WHY"
}

# die WHAT [FIX]
die() {
	tell_why "$1" ${2:+"fix: $2"}
	printf 'labyrinth: error: %s\n' "$1" >&2
	[[ -z ${2-} ]] || printf 'labyrinth: fix: %s\n' "$2" >&2
	exit 1
}

# The kernel's own makefiles split paths at blanks and colons, so no path may have any.
check_path() {
	[[ $2 != *[[:space:]:]* ]] || die "$1 has a blank or a colon in its path: '$2'" \
		"the kernel's makefiles cannot cope with those; choose another place"
	[[ $2 == /* ]] || die "$1 is not an absolute path: '$2'"
}

JOBS=${JOBS:-$(nproc)}
[[ $JOBS =~ ^[1-9][0-9]{0,3}$ ]] || die "JOBS is '$JOBS'" "give a number of parallel jobs"
check_path "the checkout" "$TOP"
check_path "the cache (LABYRINTH_CACHE)" "$CACHE"
mkdir -p "$CACHE/logs" "$CACHE/locks" 2>/dev/null ||
	die "cannot write to the cache $CACHE" "set LABYRINTH_CACHE to a folder of your own"
CACHE=$(cd "$CACHE" && pwd -P)

# lock NAME: held until unlock, or until this shell and everything it started is gone. A
# killed run's children thus keep others out until they have ended too.
lock_fd=
lock() {
	exec {lock_fd}>"$CACHE/locks/$1"
	flock -n "$lock_fd" && return
	note "waiting for another run that is working on $1"
	flock "$lock_fd"
}
unlock() { exec {lock_fd}>&-; }

# An entry of the cache is a folder that counts only once it holds .complete, which is
# written last: whoever is killed before that leaves nothing that anybody would use. The
# folder is built where it will stay, because kernel build folders hold their own path.
entry_ready() { [[ -e $CACHE/$1/.complete ]]; }

# entry NAME keep|wipe WHAT COMMAND…: makes the entry unless it is there. keep lets COMMAND
# go on with what an interrupted run left, wipe starts afresh.
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

# Trees unpacked by an ordinary user can hold read-only folders.
remove_tree() {
	[[ -e $1 ]] || return 0
	rm -f "$1/.complete"
	rm -rf "$1" 2>/dev/null || { chmod -R u+rwX "$1" && rm -rf "$1"; }
}

# guard GROUP…: sees to it that these process groups end when this shell has been killed outright
# and could not do it itself. Until unguard.
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
	# Bash would tell of its end otherwise.
	wait "$guard_pid" 2>/dev/null || true
	guard_pid=
}

# shellcheck source=scripts/progress.sh
source "$SCRIPTS/progress.sh"
