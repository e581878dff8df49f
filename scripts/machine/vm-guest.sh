#!/usr/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# vm-guest.sh: the guest's side of vm.sh. Reads /.labyrinth/job, makes the rwdirs writable, and runs
# the command. Its output goes to NAME.out and its status to NAME.rc, both in the folder of the log.
# The shell has most tools built in, because under emulation starting a tool takes longer than its
# work.
set -u

# writable DIR…: makes the folders writable.
writable() {
	for dir; do
		mount -o bind "$dir" "$dir" && mount -o remount,bind,rw none "$dir" || exit 125
	done
}
mounted() { grep -q "^[^ ]* $1 " /proc/mounts; }

# The job sets `name`, the function rwdirs, and the arguments to the command.
name=''
rwdirs() { :; }
# shellcheck source=/dev/null # written by vm.sh
. /.labyrinth/job || exit 125
base=/.labyrinth/log/$name

# The root is one file system, whose superblock is read-only. Make the superblock writable and only
# this mount read-only, so that other mounts of it can be writable.
mount -o remount,rw none / && mount -o remount,bind,ro none / || exit 125
mount -t tmpfs -o mode=1777 tmpfs /tmp || exit 125
sh /.labyrinth/scripts/machine/guest-places.sh || exit 125
writable /.labyrinth/log
rwdirs
# Some tests boot without debugfs.
grep -qE '(^| )debugfs=(off|no-mount)( |$)' /proc/cmdline ||
	mounted /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug || exit 125
# A kernel without CONFIG_TRACING has no tracefs.
! grep -qw tracefs /proc/filesystems ||
	mounted /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing || exit 125

# A lockup or a hang must end the run. These limits are high enough for emulation on a busy machine.
set_sysctl() { [ ! -e "/proc/sys/kernel/$1" ] || echo "$2" >"/proc/sys/kernel/$1"; }
set_sysctl watchdog_thresh 30
set_sysctl softlockup_panic 1
set_sysctl hung_task_timeout_secs 120
set_sysctl hung_task_panic 1

# In a guest these lead to the console, but the test runner writes its own output to /dev/stdout.
ln -sfn /proc/self/fd/1 /dev/stdout
ln -sfn /proc/self/fd/2 /dev/stderr

: >"$base.up"
export HOME=/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
cd /tmp || exit 125
# env is called by its path. The shell itself would run its builtin for many commands.
/usr/bin/env -- "$@" >>"$base.out" 2>&1 </dev/null
rc=$?
sync
echo "$rc" >"$base.rc"
exit "$rc"
