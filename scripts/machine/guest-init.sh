#!/usr/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# Stands in for virtme-init, the first process of a guest. virtme-init prepares machines for much
# more than one script, and starts some fifty programs for that: half of the time of an emulated
# boot. This script does only what vm-guest.sh and the tests need. Its shell has mount and the like
# built in.

# Until this mount, /proc, with this shell's own executable, is virtiofsd's.
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
# The kernel must not load modules of its own accord: they may be those of another build.
release=/lib/modules/$(uname -r)
[ ! -d "$release" ] || mount -t tmpfs -o ro,mode=0000 none "$release"

# The ports by which virtme-run gets input and output of the script, and its status.
port() {
	for name in /sys/class/virtio-ports/*/name; do
		read -r found <"$name"
		[ "$found" != "virtme.$1" ] || { name=${name%/name}; echo "/dev/${name##*/}"; return; }
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
