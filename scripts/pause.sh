# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced. The time of whoever watches a guest. A machine can be stopped as a whole: a laptop is
# suspended, the host of a virtual machine pauses it. All clocks jump then, the guest's kernel reports
# a stall, and nothing is wrong. The watcher's own clock jumps as well, so it can tell.
#
#	watch_start
#	while …; do
#		watch_tick
#		… elapsed, paused
#		sleep 0.3
#	done

# An overloaded machine takes some seconds for a turn of such a loop; hundredths of a second.
PAUSE=1000

# Sets now, in hundredths of a second, by a clock that nobody can set and that counts suspended time.
read_clock() {
	read -r now _ </proc/uptime
	now=$((10#${now/./}))
}

watch_start() {
	read_clock
	watch_started=$now watch_last=$now paused=0 elapsed=0
}

# Sets elapsed, in seconds without pauses, and paused, in seconds with nothing else. Is true if there was
# a pause since the last call.
watch_tick() {
	local gap
	read_clock
	gap=$((now - watch_last))
	watch_last=$now
	((gap < PAUSE)) || { watch_started=$((watch_started + gap)) paused=$((paused + gap / 100)); }
	elapsed=$(((now - watch_started) / 100))
	((gap >= PAUSE))
}
