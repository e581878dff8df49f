# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by lib.sh. Runs long steps. Shows the number, the name and the time of a step, and when it
# fails, the errors or the end of its log, and a fix if one is known.

STEPS=1 STEP=0
step_pid=

steps() { STEPS=$1 STEP=0; }
skip_step() { STEP=$((STEP + 1)); }

# A step runs in a process group of its own, so that an interrupt ends all of its processes.
stop_step() {
	[[ -z $step_pid ]] || kill -TERM -- "-$step_pid" 2>/dev/null || true
}
trap stop_step EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

known_fix() {
	local log=$1 pattern fix
	while IFS='|' read -r pattern fix; do
		if tail -n 200 "$log" | grep -Eqi -- "${pattern//;/|}"; then
			printf '%s' "$fix"
			return
		fi
	done <<-'FIXES'
		no space left on device|free some disk space: the cache wants about 8 GB for both kernels
		404 +not found|the archive has moved on to a newer version; run again with LABYRINTH_REFRESH=1
		temporary failure resolving;could not resolve;failed to fetch;connection timed out|the network or the mirror failed; run again, what was finished is kept
		cannot allocate memory;out of memory;signal 9;killed|the machine ran out of memory; run again with fewer JOBS (JOBS=1)
		uid map;setting up uid;newuidmap;unshare.*not permitted;no permissions to creat.* namespace|this user may not make namespaces: install uidmap, give the user a range in /etc/subuid and /etc/subgid, set kernel.unprivileged_userns_clone=1; or run as root
		public key is not available;NO_PUBKEY|update the package debian-archive-keyring
		from namespace '?LABYRINTH_.* does not import it|write labyrinth::import!(); beside module! in the crate root of the driver; if it is there, remove the .o files of the driver and build it again
	FIXES
}

# first_errors LOG: prints the two lines of a log that are most likely the reason of a failure.
first_errors() {
	grep -m 2 -Ei '(^|[^a-z_])(error|fatal)(\[E[0-9]+\])?: |undefined!|[*]{3} [^[]|cannot |no space left' "$1" || tail -n 2 "$1"
}

# why_failed LOG: prints the messages of compilers from the first error on, without the lines of
# make. Prints the last lines if there is no such error.
why_failed() {
	local messages
	messages=$(sed -nE '/^([^ ]+: )?(fatal )?error(\[E[0-9]+\])?: /,$p' "$1" |
		sed -E '/^make(\[[0-9]+\])?: /d; /^  [A-Z][A-Z_]+ /d' | sed -n '1,100p')
	if [[ -n $messages ]]; then
		printf 'Its errors:\n%s\n' "$messages"
	else
		echo "The last lines of its log:"
		tail -n 20 "$1"
	fi
}

# step WHAT LOG COMMAND…: runs COMMAND, which may be a function, with its output in LOG. Exits if it
# fails.
step() {
	local what=$1 log=$2 start=$SECONDS told=$SECONDS rc=0 fix
	shift 2
	STEP=$((STEP + 1))
	local head="[$STEP/$STEPS] $what"
	mkdir -p "$(dirname "$log")"
	[[ -t 2 ]] || printf '%s …\n' "$head" >&2
	set -m
	(
		trap - EXIT INT TERM HUP
		set -euo pipefail
		"$@"
	) >"$log" 2>&1 </dev/null &
	step_pid=$!
	set +m
	while kill -0 "$step_pid" 2>/dev/null; do
		if [[ -t 2 ]]; then
			printf '\r\033[K%s … %d s' "$head" $((SECONDS - start)) >&2
		elif ((SECONDS - told >= 30)); then
			told=$SECONDS
			printf '%s … %d s\n' "$head" $((SECONDS - start)) >&2
		fi
		sleep 0.2
	done
	wait "$step_pid" || rc=$?
	step_pid=
	[[ ! -t 2 ]] || printf '\r\033[K' >&2
	if ((rc == 0)); then
		printf '%s: %d s\n' "$head" $((SECONDS - start)) >&2
		return
	fi
	printf '%s: failed after %d s (status %d). ' "$head" $((SECONDS - start)) "$rc" >&2
	why_failed "$log" | sed '2,$s/^/    /' >&2
	printf 'labyrinth: the whole log: %s\n' "$log" >&2
	tell_why "$head failed:" "$(first_errors "$log")"
	fix=$(known_fix "$log")
	[[ -z $fix ]] || printf 'labyrinth: fix: %s\n' "$fix" >&2
	exit 1
}
