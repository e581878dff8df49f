# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by every script here: where things are, how to complain, and how an entry of the
# cache comes to be. Messages go to stderr; stdout belongs to results.

# shellcheck source=scripts/lib/variables.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/variables.sh"

# The dot preserves a line feed at the end of the path, so that it is refused.
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P && echo .)
TOP=${TOP%$'\n.'}
SCRIPTS=$TOP/scripts

note() { printf 'labyrinth: %s\n' "$*" >&2; }

# tell_why LINE…: records why this part of a run of tests failed; the end of the run prints it. If
# AGAIN is set, that command repeats the part.
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

# shellcheck source=scripts/lib/places.sh
source "$SCRIPTS/lib/places.sh"

JOBS=${JOBS:-$(nproc)}
[[ $JOBS =~ ^[1-9][0-9]{0,3}$ ]] || die "JOBS is '$JOBS'" "give a number of parallel jobs"
check_place "the checkout" "$TOP"
[[ -x $SCRIPTS/environment/sandbox.sh ]] || die "the scripts of the checkout $TOP may not be executed" \
	"its file system may be mounted noexec: choose a place on another one"
[[ -w $TOP ]] || die "cannot write to the checkout $TOP" "clone it to a folder of your own"

if [[ -n ${LABYRINTH_CACHE-} ]]; then
	CACHE=$LABYRINTH_CACHE cache_name="the cache (LABYRINTH_CACHE)"
elif [[ -n ${XDG_CACHE_HOME-} ]]; then
	CACHE=$XDG_CACHE_HOME/labyrinth cache_name="the cache (XDG_CACHE_HOME)"
elif [[ -n ${HOME-} ]]; then
	CACHE=$HOME/.cache/labyrinth cache_name="the cache (HOME)"
else
	die "HOME is not set, so nothing says where the cache is" "set LABYRINTH_CACHE to a folder of your own"
fi
check_path "$cache_name" "$CACHE"
# Its links are followed; the folder that they lead to has to be a valid place, too.
CACHE=$(realpath -m -- "$CACHE" && echo .)
CACHE=${CACHE%$'\n.'}
check_place "$cache_name" "$CACHE"
mkdir -p "$CACHE/logs" "$CACHE/locks" 2>/dev/null || true
[[ -w $CACHE && -w $CACHE/logs && -w $CACHE/locks ]] ||
	die "cannot write to the cache $CACHE" "set LABYRINTH_CACHE to a folder of your own"
check_file_system "the cache" "$CACHE"

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

# unchanged_since STAMP PATH…: whether there is the stamp, and none of these files and folders, nor
# anything below them, is newer.
unchanged_since() {
	local stamp=$1 newer
	shift
	[[ -e $stamp ]] && newer=$(find "$@" -newer "$stamp" -print -quit) && [[ -z $newer ]]
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

# shellcheck source=scripts/lib/progress.sh
source "$SCRIPTS/lib/progress.sh"
