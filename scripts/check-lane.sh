#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# check-lane.sh FOLDER: parts of check.sh, one after the other: takes a line WHAT:KERNEL from the top
# of FOLDER/jobs until there is none. The KTAP goes to FOLDER/WHAT-KERNEL.out, what else is said to
# FOLDER/WHAT-KERNEL.err, and how long it took to FOLDER/times.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
folder=${1:?check-lane.sh needs a folder}

# why LOG: notes for a result: the first lines of the first report in a console, or else its end.
why() {
	local reports
	[[ -s $1 ]] || { echo "# there is no console: see ${1%.log}.err"; return; }
	if reports=$("$SCRIPTS/console-verdict.sh" "$1"); then reports=$(tail -n 5 "$1"); fi
	tr -d '\r' <<<"$reports" | head -n 5 | sed 's/^/# /'
	echo "# the whole console: $1"
}

# in_guest NAME KERNEL SECONDS [OPTION]… -- COMMAND…: tests in a guest, where COMMAND finds the test
# runner as ./run_kselftest.sh. vm.sh writes the .out, and whatever that says, the kernel's own log
# has a result of its own.
in_guest() {
	local name=$1 kernel=$2 timeout=$3 module options=() rc=0
	local log=$folder/$name.log
	shift 3
	while [[ $1 != -- ]]; do options+=("$1"); shift; done
	shift
	# Where its caller looks at its status, set -e does not hold.
	module=$("$SCRIPTS/build.sh" "$kernel" | tail -n 1) || return
	"$SCRIPTS/kselftest.sh" "$kernel" "$module" "$folder/install-$name" || return
	"$SCRIPTS/vm.sh" --kernel "$kernel" --timeout "$timeout" "${options[@]}" --log "$log" -- \
		env --chdir "$folder/install-$name" "$@" || rc=$?
	{
		echo 1..1
		case $rc in
		0 | 1) echo "ok 1 the kernel reported nothing" ;;
		3)
			why "$log"
			echo "not ok 1 the kernel reported a bug, or died"
			;;
		*)
			why "$log"
			echo "not ok 1 the machine did not come to its end (status $rc of vm.sh)"
			;;
		esac
	} >"$folder/console-$name.out"
}

# The programs that find more the longer they run, and on the debug kernel every check of pages that
# can be switched on at boot, which makes it too slow for all of them.
soak() {
	local kernel=$1 seconds=5400 options=() programs=(stress conservation load_unload unload_races control_files parameters) program
	local -a run=(env LABYRINTH_SOAK=1 ./run_kselftest.sh --override-timeout "$seconds")
	if [[ $kernel == debug ]]; then
		for program in page_owner=on page_poison=1 debug_pagealloc=on slab_debug=FZPU; do
			options+=(--append "$program")
		done
		options+=(--memory 2G)
		seconds=10800
		programs=(soak_options page_owner stress unload_races exhaustion fault_injection cpu_hotplug c_api pool
			hard_irq parameters control_files kernel_agrees sentinels barred load_unload conservation
			handover user_page shrinker)
		run=(./run_kselftest.sh --override-timeout "$seconds")
	fi
	for program in "${programs[@]}"; do run+=(-t "labyrinth:$program.py"); done
	in_guest "soak-$kernel" "$kernel" "$seconds" "${options[@]}" -- "${run[@]}"
}

# Takes the first line of the list, which others take from, too.
next_job() {
	local turn
	exec {turn}>"$folder/jobs.lock"
	flock "$turn"
	job=$(head -n 1 "$folder/jobs")
	sed -i 1d "$folder/jobs"
	exec {turn}>&-
	[[ -n $job ]]
}

# QEMU's device, which reaches all memory below 4 GiB.
EDU=edu,dma_mask=0xffffffff

while next_job; do
	what=${job%:*} kernel=${job#*:}
	name=$what-$kernel
	case $what in
	kselftest) command=(in_guest "$name" "$kernel" 3600 -- ./run_kselftest.sh --skip labyrinth:numa.py --skip labyrinth:edu.py) ;;
	# A machine for the one test that needs nodes: two with memory and one without. A transfer takes its
	# device 100 ms, whatever the CPU does, so the devices without an IOMMU are in this one, too, and
	# interrupt threads.
	numa)
		command=(in_guest "$name" "$kernel" 900 --cpus 3 --append threadirqs
			--node "512M,cpus=0" --node "512M,cpus=1" --node "0,cpus=2"
			--device "$EDU" --device "$EDU" --
			./run_kselftest.sh -t labyrinth:numa.py -t labyrinth:edu.py)
		;;
	# With an IOMMU; whatever goes past it goes through bounce buffers.
	edu)
		command=(in_guest "$name" "$kernel" 900 --iommu --append swiotlb=force
			--device "$EDU" --device "$EDU" --device "$EDU" --
			./run_kselftest.sh -t labyrinth:edu.py)
		;;
	soak) command=(soak "$kernel") ;;
	runner) command=("$TOP/tests/runner/run.sh" "$kernel" "$folder/runner") ;;
	planted) command=("$TOP/tests/planted/run.sh" "$kernel" "$folder/$name") ;;
	compile-fail) command=("$TOP/tests/compile_fail/run.sh" "$kernel") ;;
	host) command=("$TOP/tests/host/run.sh") ;;
	bench) command=("$SCRIPTS/bench.sh" --short) ;;
	lint) command=("$SCRIPTS/lint.sh") ;;
	*) die "check-lane.sh: unknown part '$what'" ;;
	esac
	# A failure is in the results, or there are none, which counts as a failure.
	start=$SECONDS
	"${command[@]}" >>"$folder/$name.out" 2>"$folder/$name.err" || true
	echo "$name $((SECONDS - start)) s" >>"$folder/times"
done
