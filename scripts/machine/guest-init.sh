#!/usr/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# Replaces virtme-init, the first process of a guest. virtme-init starts some fifty programs, which
# takes half of the time of an emulated boot. This script does only what vm-guest.sh and the tests
# need, in a shell that has mount and other tools built in.

# Until this mount, /proc is that of virtiofsd, and the shell cannot run itself from /proc/self/exe.
/usr/bin/mount -t proc -o nosuid,noexec,nodev proc /proc
mount -t sysfs -o nosuid,noexec,nodev sys /sys
mount -t tmpfs -o mode=0755 run /run
grep -q ' /dev devtmpfs ' /proc/mounts || mount -t devtmpfs -o mode=0755,nosuid,noexec devtmpfs /dev
mkdir -p /dev/shm /dev/pts
mount -t devpts -o gid=5,mode=620,noexec,nosuid devpts /dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for link in fd:fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
	[ -e "/dev/${link%%:*}" ] || ln -s "/proc/self/${link#*:}" "/dev/${link%%:*}"
done
# Hide all modules, so that the kernel loads none by itself. They may be of another build.
release=/lib/modules/$(uname -r)
[ ! -d "$release" ] || mount -t tmpfs -o ro,mode=0000 none "$release"

# port NAME: prints the device through which virtme-run reads or writes that stream of the script.
port() {
	for name in /sys/class/virtio-ports/*/name; do
		read -r found <"$name"
		[ "$found" = "virtme.$1" ] || continue
		name=${name%/name}
		echo "/dev/${name##*/}"
		return
	done
	echo "guest-init.sh: there is no port virtme.$1" >/dev/kmsg
	echo /dev/null
}

read -r line </proc/cmdline
line=${line#*virtme.exec=\`}
echo "${line%%\`*}" | base64 -d >/run/script
setsid sh /run/script <"$(port stdin)" >"$(port stdout)" 2>"$(port stderr)"
echo $? >"$(port ret)"
sync
poweroff -f
