#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# driver-guest.sh MODULE DRIVER…: the part of driver.sh that runs in the guest.
set -euo pipefail
metrics=/sys/kernel/debug/labyrinth/metrics
# The seconds after which insmod and rmmod are taken to hang. The kernel itself reports that after
# 120 s, and stops the guest.
limit=60

kernel_log() {
	printf '\nthe kernel log:\n'
	dmesg --notime
}

# limited COMMAND…: runs the command. If it fails, or is not done in time, prints the kernel log and
# exits. The command may not be killable, so nothing waits for it.
limited() {
	local second rc=0
	"$@" &
	for ((second = 0; second < 5 * limit; second++)); do
		if ! kill -0 $! 2>/dev/null; then
			wait $! || rc=$?
			((rc)) || return 0
			kernel_log
			exit 1
		fi
		sleep 0.2
	done
	printf '\n%s is not done after %d s; a leaked pool or callback keeps a driver loaded\n' \
		"$*" "$limit"
	kernel_log
	exit 1
}

# show TITLE PATTERN: prints the metrics that match the pattern. Fails if there are none.
show() {
	local lines
	lines=$(grep -E "$2" "$metrics") || return
	printf '\n%s:\n%s\n' "$1" "$lines"
}

dmesg --clear
limited insmod "$1"
shift
names=()
for driver; do
	limited insmod "$driver"
	driver=${driver##*/}
	names=("${driver%.ko}" "${names[@]}")
done
lsmod
sleep 2
for name in "${names[@]}"; do
	show "the pool of $name after two seconds" "pool=\"$name\".* ([1-9]|0[.]).*" ||
		printf '\nthere is no pool of the name %s\n' "$name"
	show "the statistics of $name" "^labyrinth_${name//-/_}_" || true
done
for name in "${names[@]}"; do limited rmmod "$name"; done
limited rmmod labyrinth
kernel_log
