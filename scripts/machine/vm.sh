#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm.sh --kernel stock|debug|kdir [OPTION]… --log FILE -- COMMAND…
# Boots the kernel in a virtual machine and runs COMMAND in it as root. The guest sees the
# toolchain root, the checkout and the cache read-only, at the paths they have here.
#   --timeout S      for all of it (default 600)
#   --boot-timeout S until COMMAND starts (default 480)
#   --cpus N         (default 2)
#   --memory M       (default 1G)
#   --append ARGS    more kernel command line; may be repeated
#   --device DEV     a device that QEMU emulates, with its properties; may be repeated
#   --iommu          all devices of PCI, but not those of virtio, behind an IOMMU that forgets at once
#                    what the kernel has unmapped
#   --node M,cpus=N  a NUMA node with so much of the memory (0: none) and a CPU; may be repeated
#   --rwdir DIR      a folder that the guest may write to. So is the folder of FILE, unless it is
#                    one that the guest has itself, such as /tmp
#   --stop-at-report do not wait for COMMAND once the kernel has reported a bug
#   --accel A        auto, kvm or tcg (default auto)
#   --log FILE       the whole console; FILE with .out for .log is what COMMAND printed
# If a guest fails or runs out of time after the whole machine has stopped for a while, it is
# started again from scratch, so COMMAND must bear being run again. Such a pause is more than 10 s
# in which this script did not run either, see pause.sh. The guest is started again at most twice,
# each time only after another pause, and never if the kernel had reported a bug, or COMMAND had
# failed, before the pause. FILE with .paused for .log is the console of the last guest that was
# given up, and .paused-out its output. Pauses do not count for the time limits.
# Status: 0 COMMAND passed, 1 it failed, 2 wrong usage, 3 the kernel reported a bug or died,
# 4 timeout.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"
# shellcheck source=scripts/machine/pause.sh
source "$SCRIPTS/machine/pause.sh"

# Where virtme-run finds it.
VIRTIOFSD=/usr/libexec/virtiofsd
VIRTME_INIT=/usr/lib/python3/dist-packages/virtme/guest/virtme-init

usage() {
	printf 'labyrinth: error: vm.sh: %s\n' "$1" >&2
	exit 2
}

whole_number() { [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || usage "$1 wants a whole number above 0, not '$2'"; }

kernel='' timeout=600 boot_timeout=480 cpus=2 memory=1G accel=auto log='' append=() rwdirs=() sockets=''
stop_at_report=''
while (($#)); do
	case $1 in
	--kernel | --timeout | --boot-timeout | --cpus | --memory | --append | --device | --node | --rwdir | --accel | --log)
		(($# > 1)) || usage "$1 wants a value" ;;&
	--kernel) kernel=$2; shift 2 ;;
	--timeout) whole_number "$1" "$2"; timeout=$2; shift 2 ;;
	--boot-timeout) whole_number "$1" "$2"; boot_timeout=$2; shift 2 ;;
	--cpus) whole_number "$1" "$2"; cpus=$2; shift 2 ;;
	--memory)
		[[ $2 =~ ^[1-9][0-9]{0,5}[MG]$ ]] || usage "--memory wants a number with M or G, not '$2'"
		memory=$2
		shift 2
		;;
	--append) append+=(--kopt "$2"); shift 2 ;;
	--device) append+=(--qemu-opt=-device "--qemu-opt=$2"); shift 2 ;;
	--iommu)
		# Without interrupt remapping no kind of machine is too simple for it.
		append+=(--qemu-opt=-device "--qemu-opt=intel-iommu,intremap=off" --kopt intel_iommu=on --kopt iommu.strict=1)
		shift
		;;
	--node)
		# Two nodes cannot share a socket.
		sockets=yes
		if [[ $2 == 0,* ]]; then append+=(--qemu-opt=-numa "--qemu-opt=node${2#0}"); else append+=(--numa "$2"); fi
		shift 2
		;;
	--rwdir) rwdirs+=("$2"); shift 2 ;;
	--accel) accel=$2; shift 2 ;;
	--stop-at-report) stop_at_report=1; shift ;;
	--log) log=$2; shift 2 ;;
	--) shift; break ;;
	*) usage "unknown argument '$1'" ;;
	esac
done
[[ -n $kernel ]] || usage "--kernel is missing"
[[ $log == *.log ]] || usage "--log wants a file name that ends in .log, not '$log'"
(($#)) || usage "no command given"

mkdir -p "$(dirname "$log")"
log=$(realpath "$log")
base=${log%.log}
folder=${log%/*}
for dir in "${!rwdirs[@]}"; do
	rwdirs[dir]=$(realpath -e -- "${rwdirs[dir]}") || usage "--rwdir is no folder"
	! system_folder "${rwdirs[dir]}" || usage "a guest has a folder of its own at ${rwdirs[dir]}"
done
system_folder "$folder" || rwdirs+=("$folder")
rm -f "$base".paused{,-out}
# The orders for vm-guest.sh.
{
	printf 'name=%q\nrwdirs() { writable' "${base##*/}"
	((${#rwdirs[@]} == 0)) || printf ' %q' "${rwdirs[@]}"
	printf '; }\nset --'
	printf ' %q' "$@"
	printf '\n'
} >"$base.job"

assignments=$("$SCRIPTS/environment/kernel.sh" "$kernel")
eval "$assignments"
case $accel in
auto) accel=$("$SCRIPTS/machine/kvm-probe.sh" "$kernel") ;;
kvm | tcg) ;;
*) usage "--accel is auto, kvm or tcg, not '$accel'" ;;
esac

enter=("$SCRIPTS/environment/sandbox.sh" --kernel "$kernel" --over "$ROOT_DIR$VIRTIOFSD" /.labyrinth/virtiofsd
	--over "$SCRIPTS/machine/guest-virtiofsd.sh" "$VIRTIOFSD" --over "$SCRIPTS/machine/guest-init.sh" "$VIRTME_INIT"
	--over "$base.job" /.labyrinth/job --log "$folder")
for dir in "${rwdirs[@]}"; do enter+=(--bind "$dir"); done

# virtiofsd writes guest memory behind the emulator's back. The emulator only notices that a
# page holds new code when the guest itself has written to it: init_on_alloc sees to that.
# console-verdict.sh knows the kernel's own lines by their time, which not every kernel prints unasked.
machine=(--kimg "/.labyrinth/kernel/${K_IMAGE#"${K_MODULES:-$K_BUILD}/"}" --mods auto --disable-microvm --memory "$memory" --cpus "$cpus${sockets:+,sockets=$cpus}"
	--show-boot-console --verbose
	--kopt printk.time=1 --kopt init_on_alloc=1 --kopt oops=panic --kopt rcupdate.rcu_cpu_stall_timeout=60)
[[ $accel == kvm ]] || machine+=(--disable-kvm)
machine+=("${append[@]}" --script-sh "exec busybox sh /.labyrinth/scripts/machine/vm-guest.sh")

vm='' reader=''
stop_vm() {
	[[ -n $vm ]] || return 0
	kill -TERM -- "-$vm" 2>/dev/null || true
	for _ in {1..20}; do
		kill -0 -- "-$vm" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL -- "-$vm" 2>/dev/null || true
	wait "$vm" "$reader" 2>/dev/null || true
	vm=
}
trap stop_vm EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# In a process group of its own, which stop_vm ends, and a child of this very script, because the
# sandbox dies with its parent, even if that is killed outright. virtme-run wants pipes: QEMU would
# truncate a file each time it opens one of its outputs.
start_vm() {
	local console
	exec {console}> >(exec cat >"$log")
	reader=$!
	set -m
	"${enter[@]}" virtme-run "${machine[@]}" </dev/null >&"$console" 2>&1 {console}>&- &
	vm=$!
	set +m
	exec {console}>&-
}

# report_in FILE: whether there is a report of the kernel in it.
report_in() {
	local rc=0
	"$SCRIPTS/machine/console-verdict.sh" "$1" >/dev/null 2>&1 || rc=$?
	((rc == 1))
}

say() {
	if [[ -t 2 ]]; then printf '\r\033[K[vm %s] %s' "$kernel" "$1" >&2; else printf '[vm %s] %s\n' "$kernel" "$1" >&2; fi
}

# broken: whether the guest had failed at the last look: COMMAND had ended with a failure, or the
# part of the console that there was had a report in it.
broken() {
	[[ -n $done_at && $(<"$base.rc") != 0 ]] || { ((known)) && head -c "$known" "$log" | report_in /dev/stdin; }
}

# Runs one machine from its start to its end. Sets ended, if the machine had to be stopped, and
# excused, if it may be failing because of a pause.
run_vm() {
	local told=0 retries=2 phase=booting done_at='' known=0
	ended='' excused=''
	rm -f "$log" "$base".{out,rc,up}
	start_vm
	watch_start
	say "booting ($accel)"
	while :; do
		if watch_tick; then
			say "this machine has stopped for a while: paused for $paused s so far"
			[[ -n $excused ]] || broken || excused=1
		fi
		if ! kill -0 -- "-$vm" 2>/dev/null; then break; fi
		known=$(stat -c %s "$log" 2>/dev/null) || known=0
		if [[ $phase == booting && -e $base.up ]]; then
			phase=running
			say "booted in $elapsed s, running"
		fi
		if [[ $phase == booting ]] && ((retries)) && grep -qs 'fallback to 9p' "$log"; then
			# A busy machine can miss virtme-run's three seconds for starting virtiofsd.
			((retries--))
			stop_vm
			say "virtiofsd came too late, once more"
			start_vm
		fi
		if [[ -z $done_at && -s $base.rc ]]; then done_at=$elapsed; fi
		if ((elapsed >= timeout)); then
			ended="no end after $timeout s"
		elif [[ $phase == booting ]] && ((elapsed >= boot_timeout)); then
			ended="not booted after $boot_timeout s"
		elif [[ -n $done_at ]] && ((elapsed - done_at >= 60)); then
			ended="not powered off 60 s after the command's end"
		fi
		[[ -z $ended ]] || break
		if [[ -n $stop_at_report ]] && report_in "$log"; then
			# Let the rest of the report arrive.
			sleep 3
			break
		fi
		if [[ -t 2 ]] || ((elapsed - told >= 30)); then
			told=$elapsed
			say "$phase, $elapsed s"
		fi
		sleep 0.3
	done
	stop_vm
	[[ ! -t 2 ]] || printf '\r\033[K' >&2
}

# Sets status and words.
judge() {
	local judged=0 reports
	reports=$("$SCRIPTS/machine/console-verdict.sh" "$log") || judged=$?
	[[ -z $reports ]] || printf '%s\n' "$reports" | sed 's/^/    /' >&2
	if ((judged == 1)); then
		status=3 words="the kernel reported a bug"
	elif [[ -n $ended ]]; then
		status=4 words="timeout: $ended"
	elif ((judged != 0)); then
		status=3 words="the console cannot be judged"
	elif [[ ! -s $base.rc ]]; then
		status=3 words="the machine ended without a result"
	elif [[ $(<"$base.rc") != 0 ]]; then
		status=1 words="failed (status $(<"$base.rc"))"
	else
		status=0 words=passed
	fi
}

repeats=2
while :; do
	run_vm
	judge
	if ((!status || !repeats)) || [[ -z $excused ]]; then break; fi
	repeats=$((repeats - 1))
	say "$words, after this machine has stopped for a while: starting the guest once more; its first console is $base.paused"
	mv "$log" "$base.paused"
	[[ ! -e $base.out ]] || mv "$base.out" "$base.paused-out"
done
printf '[vm %s] %s after %d s\n' "$kernel" "$words" "$elapsed" >&2
((status == 0)) || printf '[vm %s] console: %s\n[vm %s] output: %s\n' "$kernel" "$log" "$kernel" "$base.out" >&2
exit "$status"
