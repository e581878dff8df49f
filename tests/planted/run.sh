#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh debug|kdir FOLDER [PLANT]…: a test of the tests. With a fault planted in the module an
# ordinary test has to turn red, in the way of that fault and no other. (Without, the same test
# is green: that is the ordinary run.) One machine for each fault, because a kernel that has
# reported a bug is no witness for a second one. Prints KTAP; consoles are kept in FOLDER.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
scripts=$(cd "$here/../../scripts" && pwd -P)

kernel=${1:?run.sh needs a kernel: debug or kdir}
folder=${2:?run.sh needs a folder for its logs}
shift 2
(($#)) || set -- leak sleep use_after_free
assignments=$("$scripts/kernel.sh" "$kernel")
eval "$assignments"
# shellcheck source=/dev/null # from the kernel source
source "$K_SOURCE/tools/testing/selftests/kselftest/ktap_helpers.sh"
mkdir -p "$folder"

declare -A ways=(
	[leak]='labyrinth: [0-9]* page(s) leaked'
	[sleep]='BUG: sleeping function called from invalid context\|BUG: scheduling while atomic'
	[use_after_free]='BUG: KASAN: .*use-after-free'
)

# needs PLANT: the option without which the kernel cannot notice this fault, if it has it not.
needs() {
	local option=''
	case $1 in
	sleep) option=CONFIG_DEBUG_ATOMIC_SLEEP ;;
	use_after_free) option=CONFIG_KASAN ;;
	esac
	[[ -z $option ]] || grep -qx "$option=y" "$K_BUILD/.config" || echo "$option"
}

# turns_red PLANT: the run fails, and only the pattern of this fault is in the console.
turns_red() {
	local plant=$1 rc=0 module other early=(--stop-at-report)
	# A leak is reported last, after the test itself has noticed pages in flight; the others are
	# reported over and over, at the speed of a serial line.
	[[ $plant != leak ]] || early=()
	module=$("$scripts/build.sh" "$kernel" "$plant" 2>"$folder/$plant.build" | tail -n 1)
	"$scripts/kselftest.sh" "$kernel" "$module" "$folder/$plant" 2>>"$folder/$plant.build"
	"$scripts/vm.sh" --kernel "$kernel" --cpus 1 --timeout 900 "${early[@]}" --log "$folder/$plant.log" -- \
		"$folder/$plant/run_kselftest.sh" -t labyrinth:openmetrics.py 2>"$folder/$plant.vm" || rc=$?
	if ((rc != 3)); then
		ktap_print_msg "$plant: status $rc of vm.sh, not 3: the kernel noticed nothing"
		return 1
	fi
	for other in "${!ways[@]}"; do
		if [[ $other == "$plant" ]]; then
			grep -aq -- "${ways[$other]}" "$folder/$plant.log" || {
				ktap_print_msg "$plant: no '${ways[$other]}' in $folder/$plant.log"
				return 1
			}
		elif grep -aq -- "${ways[$other]}" "$folder/$plant.log"; then
			ktap_print_msg "$plant: also '${ways[$other]}' in $folder/$plant.log"
			return 1
		fi
	done
	[[ $plant != leak ]] || grep -q 'pages in flight at rest' "$folder/$plant.out" || {
		ktap_print_msg "$plant: the test saw no page in flight"
		return 1
	}
}

ktap_print_header
ktap_set_plan $#
for plant; do
	missing=$(needs "$plant")
	if [[ -n $missing ]]; then
		ktap_print_msg "SKIP planted_$plant: the kernel has no $missing"
		ktap_test_skip "planted_$plant: the kernel has no $missing"
		continue
	fi
	ktap_test_result "planted_$plant" turns_red "$plant"
done
ktap_finished
