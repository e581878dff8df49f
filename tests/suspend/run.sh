#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh stock|debug|kdir FOLDER [MODULE]: suspends a guest to memory while the exercises run. After
# the suspend they must run on all CPUs again. Prints KTAP. The console is kept in FOLDER.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
# shellcheck source=scripts/machine/pause.sh
source "$SCRIPTS/machine/pause.sh"
# shellcheck source=scripts/runs/ktap.sh
source "$SCRIPTS/runs/ktap.sh"
here=$TOP/tests/suspend scripts=$SCRIPTS
log=$folder/suspend.log
cpus=2
module=${3:-$("$scripts/build/build.sh" "$kernel" | tail -n 1)}

suspend() {
	# shellcheck disable=SC2016 # expanded in the sandbox
	"$scripts/environment/sandbox.sh" --bind "$folder" bash -euo pipefail -c '
		tree=$1/initramfs
		rm -rf "$tree"
		mkdir -p "$tree"/{bin,dev,proc,sys}
		cp /usr/bin/busybox "$tree/bin/"
		install -m 0755 "$2" "$tree/init"
		objcopy --strip-debug "$3" "$tree/labyrinth.ko"
		cd "$tree"
		find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet >"$1/initramfs.cpio"
		rm -rf "$tree"' - "$folder" "$here/init" "$module" || return
	local line="console=$ARCH_CONSOLE no_console_suspend printk.time=1 oops=panic panic=-1"
	line+=" mem_sleep_default=deep"
	watched 300 "$log" "$scripts/environment/sandbox.sh" --kernel "$kernel" --bind "$folder" \
		"$ARCH_QEMU" -accel tcg -cpu max -smp "$cpus" -m 512M -nodefaults -no-user-config \
		-display none -no-reboot -serial stdio -kernel "$K_IMAGE" \
		-initrd "$folder/initramfs.cpio" -append "$line"
}

# complaint: prints what is wrong, if anything.
complaint() {
	tr -d '\r' <"$log" | awk -v cpus="$cpus" '
		$1 == "work" { seen[$2, $3, $4] = $5 }
		$1 == "run" { runs += $2 }
		$1 == "suspended" { suspended = $2 }
		$1 == "exercises" { exercises = $2 }
		$1 == "online" { online = $2 }
		$1 == "in_flight" { left = $2 }
		$1 == "unloaded" { unloaded = $2 }
		function wrong(text) { print text; bad = 1 }
		END {
			if (suspended != "0") wrong("the machine did not suspend: " suspended)
			if (online != "0-" cpus - 1) wrong("CPUs online: " online)
			for (cpu = 0; cpu < cpus; cpu++)
				for (context = 0; context < 4; context++) {
					if (!seen["before", cpu, context])
						wrong("CPU " cpu " had no work in context " context)
					if (!seen["after", cpu, context])
						wrong("CPU " cpu " has no work in context " context " after it")
				}
			if (runs != exercises || !runs) wrong(runs " of " exercises " exercises run")
			if (left != "0") wrong("pages in flight: " left)
			if (unloaded != "0") wrong("not unloaded: " unloaded)
		}'
	"$scripts/machine/console-verdict.sh" "$log" || true
}

ktap_print_header
ktap_set_plan 1
if ! suspend >&2; then
	ktap_print_msg "the machine did not finish: $log"
	ktap_test_fail exercises_go_on_after_suspend
elif none=$(grep -a '^no suspend' "$log"); then
	ktap_print_msg "SKIP exercises_go_on_after_suspend: $none"
	ktap_test_skip exercises_go_on_after_suspend
elif problems=$(complaint) && [[ -n $problems ]]; then
	while read -r line; do ktap_print_msg "$line"; done <<<"$problems"
	ktap_test_fail exercises_go_on_after_suspend
else
	ktap_test_pass exercises_go_on_after_suspend
fi
ktap_finished
