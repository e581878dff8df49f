#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# shell.sh: opens a shell in a guest with the module loaded and its exercises running.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

[[ -t 0 && -t 1 ]] || die "make shell needs a terminal" \
	"to run a command in a guest without a terminal, use scripts/machine/vm.sh"
kernel=${KDIR:+kdir}
kernel=${kernel:-stock}
module=$("$SCRIPTS/build/build.sh" "$kernel" | tail -n 1)
tool=$("$SCRIPTS/build/tool.sh")
assignments=$("$SCRIPTS/environment/kernel.sh" "$kernel")
eval "$assignments"
[[ -n $K_IMAGE ]] ||
	die "the kernel tree $K_BUILD has no image to boot" "build it: make -C $K_BUILD $ARCH_TARGET"
accel=$("$SCRIPTS/machine/kvm-probe.sh" "$kernel")

# The interactive shell in the guest reads this file.
profile=$(mktemp "$CACHE/shell.XXXXXX")
trap 'rm -f "$profile"' EXIT
cat >"$profile" <<PROFILE
bash /.labyrinth/scripts/machine/guest-places.sh
mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
PATH=${tool%/*}:\$PATH
. ${tool%/*}/completions/labyrinth.bash
insmod $module && cd /sys/kernel/debug/labyrinth &&
	for run in exercise/*/run; do echo 1 >"\$run"; done &&
	echo "labyrinth is loaded and running. Try: cat stats, cat latency, ls exercise/*" &&
	echo "The tool is here, too. Try: labyrinth doctor, labyrinth failures --duration 10" &&
	echo "poweroff -f ends the virtual machine."
PROFILE
args=(--kimg "/.labyrinth/kernel/${K_IMAGE#"${K_MODULES:-$K_BUILD}/"}" --mods auto --memory 1G
	--cpus 2 --kopt init_on_alloc=1 --disable-microvm)
[[ $accel == kvm ]] || args+=(--disable-kvm)
"$SCRIPTS/environment/sandbox.sh" --kernel "$kernel" --over "$profile" /etc/bash.bashrc \
	virtme-run "${args[@]}"
