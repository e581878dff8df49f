#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh stock|debug|kdir FOLDER [CASE]…: tests the scripts that run the tests. If a guest dies,
# hangs or prints a report of the kernel, the scripts must report a failure, and keep the console.
# Prints KTAP. Consoles are kept in FOLDER. LABYRINTH_SOAK=1 adds more of these guests.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
# shellcheck source=scripts/runs/ktap.sh
source "$SCRIPTS/runs/ktap.sh"
here=$TOP/tests/runner scripts=$SCRIPTS
install=$folder/install
rm -rf "$install"
# shellcheck source=tests/runner/places.sh
source "$here/places.sh"
# shellcheck source=tests/runner/pauses.sh
source "$here/pauses.sh"

names=("${@:3}")
# These two cases share a guest.
case " ${names[*]} " in
*" kernel_panics "* | *" guest_writes_in_other_places "*)
	mapfile -t names < <(printf '%s\n' "${names[@]}" kernel_panics \
		guest_writes_in_other_places | sort -u)
	;;
esac
declare -A seen=()
# selected NAME: whether this case is to run.
selected() {
	seen[$1]=1
	((${#names[@]} == 0)) || [[ " ${names[*]} " == *" $1 "* ]]
}

# result NAME COMMAND…: a case that passes if COMMAND succeeds.
result() { if selected "$1"; then ktap_test_result "$@"; fi; }

# booted NAME STATUS CONSOLE-TEXT [OPTION]… -- COMMAND…: a case that passes if vm.sh ends with this
# status, and the text is in the console.
booted() {
	selected "$1" || return 0
	local name=$1 wanted=$2 text=$3 rc=0
	shift 3
	# One CPU, as another guest runs at the same time.
	"$scripts/machine/vm.sh" --kernel "$kernel" --cpus 1 --log "$folder/$name.log" "$@" \
		2>"$folder/$name.vm" || rc=$?
	if ((rc != wanted)); then
		ktap_print_msg "$name: status $rc, not $wanted; see $folder/$name.vm"
	elif ! grep -aq "$text" "$folder/$name.log"; then
		ktap_print_msg "$name: no '$text' in $folder/$name.log"
	else
		ktap_test_pass "$name"
		return
	fi
	ktap_test_fail "$name"
}

# outcome NAME GOT WANTED: a case that passes if the texts are equal.
outcome() {
	selected "$1" || return 0
	if [[ $2 == "$3" ]]; then
		ktap_test_pass "$1"
	else
		ktap_print_msg "$1: '$2', not '$3'"
		ktap_test_fail "$1"
	fi
}

# judged NAME STATUS LINE…: a case that passes if console-verdict.sh ends with this status for a
# console with these lines.
judged() {
	selected "$1" || return 0
	local name=$1 wanted=$2 rc=0
	shift 2
	printf '%s\n' "$@" >"$folder/$name.log"
	"$scripts/machine/console-verdict.sh" "$folder/$name.log" >"$folder/$name.vm" || rc=$?
	outcome "$name" "$rc" "$wanted"
}

# dies NAME RESULTS CODE: a case that passes if a program with this code prints these results before
# it dies.
dies() {
	selected "$1" || return 0
	local name=$1 wanted=$2 program=$folder/dying/labyrinth/$1.py got
	mkdir -p "$folder/dying/kselftest" "${program%/*}"
	cp "$K_SOURCE/tools/testing/selftests/kselftest/ksft.py" "$folder/dying/kselftest/"
	cp -r "$here/../selftests/lib" "${program%/*}/"
	printf 'from lib import ktap\n%b' "$3" >"$program"
	got=$(python3 "$program" | grep -E '^(1\.\.|ok|not ok)' | sed 's/ *$//' | paste -sd ,) || true
	outcome "$name" "$got" "$wanted"
}

# collection.py, which starts Python only once, prints the same as the kernel's test runner, however
# a program ends.
collection_is_like_the_kernels_runner() {
	local tests=$folder/collection/labyrinth name kind
	local -A code=([passes]='ktap.main(one)' [fails]='ktap.main(other, one)'
		[skips]='sys.exit(4)' [raises]='raise OSError("early")'
		[is_killed]='print("so far", flush=True); os.kill(os.getpid(), 9)'
		[hangs]='print("begun", flush=True); time.sleep(60)')
	rm -rf "$folder/collection"
	mkdir -p "$folder/collection/kselftest" "$tests"
	cp "$K_SOURCE/tools/testing/selftests/run_kselftest.sh" "$folder/collection/"
	cp "$K_SOURCE/tools/testing/selftests/kselftest"/{runner.sh,prefix.pl,ktap_helpers.sh,ksft.py} \
		"$folder/collection/kselftest/"
	cp -r "$here/../selftests/lib" "$tests/"
	echo timeout=5 >"$tests/settings"
	for name in "${!code[@]}"; do
		printf '%s\n' '#!/usr/bin/env python3' 'import os, sys, time' 'from lib import ktap' \
			'def one(): pass' 'def other(): raise AssertionError' "${code[$name]}" \
			>"$tests/$name.py"
		chmod +x "$tests/$name.py"
		echo "labyrinth:$name.py" >>"$folder/collection/kselftest-list.txt"
	done
	# shellcheck disable=SC2016 # expanded in the sandbox
	"$scripts/environment/sandbox.sh" --bind "$folder" sh -c 'cd "$1"
		{
			KSELFTEST_PASSES_PY_ARGS=one busybox sh ./run_kselftest.sh 2>&1
			echo "status $?"
		} | cat >kernels.out
		cd labyrinth
		lib/collection.py passes.py:one $(ls *.py | sed "/^passes/d") >../ours.out 2>&1
		echo "status $?" >>../ours.out' - "$folder/collection"
	# The order, the totals, the times and the line numbers can differ, and only a shell prints
	# that a program was killed.
	for kind in kernels ours; do
		sed -E '/^# Totals|^# [0-9]+ skipped|Killed$|took [0-9.]+ s$|\^\^/d
			/^# #   File |^# #     /d
			s/^((not )?ok) [0-9]+ /\1 /' "$folder/collection/$kind.out" |
			sort >"$folder/collection/$kind"
	done
	if ! diff "$folder/collection/kernels" "$folder/collection/ours" ||
		(($(grep -cE '^(not )?ok selftests: ' "$folder/collection/ours") != ${#code[@]})); then
		ktap_print_msg "kernels.out and ours.out in $folder/collection differ"
		return 1
	fi
}

# gone GROUP: whether a process group ends within some seconds.
gone() {
	for _ in {1..50}; do
		[[ -n $(pgrep -g "$1") ]] || return 0
		sleep 0.1
	done
	ktap_print_msg "left: $(pgrep -ag "$1")"
	return 1
}

# leaves_nothing SIGNAL STATUS: this signal to vm.sh must end QEMU and virtiofsd, too. They are
# found by their process group, which they cannot leave.
leaves_nothing() {
	local pid group rc=0 log=$folder/left_by_$1.log
	set -m
	"$scripts/machine/vm.sh" --kernel "$kernel" --cpus 1 --log "$log" -- sleep 1000 \
		2>"${log%.log}.vm" &
	pid=$!
	set +m
	for _ in {1..300}; do
		[[ ! -s $log ]] || break
		sleep 0.1
	done
	group=$(pgrep -P "$pid" -x bwrap)
	kill "-$1" "$pid"
	{ wait "$pid"; } 2>/dev/null || rc=$?
	if ((rc != $2)) || [[ -z $group ]]; then
		ktap_print_msg "status $rc, machine '$group'"
		return 1
	fi
	gone "$group"
}

# If a script is killed by SIGKILL, guard ends its process groups.
killed_owner_leaves_nothing() {
	local pid group
	: >"$folder/guarded"
	bash -c 'source "$1/lib.sh"; set -m; sleep 1000 & set +m; guard $!; echo $! >"$2"; wait $!' \
		- "$scripts" "$folder/guarded" &
	pid=$!
	for _ in {1..50}; do
		[[ ! -s $folder/guarded ]] || break
		sleep 0.1
	done
	group=$(<"$folder/guarded")
	[[ -n $group && -n $(pgrep -g "$group") ]] ||
		{ ktap_print_msg "nothing to guard"; return 1; }
	kill -KILL "$pid"
	{ wait "$pid"; } 2>/dev/null || true
	gone "$group"
}

# Installs the module and the tests into $install.
install_tests() {
	local module
	[[ ! -d $install ]] || return 0
	module=$("$scripts/build/build.sh" "$kernel" 2>"$folder/build.log" | tail -n 1)
	"$scripts/runs/kselftest.sh" "$kernel" "$module" "$install" >>"$folder/build.log" 2>&1
}

# without_debugfs CASE: tests the module in a guest that was booted with debugfs=WORD, where WORD is
# the end of the name of the case.
without_debugfs() {
	selected "$1" || return 0
	install_tests
	booted "$1" 0 'labyrinth: no reports and no control files: debugfs is switched off' \
		--append "debugfs=${1##*_}" -- "$install/labyrinth/no_debugfs.py"
}

# This policy stops the guest on purpose, which only a test on the host can check.
sentinel_stops_the_machine() {
	selected sentinel_stops_the_machine || return 0
	install_tests
	booted sentinel_stops_the_machine 3 \
		'Kernel panic - not syncing: labyrinth: page frame 0x[0-9a-f]* is damaged from byte 4095 on' -- \
		"$install/labyrinth/sentinels.py" machine_stops
}

# Runs the commands of README.md for a new driver. $folder is in build/, where no driver can be.
driver_of_ones_own() {
	local log=$folder/first_driver.out driver outside rc=0
	outside=$(mktemp -d)
	driver=$outside/first_driver
	first_driver || rc=$?
	rm -rf "$outside"
	return "$rc"
}
first_driver() {
	local make=(make -C "$TOP" --no-print-directory)
	"${make[@]}" new-driver NAME=first_driver DIR="$driver" >"$log" 2>&1 || return
	# An existing driver is not overwritten.
	if "${make[@]}" new-driver NAME=first_driver DIR="$driver" >>"$log" 2>&1; then return 1; fi
	"${make[@]}" driver DIR="$driver" >>"$log" 2>&1 || return
	grep -q 'requests_total{pool="first_driver",context="softirq",tier="cache",outcome="hit"} [1-9]' \
		"$log"
}

# refused_name NAME: a driver cannot have this name, and nothing is left behind.
refused_name() {
	! make -C "$TOP" new-driver NAME="$1" DIR="$outside/refused" >"$folder/refused.out" 2>&1 &&
		[[ ! -e $outside/refused ]] && grep -qE 'error: (the name|labyrinth has|.* cannot be the name)' "$folder/refused.out"
}

names_of_drivers() {
	local name outside rc=0
	outside=$(mktemp -d)
	all_refused || rc=$?
	rm -rf "$outside"
	return "$rc"
}
all_refused() {
	for name in '' labyrinth Upper with-dash 1st 'two words' "$(printf 'a%.0s' {1..32})"; do
		refused_name "$name" || { ktap_print_msg "'$name' was not refused"; return 1; }
	done
}

# The last line of the demo names a page. The page has the figures of the runs, and loads nothing.
demo_makes_a_page() {
	local out=$folder/demo.out runs=("$TOP"/build/demo/{allocator,pool}.json)
	rm -rf "$TOP/build/demo"
	make -C "$TOP" --no-print-directory demo >"$out" 2>"$folder/demo.vm" || return
	[[ $(tail -n 1 "$out") == "report: build/demo/report.html" ]] ||
		{ ktap_print_msg "the last line is '$(tail -n 1 "$out")'"; return 1; }
	[[ $(head -n 1 "$out") == "Linux $(sed -nE 's/^  "kernel": "(.*)",$/\1/p' "${runs[0]}"), "* ]] ||
		{ ktap_print_msg "the figures are not of $(head -n 1 "$out")"; return 1; }
	PYTHONPATH=$TOP/tests/selftests python3 -B -m lib.page "$TOP/build/demo/report.html" \
		"${runs[@]}" 2>&1 | sed 's/^/# /'
}

stamp='[   12.345678]'
cases=36
[[ -z ${LABYRINTH_SOAK-} ]] || cases=45
# Cases of make soak also run if the arguments name them.
more=${LABYRINTH_SOAK-}${names[*]}
ktap_print_header
# Unknown names must not pass.
((${#names[@]} == 0)) || cases=${#names[@]}
ktap_set_plan "$cases"

# More ways in which a guest can end.
if [[ -n $more ]]; then
	booted command_passes 0 'Linux version' -- true
	booted ends_without_a_result 3 'Power down' -- sh -c 'poweroff -f; sleep 60'
	booted hangs_at_boot 4 'Command line: .*rootdelay=1000' --boot-timeout 20 --append rootdelay=1000 -- true
	booted prints_a_kasan_report 3 'BUG: KASAN' -- \
		sh -c 'echo "<3>BUG: KASAN: slab-use-after-free in made_up+0x1/0x2" >/dev/kmsg'
	result stalls_by_the_pause stalls_by_the_pause
	result passes_in_spite_of_a_pause passes_in_spite_of_a_pause
	result demo_makes_a_page demo_makes_a_page
	booted prints_a_lockdep_report 3 'possible recursive locking' -- \
		sh -c 'echo "<4>WARNING: possible recursive locking detected" >/dev/kmsg'
fi
if selected kernel_panics; then in_other_places; fi
without_debugfs works_with_debugfs_off
[[ -z $more ]] || without_debugfs works_with_debugfs_no-mount
booted command_hangs 4 'Linux version' --timeout 45 -- sleep 1000
result fails_after_the_pause fails_after_the_pause
result stalls_before_the_pause stalls_before_the_pause
sentinel_stops_the_machine
result driver_of_ones_own driver_of_ones_own
result names_of_drivers names_of_drivers
result interrupted_leaves_nothing leaves_nothing TERM 143
result killed_leaves_nothing leaves_nothing KILL 137
result killed_owner_leaves_nothing killed_owner_leaves_nothing
result pauses_are_no_time pauses_are_no_time
result each_character_is_tried each_character_is_tried
result system_folders_are_refused system_folders_are_refused
result environment_is_ours environment_is_ours

each_alone=()
judged console_clean 0 "$stamp Linux version 7.3" 'WARNING: from user space' 'BUG: too'
judged console_without_times 2 'Linux version 7.3' 'BUG: KASAN: use-after-free in f'
judged console_kasan 1 "$stamp BUG: KASAN: use-after-free in f"
judged console_lockdep 1 "$stamp WARNING: inconsistent lock state"
judged console_atomic_sleep 1 "$stamp BUG: sleeping function called from invalid context at f.c:1"
judged console_soft_lockup 1 "$stamp watchdog: BUG: soft lockup - CPU#0 stuck for 60s!"
judged console_hung_task 1 "$stamp INFO: task rmmod:12 blocked for more than 120 seconds."
judged console_rcu_stall 1 "$stamp rcu: INFO: rcu_preempt self-detected stall on CPU"
judged console_oops 1 "[    1.234567][   T12] Oops: 0002 [#1] SMP"
judged console_debugfs_race 0 "$stamp WARNING: fs/debugfs/file.c:461 at full_proxy_open_regular+0xcc/0x110, CPU#0: a/1"
judged console_debugfs_bug 1 "$stamp WARNING: fs/debugfs/inode.c:461 at debugfs_get_inode+0xcc/0x110, CPU#0: a/1"
unloaded="$stamp mm/a.c:1 module labyrinth func:f has 4096 allocated at module unload"
judged console_unprofiled 0 "$stamp labyrinth-test: allocinfo.py:switched_off_under_way" "$unloaded"
judged console_profiled 1 "$stamp labyrinth-test: allocinfo.py:switched_on_under_way" "$unloaded"
judged console_debugfs_exists 0 "$stamp debugfs: 'labyrinth' already exists in '/'"
# Each of these lines is a report of the kernel.
while read -r sentence; do
	each_alone+=("$stamp $sentence")
done <<'EOT'
mm/page_alloc.c:1 module labyrinth func:labyrinth_alloc has 4096 allocated at module unload
BUG kmalloc-64 (Tainted: G           OE): Poison overwritten
BUG labyrinth (Not tainted): Objects remaining on __kmem_cache_shutdown()
kmem_cache_destroy labyrinth: Slab cache still has objects when called from f+0x1/0x2
percpu_ref_switch_to_atomic_rcu(): percpu_ref underflow
kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
kmemleak: unreferenced object 0xffff888000000000 (size 32):
labyrinth cannot be unloaded due to unsafe usage in kernel/f.c:1
sysfs: cannot create duplicate filename '/module/labyrinth'
kobject: 'labyrinth' (00000000): tried to add an uninitialized object, something is seriously wrong.
edu 0000:00:04.0: dma_pool_free pages, 00000000 (bad vaddr)/0x1000
kernel BUG at mm/slub.c:1!
rust_kernel: panicked at rust/labyrinth_mod.rs:1:1:
traps: PANIC: double fault, error_code: 0x0
insmod: Corrupted page table at address 7f0000000000
Thread overran stack, or stack corrupted
kernel tried to execute NX-protected page - exploit attempt? (uid: 0)
note: insmod[12] exited with preempt_count 1
note: insmod[12] exited with irqs disabled
softirq: huh, entered softirq 1 TIMER 00000000 with preempt_count 00000100, exited with 00000101?
smp: csd: Detected non-responsive CSD lock (#1) on CPU#0, waiting 5000 ns for CPU#01 f(x).
IPI callback f+0x1/0x2 sent to offline CPU
rcu: rcu_preempt kthread starved for 2100 jiffies! g1 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=0
rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-... } 21 jiffies s: 1 root: 0x2/.
rcu: INFO: rcu_tasks detected stalls on tasks:
CPU1 failed to report dead state
turning off the locking correctness validator.
INFO: lockdep is turned off.
Unexpected gfp: 0x4 (GFP_DMA32). Fixing up to gfp: 0x0 (). Fix your code!
VFS: Busy inodes after unmount of sda (ext4)
BUG: KCSAN: data-race in f / g
BUG: KFENCE: use-after-free read in f
BUG: Bad rss-counter state mm:00000000 type:MM_ANONPAGES val:1
BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 30s!
UBSAN: array-index-out-of-bounds in f.c:1:2
ODEBUG: free active (active state 0) object: 00000000 object type: timer_list hint: f+0x0/0x1
DEBUG_LOCKS_WARN_ON(1)
list_del corruption. prev->next should be ffff, but was 0000. (prev=ffff)
refcount_t: underflow; use-after-free.
labyrinth: 2 owner(s) of callbacks or pools leaked: the module stays, as it may still be called
EOT
overlooked=0
for line in "${each_alone[@]}"; do
	printf '%s\n' "$line" >"$folder/sentence.log"
	rc=0
	"$scripts/machine/console-verdict.sh" "$folder/sentence.log" >/dev/null || rc=$?
	((rc == 1)) || { overlooked=$((overlooked + 1)); ktap_print_msg "overlooked: $line"; }
done
outcome console_knows_each_sentence "$overlooked of ${#each_alone[@]}" "0 of 40"
judged console_leak 1 "$stamp labyrinth: 3 page(s) leaked: 3 by timer_softirq"

result collection_is_like_the_kernels_runner collection_is_like_the_kernels_runner
dies dies_before_its_plan '1..1,not ok 1 dies_before_its_plan.py' 'raise OSError("early")\n'
dies dies_listing_its_cases '1..1,not ok 1 listed' \
	'def listed():\n    raise OSError("no module")\nktap.main(more=listed)\n'
dies dies_of_a_wrong_name '1..1,not ok 1 dies_of_a_wrong_name.py' \
	'import sys\nsys.argv.append("none")\nktap.main(print)\n'

for name in "${names[@]}"; do
	[[ -z ${seen[$name]-} ]] || continue
	ktap_print_msg "there is no case '$name'"
	ktap_test_fail "$name"
done

ktap_finished
