#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# traffic.sh FOLDER: the network traffic of make wall. The sample c_netdev receives packets into
# pages from plain GFP_ATOMIC, from a page_pool, and from a pool, in turn: in one guest whose memory
# is full of page cache, and in another one that counts instructions. Prints a table and a verdict,
# and keeps them in FOLDER.
#   WALL_MEMORY, WALL_BURST  as for wall.sh; a burst has one packet for each page
#   WALL_TRAFFIC  number of rounds with each source
# Status: 0 all requirements are met, 1 one is not met or the run failed, 3 the run is invalid.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/machine/pause.sh
source "$SCRIPTS/machine/pause.sh"

folder=${1:?traffic.sh needs a folder}
kernel=${KDIR:+kdir}
kernel=${kernel:-stock}
assignments=$("$SCRIPTS/environment/kernel.sh" "$kernel")
eval "$assignments"
mkdir -p "$folder"

# Debian compresses its modules. A guest does not see them, as they may be of another build.
pktgen=${K_MODULES:+$K_MODULES/usr/lib/modules/$K_RELEASE/kernel/net/core/pktgen.ko.xz}
pktgen=${pktgen:-$K_BUILD/net/core/pktgen.ko}
[[ -e $pktgen ]] || die "the kernel has no module pktgen: there is no $pktgen" \
	"build it with CONFIG_NET_PKTGEN=m, or leave the traffic out with WALL_TRAFFIC=0"
case $pktgen in
*.xz) xz -dc "$pktgen" >"$folder/pktgen.ko" ;;
*) cp "$pktgen" "$folder/pktgen.ko" ;;
esac

module=$("$SCRIPTS/build/build.sh" "$kernel" | tail -n 1)
driver=$("$SCRIPTS/build/build-driver.sh" "$kernel" "$module" "$TOP/samples/c_netdev")
tools=$("$SCRIPTS/environment/traffic.sh")
cp "$module" "${module%/*}/labyrinth_lab.ko" "$driver" "$TOP"/tests/traffic/* \
	"$TOP"/tests/wall/{kernel,pagecache}.py "$folder/"
truncate -s "$((2 * WALL_MEMORY))M" "$folder/cache"
trap 'rm -f "$folder/cache"' EXIT

# As in wall.sh, with one CPU.
under_pressure() {
	"$SCRIPTS/machine/vm.sh" --kernel "$kernel" --cpus 1 --memory "${WALL_MEMORY}M" \
		--boot-timeout 900 --timeout "$((900 + 600 * WALL_TRAFFIC))" \
		--append transparent_hugepage=never --log "$folder/console.log" -- \
		"$SCRIPTS/runs/traffic-guest.sh" "$folder" "$tools" "$WALL_BURST" "$WALL_TRAFFIC"
}

# Packs a guest as for make bench, with tools and the libraries that they need.
pack() {
	# shellcheck disable=SC2016 # expanded in the sandbox
	"$SCRIPTS/environment/sandbox.sh" bash -euo pipefail -c '
		tree=$1/initramfs libraries=$2/usr/lib/$(gcc -print-multiarch)
		mkdir -p "$tree"/{bin,dev,lib,lib64,proc,sys,tmp,tools}
		cp /usr/bin/busybox "$tree/bin/"
		cp "$1/init" "$tree/"
		cp -L "$2/usr/bin/iperf3" /usr/sbin/ip "$tree/tools/"
		for module in labyrinth c_netdev pktgen; do
			objcopy --strip-debug "$1/$module.ko" "$tree/$module.ko"
		done
		export LD_LIBRARY_PATH=$libraries
		for library in $(ldd "$tree"/tools/* | sed -n "s/.* => \(\/[^ ]*\) .*/\1/p" | sort -u); do
			cp -L "$library" "$tree/lib/"
		done
		# Threads that are cancelled load this one.
		cp -L "$(gcc -print-file-name=libgcc_s.so.1)" "$tree/lib/"
		cp -L /lib64/ld-linux-x86-64.so.2 "$tree/lib64/"
		cd "$tree"
		find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet >"$1/initramfs.cpio"
		rm -rf "$tree"' - "$folder" "$tools"
}

# The machine of make bench. Its clock advances by a nanosecond with each instruction.
counting() {
	local rc=0 log=$folder/instructions.log line
	line="console=$ARCH_CONSOLE loglevel=5 oops=panic panic=-1 nokaslr init_on_alloc=0"
	pack
	watched 1800 "$log" "$SCRIPTS/environment/sandbox.sh" --kernel "$kernel" "$ARCH_QEMU" \
		-accel "tcg,tb-size=256" -cpu "max,rdrand=off,rdseed=off" -icount "shift=0,sleep=off" \
		-smp 1 -m 512M -nodefaults -no-user-config -display none -no-reboot \
		-serial stdio -rtc base=2026-01-01,clock=vm \
		-kernel "$K_IMAGE" -initrd "$folder/initramfs.cpio" -append "$line" || rc=$?
	rm -f "$folder/initramfs.cpio"
	((rc == 0)) || { echo "QEMU ended with status $rc (124: not finished in time)"; return 1; }
	"$SCRIPTS/machine/console-verdict.sh" "$log"
	sed -i 's/\r$//' "$log"
	grep -qx 'TRAFFIC-END' "$log" || { echo "the guest did not finish, see $log"; return 1; }
}

AGAIN="make wall"
steps 2
step "network traffic while memory is full" "$folder/under_pressure.err" under_pressure
step "instructions for each packet" "$folder/counting.err" counting

rc=0
"$SCRIPTS/environment/sandbox.sh" python3 -B "$folder/report.py" "$folder" || rc=$?
[[ -s $folder/results.ktap ]] || die "the traffic has no result" "see $folder"
cat "$folder/table.txt"
echo
cat "$folder/results.ktap"
echo
case $rc in
0) ;;
2) exit 3 ;;
*) exit 1 ;;
esac
