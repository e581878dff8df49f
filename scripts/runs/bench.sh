#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# bench.sh [--short] [--hardware] [--wide]: compares all ways to get a page, in the timer softirq, and some
# of them on 1, 2, 4 and 8 CPUs at once, in mixed contexts. Fails if a required ratio is not met.
# Prints results as KTAP. The folder build/bench gets results.ktap, results.md, results.json and the
# consoles.
#   --short     only the measurements for the required ratios, once, on one CPU
#   --hardware  count cycles of the real CPU with KVM, instead of instructions with QEMU's -icount.
#               The figures are medians, and no ratio is required.
#   --wide      only the accesses to shared memory, on 1 to 64 emulated CPUs. Takes some minutes.
# To measure on a real machine without KVM: make KDIR=…, insmod labyrinth.ko and labyrinth_lab.ko,
# and read labyrinth_lab/bench/full and …/scaling in debugfs. rust/lab/bench explains these lines.
# Each run boots its own guest from an initramfs, because virtiofs under emulation needs
# init_on_alloc=1, which takes more time than all that is measured here.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/machine/pause.sh
source "$SCRIPTS/machine/pause.sh"

usage() {
	printf 'labyrinth: error: bench.sh: %s\n' "$1" >&2
	exit 2
}

extent=full clock=instructions
while (($#)); do
	case $1 in
	--short) extent=short ;;
	--hardware) clock=cycles ;;
	--wide) extent=wide ;;
	*) usage "unknown argument '$1'; there are --short, --hardware and --wide" ;;
	esac
	shift
done

kernel=${KDIR:+kdir}
kernel=${kernel:-stock}
[[ $kernel == kdir ]] || "$SCRIPTS/environment/setup.sh" stock >&2
if [[ $clock == cycles && $("$SCRIPTS/machine/kvm-probe.sh" "$kernel") != kvm ]]; then
	die "KVM does not work here, so the cycles of the real CPU cannot be counted" \
		"leave --hardware out, or measure without a guest as Documentation/usage.md describes"
fi
assignments=$("$SCRIPTS/environment/kernel.sh" "$kernel")
eval "$assignments"

out=$TOP/build/bench
mkdir -p "$out"
lock "bench-$(cksum <<<"$out" | tr ' ' -)"
rm -rf "${out:?}"/*
module=$("$SCRIPTS/build/build.sh" "$kernel" | tail -n 1)

# Pack all that the guest needs into one archive.
# shellcheck disable=SC2016 # expanded in the sandbox
"$SCRIPTS/environment/sandbox.sh" bash -euo pipefail -c '
	tree=$1/initramfs
	mkdir -p "$tree"/{bin,dev,proc,sys}
	cp /usr/bin/busybox "$tree/bin/"
	cp "$2" "$tree/init"
	for module in labyrinth labyrinth_lab; do
		objcopy --strip-debug "$3/$module.ko" "$tree/$module.ko"
	done
	cd "$tree"
	find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet >"$1/initramfs.cpio"
	rm -rf "$tree"' - "$out" "$TOP/tests/bench/init" "${module%/*}"

case $clock in
# Without random numbers of the CPU, and with a clock that counts instructions, all boots are equal.
instructions)
	machine=(-accel "tcg,tb-size=256" -cpu "max,rdrand=off,rdseed=off"
		-icount "shift=0,sleep=off")
	;;
cycles) machine=(-accel kvm -cpu host) ;;
esac
machine+=(-smp 1 -m 256M)
# A thread for each CPU, so that the CPUs run at the same time, as far as the host has CPUs.
case $clock in
instructions) machines=(-accel "tcg,thread=multi,tb-size=512" -cpu max) ;;
cycles) machines=(-accel kvm -cpu host) ;;
esac
case $extent in
wide) machines+=(-smp 64 -m 1G) ;;
*) machines+=(-smp 8 -m 512M) ;;
esac

# boot NAME FILE INIT_ON_ALLOC OPTION…: reads a file of the benchmark in a guest with these options.
# Writes NAME.log and NAME.points. `watched` repeats it after a pause, which would be in the times.
boot() {
	local name=$1 file=$2 init=$3 rc=0 log=$out/$1.log line
	line="console=$ARCH_CONSOLE loglevel=5 oops=panic panic=-1 nokaslr init_on_alloc=$init bench=$file"
	shift 3
	watched 900 "$log" "$SCRIPTS/environment/sandbox.sh" --kernel "$kernel" "$ARCH_QEMU" \
		"$@" -nodefaults -no-user-config -display none -no-reboot \
		-serial stdio -rtc base=2026-01-01,clock=vm \
		-kernel "$K_IMAGE" -initrd "$out/initramfs.cpio" -append "$line" || rc=$?
	((rc == 0)) ||
		{ echo "QEMU ended with status $rc (124: not finished after 900 s)"; return 1; }
	"$SCRIPTS/machine/console-verdict.sh" "$log"
	tr -d '\r' <"$log" | sed -n '/^BENCH-BEGIN$/,/^BENCH-END/p' >"$out/$name.points"
	grep -qx 'BENCH-END 0' "$out/$name.points" ||
		{ echo "the benchmark did not finish, see $log"; return 1; }
}

# On several CPUs: the times when all work at once, and the accesses to memory that they share.
scaling() { boot scaling scaling 0 "${machines[@]}"; }
sharing() {
	"$SCRIPTS/environment/sandbox.sh" gcc -O2 -Wall -Wextra -Wno-unused-parameter \
		-fvisibility=hidden -shared -fPIC -o "$out/sharing.so" "$TOP/tests/bench/sharing.c"
	boot sharing sharing 0 "${machines[@]}" -plugin "$out/sharing.so,out=$out/sharing.counted"
}

if [[ $extent == wide ]]; then
	[[ $clock == instructions ]] || usage "--wide counts in an emulator, so it excludes --hardware"
	steps 1
	step "benchmark, 1 to 64 CPUs at once (sharing)" "$out/sharing.err" sharing
	"$SCRIPTS/environment/sandbox.sh" python3 -B "$TOP/tests/bench/scaling.py" "$out" ||
		die "a required figure is not met (see 'not ok' above)"
	exit
fi
runs=(init_on_alloc-0)
# On PREEMPT_RT most peers must not run in a hard interrupt.
at_once=(scaling sharing)
if [[ $clock == cycles ]]; then at_once=(scaling); fi
if grep -qx CONFIG_PREEMPT_RT=y "$K_BUILD/.config"; then at_once=(); fi
case $extent-$clock in
short-*) steps 1 ;;
full-cycles) steps $((2 + ${#at_once[@]})) ;;
full-instructions) steps $((3 + ${#at_once[@]})) ;;
esac
step "benchmark, init_on_alloc=0 ($extent, $clock)" "$out/boot-0.err" \
	boot init_on_alloc-0 "$extent" 0 "${machine[@]}"
if [[ $extent == full ]]; then
	[[ $clock == cycles ]] ||
		step "benchmark again: the figures must be the same" "$out/boot-0-again.err" \
			boot again full 0 "${machine[@]}"
	step "benchmark, init_on_alloc=1 ($extent, $clock)" "$out/boot-1.err" \
		boot init_on_alloc-1 full 1 "${machine[@]}"
	runs+=(init_on_alloc-1)
	for what in "${at_once[@]}"; do
		step "benchmark, 1 to 8 CPUs at once ($what)" "$out/$what.err" "$what"
	done
fi

rc=0
"$SCRIPTS/environment/sandbox.sh" python3 -B "$TOP/tests/bench/report.py" "$out" "$clock" \
	"$K_BUILD/.config" "${runs[@]}" || rc=$?
note "results: $out/results.md, results.json, results.ktap"
((rc == 0)) || die "a figure is wrong, or a required ratio is not met (see 'not ok' above)"
