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

# in_guest NAME KERNEL SECONDS PLACE [OPTION]… -- [ENVIRONMENT]…: the test programs of a place in a guest.
# vm.sh writes the .out, and whatever that says, the kernel's own log has a result of its own.
limit=()
in_guest() {
	local name=$1 kernel=$2 timeout=$3 place=$4 module options=() programs program tests=() rc=0
	local log=$folder/$name.log
	shift 4
	while [[ $1 != -- ]]; do options+=("$1"); shift; done
	shift
	# Where its caller looks at its status, set -e does not hold.
	programs=$("$SCRIPTS/programs.sh" "$place") || return
	for program in $programs; do tests+=(-t "labyrinth:$program"); done
	module=$("$SCRIPTS/build.sh" "$kernel" | tail -n 1) || return
	"$SCRIPTS/kselftest.sh" "$kernel" "$module" "$folder/install-$name" || return
	"$SCRIPTS/vm.sh" --kernel "$kernel" --timeout "$timeout" "${options[@]}" --log "$log" -- \
		env --chdir "$folder/install-$name" "$@" ./run_kselftest.sh "${limit[@]}" "${tests[@]}" || rc=$?
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

# is_debug KERNEL: whether it checks what it does, and so is too slow for all programs in every run.
is_debug() {
	local assignments
	assignments=$("$SCRIPTS/kernel.sh" "$1")
	(eval "$assignments" && grep -qx CONFIG_KASAN=y "$K_BUILD/.config")
}

# What finds more the longer it runs, and on the debug kernel every check of pages that can be switched
# on at boot, which makes it too slow for `make check`.
soak() {
	local kernel=$1 option options=() limit=(--override-timeout 10800)
	if is_debug "$kernel"; then
		for option in page_owner=on page_poison=1 debug_pagealloc=on slab_debug=FZPU; do
			options+=(--append "$option")
		done
		in_guest "soak-$kernel" "$kernel" 10800 soak-debug "${options[@]}" --memory 2G --
	else
		in_guest "soak-$kernel" "$kernel" 5400 soak -- LABYRINTH_SOAK=1
	fi
}

# What make check runs on a kernel.
kselftest() {
	local place=check
	if is_debug "$1"; then place+=-debug; fi
	in_guest "kselftest-$1" "$1" 3600 "$place" --
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
	kselftest) command=(kselftest "$kernel") ;;
	# A machine for the one test that needs nodes: two with memory and one without. A transfer takes its
	# device 100 ms, whatever the CPU does, so the devices without an IOMMU are in this one, too, and
	# interrupt threads.
	numa)
		command=(in_guest "$name" "$kernel" 900 numa --cpus 3 --append threadirqs
			--node "512M,cpus=0" --node "512M,cpus=1" --node "0,cpus=2"
			--device "$EDU" --device "$EDU" --)
		;;
	# With an IOMMU; whatever goes past it goes through bounce buffers.
	edu)
		command=(in_guest "$name" "$kernel" 900 edu --iommu --append swiotlb=force
			--device "$EDU" --device "$EDU" --device "$EDU" --)
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
