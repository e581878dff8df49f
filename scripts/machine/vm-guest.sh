#!/usr/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# vm-guest.sh: the guest's side of vm.sh. Follows /.labyrinth/job: makes the rwdirs writable, runs
# the command, and leaves its output in NAME.out and its status in NAME.rc in the folder of the log.
# Under emulation it takes a tool longer to start than to work, so this is for a shell that has most
# tools built in.
set -u

# writable DIR…
writable() {
	for dir; do
		mount -o bind "$dir" "$dir" && mount -o remount,bind,rw none "$dir" || exit 125
	done
}
mounted() { grep -q "^[^ ]* $1 " /proc/mounts; }

# Sets the name, and the arguments to the command. Its rwdirs are those to be made writable.
name=''
rwdirs() { :; }
# shellcheck source=/dev/null # written by vm.sh
. /.labyrinth/job || exit 125
base=/.labyrinth/log/$name

# The root is one file system, mounted read-only. Its superblock has to be writable for any
# part of it to be, so read-only becomes a property of the mount, and not of the folders'.
mount -o remount,rw none / && mount -o remount,bind,ro none / || exit 125
mount -t tmpfs -o mode=1777 tmpfs /tmp || exit 125
sh /.labyrinth/scripts/machine/guest-places.sh || exit 125
writable /.labyrinth/log
rwdirs
# Some tests boot without debugfs.
grep -qE '(^| )debugfs=(off|no-mount)( |$)' /proc/cmdline ||
	mounted /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug || exit 125
mounted /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing || exit 125

# A lockup or a hang has to end the run. The limits leave room for emulation on a busy machine.
set_sysctl() { [ ! -e "/proc/sys/kernel/$1" ] || echo "$2" >"/proc/sys/kernel/$1"; }
set_sysctl watchdog_thresh 30
set_sysctl softlockup_panic 1
set_sysctl hung_task_timeout_secs 120
set_sysctl hung_task_panic 1

# Here these lead to the console; the test runner appends to /dev/stdout and means its own.
ln -sfn /proc/self/fd/1 /dev/stdout
ln -sfn /proc/self/fd/2 /dev/stderr

: >"$base.up"
export HOME=/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
cd /tmp || exit 125
# By way of a tool with a path, as this shell would take its own for many commands.
/usr/bin/env -- "$@" >>"$base.out" 2>&1 </dev/null
rc=$?
sync
echo "$rc" >"$base.rc"
exit "$rc"
