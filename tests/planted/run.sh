#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh stock|debug|kdir FOLDER: a test of the tests. With a fault planted in the module an ordinary
# test has to turn red, in the way of that fault and no other; without one the same test is green.
# What a debug kernel notices by itself has to be in its log, below the name of that fault. Prints
# KTAP; consoles are kept in FOLDER.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
here=$TOP/tests/planted scripts=$SCRIPTS

kernel=${1:?run.sh needs a kernel: stock, debug or kdir}
folder=${2:?run.sh needs a folder for its logs}
assignments=$("$scripts/kernel.sh" "$kernel")
eval "$assignments"
kselftest=$K_SOURCE/tools/testing/selftests/kselftest
# shellcheck source=/dev/null # from the kernel source
source "$kselftest/ktap_helpers.sh"
mkdir -p "$folder"

declare -A ways=(
	[leak]='labyrinth: [0-9]* page(s) leaked'
	[sleep]='BUG: sleeping function called from invalid context'
	[use_after_free]='BUG: KASAN: .*use-after-free'
)

# The faults that this kernel notices, in this order: after KASAN has reported, lockdep is off.
noticed=(leak) unnoticed=()
for fault in sleep:CONFIG_DEBUG_ATOMIC_SLEEP use_after_free:CONFIG_KASAN; do
	if grep -qx "${fault#*:}=y" "$K_BUILD/.config"; then noticed+=("${fault%:*}"); else unnoticed+=("$fault"); fi
done
# A production kernel, which is quicker, sees all those that the kernel does not notice.
groups=(log pool)
case $kernel in
stock) groups=(pool) ;;
debug) groups=(log) ;;
esac

# in_guest GROUP STATUS ARGUMENT…: guest.py passes in a machine, for which vm.sh has that status. Its
# results are printed as those of a test program.
in_guest() {
	local group=$1 wanted=$2 rc=0 module
	shift 2
	module=$("$scripts/build.sh" "$kernel" planted 2>"$folder/$group.build" | tail -n 1)
	"$scripts/vm.sh" --kernel "$kernel" --timeout 900 --log "$folder/$group.log" -- \
		env LABYRINTH_KO="$module" PYTHONPATH="$kselftest" "$here/guest.py" "$@" 2>"$folder/$group.vm" || rc=$?
	echo "# selftests: planted: $group"
	sed 's/^/# /' "$folder/$group.out"
	[[ $rc == "$wanted" && $(<"$folder/$group.rc") == 0 ]] && return
	ktap_print_msg "$group: status $rc of vm.sh, not $wanted; see $folder/$group.vm"
	return 1
}

# of_fault NAME: what the kernel logged while that fault was committed.
of_fault() {
	tr -d '\r' <"$folder/log.log" | awk -v name="$1" '/planted: / { on = ($NF == name) } on'
}

# is_noticed NAME: the runner calls that part of the log a failure, and by the words for this fault alone.
is_noticed() {
	local name=$1 other rc=0 part=$folder/log-$1.log
	of_fault "$name" >"$part"
	"$scripts/console-verdict.sh" "$part" >/dev/null || rc=$?
	((rc == 1)) || { ktap_print_msg "$name: the runner finds nothing in $part"; return 1; }
	for other in "${!ways[@]}"; do
		if [[ $other == "$name" ]]; then
			grep -aq -- "${ways[$other]}" "$part" || { ktap_print_msg "no '${ways[$other]}' in $part"; return 1; }
		elif grep -aq -- "${ways[$other]}" "$part"; then
			ktap_print_msg "also '${ways[$other]}' in $part"
			return 1
		fi
	done
}

# Without a fault there is nothing for the runner to find.
is_quiet() {
	of_fault none >"$folder/log-none.log"
	[[ -s $folder/log-none.log ]] && "$scripts/console-verdict.sh" "$folder/log-none.log" >/dev/null
}

plan=${#groups[@]}
[[ ${groups[0]} != log ]] || plan=$((plan + 1 + ${#noticed[@]} + ${#unnoticed[@]}))
ktap_print_header
ktap_set_plan "$plan"
for group in "${groups[@]}"; do
	case $group in
	pool) ktap_test_result planted_pool in_guest pool 0 pool ;;
	log)
		ktap_test_result planted_log in_guest log 3 log "${noticed[@]}"
		ktap_test_result noticed_none is_quiet
		for fault in "${noticed[@]}"; do ktap_test_result "noticed_$fault" is_noticed "$fault"; done
		for fault in "${unnoticed[@]}"; do
			ktap_print_msg "SKIP noticed_${fault%:*}: the kernel has no ${fault#*:}"
			ktap_test_skip "noticed_${fault%:*}: the kernel has no ${fault#*:}"
		done
		;;
	esac
done
ktap_finished
