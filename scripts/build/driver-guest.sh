#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# driver-guest.sh MODULE DRIVER…: the part of driver.sh that runs in the guest.
set -euo pipefail

dmesg --clear
insmod "$1"
shift
names=()
for driver; do
	if ! insmod "$driver"; then
		dmesg --notime
		exit 1
	fi
	driver=${driver##*/}
	names=("${driver%.ko}" "${names[@]}")
done
lsmod
sleep 2
for name in "${names[@]}"; do
	printf '\nthe pool of %s after two seconds:\n' "$name"
	grep "pool=\"$name\"" /sys/kernel/debug/labyrinth/metrics | grep -v ' 0$' ||
		echo "there is no pool of that name"
done
for name in "${names[@]}"; do rmmod "$name"; done
rmmod labyrinth
printf '\nthe kernel log:\n'
dmesg --notime
