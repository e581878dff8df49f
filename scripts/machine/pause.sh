# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced. Measures time for a script that watches a guest. The whole machine can be paused: a
# laptop is suspended, or a hypervisor stops a virtual machine. Then all clocks jump, and the kernel
# in the guest reports a stall although nothing is wrong. The script detects such a pause by the
# jump of its own clock.
#
#	watch_start
#	while …; do
#		watch_tick
#		… elapsed, paused
#		sleep 0.3
#	done

# The shortest pause, in hundredths of a second. On an overloaded machine, one iteration of such a
# loop can take some seconds.
PAUSE=1000

# Sets `now`, in hundredths of a second. This clock cannot be set, and runs during a suspend.
read_clock() {
	read -r now _ </proc/uptime
	now=$((10#${now/./}))
}

watch_start() {
	read_clock
	watch_started=$now watch_last=$now paused=0 elapsed=0
}

# Sets `elapsed`, the seconds without pauses, and `paused`, the seconds of all pauses. Succeeds if
# there was a pause since the last call.
watch_tick() {
	local gap
	read_clock
	gap=$((now - watch_last))
	watch_last=$now
	if ((gap >= PAUSE)); then
		watch_started=$((watch_started + gap)) paused=$((paused + gap / 100))
	fi
	elapsed=$(((now - watch_started) / 100))
	((gap >= PAUSE))
}

# watched SECONDS LOG COMMAND…: runs COMMAND with its output in LOG. After SECONDS it is killed, and
# the status is 124. If there was a pause, COMMAND is run again, at most twice, whatever its result.
# This is for machines that are started quickly, or that measure time. vm.sh has other rules.
watched() {
	local limit=$1 log=$2 repeats=2 pid rc late
	shift 2
	while :; do
		rc=0 late=''
		"$@" >"$log" 2>&1 </dev/null &
		pid=$!
		watch_start
		while kill -0 "$pid" 2>/dev/null; do
			watch_tick || true
			((elapsed < limit)) || { kill -KILL "$pid" 2>/dev/null || true; late=124; }
			sleep 0.3
		done
		watch_tick || true
		wait "$pid" || rc=$?
		((paused && repeats)) || return "${late:-$rc}"
		repeats=$((repeats - 1))
		echo "this machine was paused for $paused s: trying again"
	done
}
