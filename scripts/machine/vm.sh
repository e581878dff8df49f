#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm.sh --kernel stock|debug|kdir|RELEASE [OPTION]… --log FILE -- COMMAND…
# Boots the kernel in a virtual machine and runs COMMAND in it as root. The guest sees the toolchain
# root, the checkout and the cache read-only, at the same paths as the host.
#   --timeout S      seconds for everything (default 600)
#   --boot-timeout S seconds until COMMAND starts (default 480)
#   --cpus N         number of CPUs (default 2)
#   --memory M       size of the memory (default 1G)
#   --append ARGS    added to the kernel command line; may be repeated
#   --device DEV     a device that QEMU emulates, with its properties; may be repeated
#   --iommu          puts all PCI devices, except those of virtio, behind an IOMMU in strict mode
#   --node M,cpus=N  a NUMA node with this part of the memory (0: none) and a CPU; may be repeated
#   --rwdir DIR      a folder that the guest may write to. The folder of FILE is writable, too,
#                    unless the guest has its own folder at this path, such as /tmp
#   --stop-at-report do not wait for COMMAND once the kernel has reported a bug
#   --accel A        auto, kvm or tcg (default auto)
#   --log FILE       FILE gets the console. The output of COMMAND goes to FILE with .out for .log
# The whole machine can be paused; see pause.sh. If a guest fails or exceeds its time after a pause
# of more than 10 s, it is started again, so COMMAND must tolerate being run again. That is done at
# most twice, each time only after another pause, and never if the kernel had reported a bug or
# COMMAND had failed before the pause. FILE with .paused for .log is the console of the last guest
# that was given up, and .paused-out its output. Pauses do not count for the time limits.
# Status: 0 COMMAND passed, 1 it failed, 2 wrong usage, 3 the kernel reported a bug or died,
# 4 timeout.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"
# shellcheck source=scripts/machine/pause.sh
source "$SCRIPTS/machine/pause.sh"

# virtme-run looks for these files there.
VIRTIOFSD=/usr/libexec/virtiofsd
VIRTME_INIT=/usr/lib/python3/dist-packages/virtme/guest/virtme-init

usage() {
	printf 'labyrinth: error: vm.sh: %s\n' "$1" >&2
	exit 2
}

whole_number() {
	[[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || usage "$1 needs a whole number above 0, not '$2'"
}

kernel='' timeout=600 boot_timeout=480 cpus=2 memory=1G accel=auto log='' append=() rwdirs=()
sockets='' stop_at_report=''
while (($#)); do
	case $1 in
	--kernel | --timeout | --boot-timeout | --cpus | --memory | --append | --device | \
		--node | --rwdir | --accel | --log)
		(($# > 1)) || usage "$1 needs a value" ;;&
	--kernel) kernel=$2; shift 2 ;;
	--timeout) whole_number "$1" "$2"; timeout=$2; shift 2 ;;
	--boot-timeout) whole_number "$1" "$2"; boot_timeout=$2; shift 2 ;;
	--cpus) whole_number "$1" "$2"; cpus=$2; shift 2 ;;
	--memory)
		[[ $2 =~ ^[1-9][0-9]{0,5}[MG]$ ]] || usage "--memory needs a number with M or G, not '$2'"
		memory=$2
		shift 2
		;;
	--append) append+=(--kopt "$2"); shift 2 ;;
	--device) append+=(--qemu-opt=-device "--qemu-opt=$2"); shift 2 ;;
	--iommu)
		append+=(--qemu-opt=-device "--qemu-opt=$ARCH_IOMMU_DEVICE" --kopt "$ARCH_IOMMU_KERNEL"
			--kopt iommu.strict=1)
		shift
		;;
	--node)
		# Each node needs a socket of its own.
		sockets=yes
		if [[ $2 == 0,* ]]; then
			append+=(--qemu-opt=-numa "--qemu-opt=node${2#0}")
		else
			append+=(--numa "$2")
		fi
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
[[ $log == *.log ]] || usage "--log needs a file name that ends in .log, not '$log'"
(($#)) || usage "no command given"

mkdir -p "$(dirname "$log")"
log=$(realpath "$log")
base=${log%.log}
folder=${log%/*}
for dir in "${!rwdirs[@]}"; do
	rwdirs[dir]=$(realpath -e -- "${rwdirs[dir]}") || usage "--rwdir is not a folder"
	! system_folder "${rwdirs[dir]}" || usage "a guest has its own folder at ${rwdirs[dir]}"
done
system_folder "$folder" || rwdirs+=("$folder")
rm -f "$base".paused{,-out}
# The job for vm-guest.sh.
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

enter=("$SCRIPTS/environment/sandbox.sh" --kernel "$kernel"
	--over "$ROOT_DIR$VIRTIOFSD" /.labyrinth/virtiofsd
	--over "$SCRIPTS/machine/guest-virtiofsd.sh" "$VIRTIOFSD"
	--over "$SCRIPTS/machine/guest-init.sh" "$VIRTME_INIT"
	--over "$base.job" /.labyrinth/job --log "$folder")
for dir in "${rwdirs[@]}"; do enter+=(--bind "$dir"); done

# virtiofsd writes to guest memory without the emulator's knowledge. The emulator notices new code
# in a page only if the guest itself writes to the page, which init_on_alloc ensures.
# console-verdict.sh recognizes lines of the kernel by their time, which some kernels print only
# with printk.time=1.
machine=(--kimg "/.labyrinth/kernel/${K_IMAGE#"${K_MODULES:-$K_BUILD}/"}" --mods auto
	--memory "$memory" --cpus "$cpus${sockets:+,sockets=$cpus}" --disable-microvm
	--show-boot-console --verbose --kopt printk.time=1 --kopt init_on_alloc=1
	--kopt oops=panic --kopt rcupdate.rcu_cpu_stall_timeout=60)
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

# The guest has its own process group, which stop_vm ends. It is a child of this shell, because the
# sandbox dies with its parent, even if that is killed by SIGKILL. Its output is a pipe, because
# QEMU would truncate a file each time it opens one of its outputs.
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

# report_in FILE: whether a console has a report of the kernel.
report_in() {
	local rc=0
	"$SCRIPTS/machine/console-verdict.sh" "$1" >/dev/null 2>&1 || rc=$?
	((rc == 1))
}

say() {
	if [[ -t 2 ]]; then
		printf '\r\033[K[vm %s] %s' "$kernel" "$1" >&2
	else
		printf '[vm %s] %s\n' "$kernel" "$1" >&2
	fi
}

# broken: whether the guest had failed at the last check: COMMAND had ended with a failure, or the
# console, as far as it went, had a report.
broken() {
	[[ -n $done_at && $(<"$base.rc") != 0 ]] && return
	((known)) && head -c "$known" "$log" | report_in /dev/stdin
}

# Runs a guest from start to end. Sets `ended` to the reason if the guest had to be stopped, and
# `excused` if a pause may be the cause of a failure.
run_vm() {
	local told=0 retries=2 phase=booting done_at='' known=0
	ended='' excused=''
	rm -f "$log" "$base".{out,rc,up}
	start_vm
	watch_start
	say "booting ($accel)"
	while :; do
		if watch_tick; then
			say "this machine was paused for $paused s so far"
			[[ -n $excused ]] || broken || excused=1
		fi
		if ! kill -0 -- "-$vm" 2>/dev/null; then break; fi
		known=$(stat -c %s "$log" 2>/dev/null) || known=0
		if [[ $phase == booting && -e $base.up ]]; then
			phase=running
			say "booted in $elapsed s, running"
		fi
		if [[ $phase == booting ]] && ((retries)) && grep -qs 'fallback to 9p' "$log"; then
			# On a busy machine, virtiofsd can need more than the three seconds that
			# virtme-run waits for it.
			((retries--))
			stop_vm
			say "virtiofsd started too late, trying again"
			start_vm
		fi
		if [[ -z $done_at && -s $base.rc ]]; then done_at=$elapsed; fi
		if ((elapsed >= timeout)); then
			ended="not finished after $timeout s"
		elif [[ $phase == booting ]] && ((elapsed >= boot_timeout)); then
			ended="not booted after $boot_timeout s"
		elif [[ -n $done_at ]] && ((elapsed - done_at >= 60)); then
			ended="not powered off 60 s after the end of the command"
		fi
		[[ -z $ended ]] || break
		if [[ -n $stop_at_report ]] && report_in "$log"; then
			# Wait for the rest of the report.
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

# Sets `status` and `words`, the verdict on the guest.
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
	say "$words, after this machine was paused: starting the guest again; see $base.paused"
	mv "$log" "$base.paused"
	[[ ! -e $base.out ]] || mv "$base.out" "$base.paused-out"
done
printf '[vm %s] %s after %d s\n' "$kernel" "$words" "$elapsed" >&2
((status == 0)) ||
	printf '[vm %s] %s: %s\n' "$kernel" console "$log" "$kernel" output "$base.out" >&2
exit "$status"
