#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# check-lane.sh FOLDER: runs jobs of lanes.sh, one after the other. Each job is a line WHAT KERNEL
# [ARGUMENT]… of FOLDER/jobs; the ARGUMENTs choose cases. Takes lines from the top until none is
# left. The KTAP goes to FOLDER/WHAT-KERNEL.out, other output to FOLDER/WHAT-KERNEL.err, and the
# time of the job to FOLDER/times.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
folder=${1:?check-lane.sh needs a folder}

# why LOG: prints notes for a result: the first lines of the kernel's first report in a console, or
# the last lines of the console if there is no report.
why() {
	local reports
	[[ -s $1 ]] || { echo "# there is no console: see ${1%.log}.err"; return; }
	if reports=$("$SCRIPTS/machine/console-verdict.sh" "$1"); then reports=$(tail -n 5 "$1"); fi
	tr -d '\r' <<<"$reports" | head -n 5 | sed 's/^/# /'
	echo "# the whole console: $1"
}

# case_of LOG: prints ", while CASE ran" for the case in which the kernel first reported a bug, or
# died. Test programs write the name of each case to the kernel log.
case_of() {
	local first='' case
	[[ -s $1 ]] || return 0
	first=$("$SCRIPTS/machine/console-verdict.sh" "$1" | head -n 1) || true
	case=$(awk -v first="$first" '
		first != "" && index($0, first) { exit }
		match($0, /labyrinth-test: [^ ]+/) { last = substr($0, RSTART + 16, RLENGTH - 16) }
		END { print last }' "$1" | tr -d '\r')
	[[ -z $case ]] || printf ', while %s ran' "$case"
}

# in_guest NAME KERNEL SECONDS PLACE [OPTION]… -- [ENVIRONMENT]…: runs the test programs of a place
# in a guest, or those that the job's arguments name as PROGRAM[:CASE]. vm.sh writes the .out file.
# The kernel log gets a separate result. With `together`, the programs run in
# tests/selftests/lib/collection.py, which starts Python only once, instead of in the kernel's test
# runner.
limit=() together=''
in_guest() {
	local name=$1 kernel=$2 timeout=$3 place=$4 module options=() programs program tests=() rc=0
	local log=$folder/$name.log selected variable runner tool=''
	local -A cases=()
	shift 4
	while [[ $1 != -- ]]; do options+=("$1"); shift; done
	shift
	# set -e has no effect if the caller tests the status.
	programs=$("$SCRIPTS/runs/programs.sh" "$place") || return
	if [[ -n ${seed-} ]]; then programs=$(shuf --random-source=<(yes "$seed") <<<"$programs"); fi
	if ((${#arguments[@]})); then
		programs=$(printf '%s\n' "${arguments[@]%%:*}" | awk '!seen[$0]++')
	fi
	# The runner starts some twenty tools for each program. busybox has them built in.
	runner=(busybox sh ./run_kselftest.sh)
	for program in $programs; do tests+=(-t "labyrinth:$program"); done
	# The kernel's test runner takes the arguments of POOL.PY from KSELFTEST_POOL_PY_ARGS.
	for selected in "${arguments[@]}"; do
		[[ $selected == *:* ]] || continue
		program=${selected%%:*}
		cases[$program]+="${selected#*:} "
	done
	for program in "${!cases[@]}"; do
		variable=${program^^}
		set -- "$@" "KSELFTEST_${variable//[^A-Z0-9_]/_}_ARGS=${cases[$program]% }"
	done
	if [[ -n $together ]]; then
		runner=(labyrinth/lib/collection.py) tests=("${arguments[@]}")
		((${#tests[@]})) || mapfile -t tests <<<"$programs"
	fi
	module=$("$SCRIPTS/build/build.sh" "$kernel" | tail -n 1) || return
	"$SCRIPTS/runs/kselftest.sh" "$kernel" "$module" "$folder/install-$name" || return
	if [[ " $programs " == *tool_* ]]; then tool=$("$SCRIPTS/build/tool.sh") || return; fi
	"$SCRIPTS/machine/vm.sh" --kernel "$kernel" --timeout "$timeout" "${options[@]}" --log "$log" -- \
		env --chdir "$folder/install-$name" ${tool:+LABYRINTH_TOOL="$tool"} "$@" "${runner[@]}" "${limit[@]}" "${tests[@]}" || rc=$?
	{
		echo 1..1
		case $rc in
		0 | 1) echo "ok 1 the kernel reported nothing" ;;
		3)
			why "$log"
			echo "not ok 1 the kernel reported a bug, or died$(case_of "$log")"
			;;
		*)
			why "$log"
			echo "not ok 1 the machine did not finish (status $rc of vm.sh)$(case_of "$log")"
			;;
		esac
	} >"$folder/console-$name.out"
}

# is_debug KERNEL: whether it is a debug kernel, which is too slow to run all programs each time.
is_debug() {
	local assignments
	assignments=$("$SCRIPTS/environment/kernel.sh" "$1")
	(eval "$assignments" && grep -qx CONFIG_KASAN=y "$K_BUILD/.config")
}

# Runs stress tests, and tests too slow for `make check`. The debug kernel is booted with all checks
# of pages that can be enabled at boot.
soak() {
	local kernel=$1 option options=() limit=(--override-timeout 10800)
	if is_debug "$kernel"; then
		for option in page_owner=on page_poison=1 debug_pagealloc=on slab_debug=FZPU; do
			options+=(--append "$option")
		done
		in_guest "soak-$kernel" "$kernel" 10800 soak-debug "${options[@]}" --memory 2G --
	else
		in_guest "soak-$kernel" "$kernel" 7200 soak -- LABYRINTH_SOAK=1
	fi
}

# Runs the programs of make check and their cases in a random order, because no case may depend on
# an earlier one. LABYRINTH_SEED repeats an order.
order() {
	local together=1 seed=${LABYRINTH_SEED-$RANDOM}
	note "to repeat this order: LABYRINTH_SEED=$seed"
	in_guest "order-$1" "$1" 5400 check -- "LABYRINTH_SEED=$seed"
}

# Runs the programs of make check on a kernel.
kselftest() {
	local together=1 place=check
	if is_debug "$1"; then place+=-debug; fi
	in_guest "kselftest-$1" "$1" 3600 "$place" --
}

# Makes a kernel while jobs of other kernels run.
set_up() {
	local rc=0
	"$SCRIPTS/environment/setup.sh" "$1" || rc=$?
	((rc == 0)) || : >"$folder/$1.failed"
	rm -f "$folder/$1.pending"
	echo 1..1
	if ((rc == 0)); then echo "ok 1 set-up of $1"; else echo "not ok 1 set-up of $1"; fi
}

# Takes the first job whose kernel is ready from the list. All lanes share the list.
next_job() {
	local turn lines index
	while :; do
		exec {turn}>"$folder/jobs.lock"
		flock "$turn"
		mapfile -t lines <"$folder/jobs"
		for index in "${!lines[@]}"; do
			read -r -a job <<<"${lines[index]}"
			[[ ${job[0]} == setup || ! -e $folder/${job[1]}.pending ]] || continue
			sed -i "$((index + 1))d" "$folder/jobs"
			exec {turn}>&-
			return
		done
		exec {turn}>&-
		((${#lines[@]})) || return 1
		sleep 1
	done
}

# QEMU's edu device. With this mask it can access all memory below 4 GiB.
EDU=edu,dma_mask=0xffffffff

# Builds the module, and the test modules that use it.
build() {
	local module rc=0
	module=$("$SCRIPTS/build/build.sh" "$1" | tail -n 1) || return
	"$SCRIPTS/build/test-modules.sh" "$1" "$module" >/dev/null || return
	printf '1..1\nok 1 %s\n' "${module#"$TOP"/}"
}

# Runs the tests of drivers on a kernel with CONFIG_MODVERSIONS.
modversions() {
	KDIR=$("$SCRIPTS/environment/modversions-kernel.sh") || return
	export KDIR
	in_guest "$1" kdir 600 drivers --
}

kernel_is_missing() {
	printf '1..1\nnot ok 1 not run, as the %s kernel could not be made\n' "$kernel"
}

while next_job; do
	what=${job[0]} kernel=${job[1]} arguments=("${job[@]:2}")
	name=$what-$kernel
	export LABYRINTH_WHY=$folder/$name.why
	case $what in
	setup) command=(set_up "$kernel") ;;
	kselftest) command=(kselftest "$kernel") ;;
	# Two NUMA nodes with memory and one without. The guest also has devices without an IOMMU,
	# and interrupt threads. The tests of these share it because they mostly wait: a transfer
	# takes 100 ms.
	numa)
		command=(in_guest "$name" "$kernel" 900 numa --cpus 3 --append threadirqs
			--node "512M,cpus=0" --node "512M,cpus=1" --node "0,cpus=2"
			--device "$EDU" --device "$EDU" --)
		;;
	# Devices behind an IOMMU. Transfers that bypass the IOMMU use bounce buffers.
	edu)
		command=(in_guest "$name" "$kernel" 900 edu --iommu --append swiotlb=force
			--device "$EDU" --device "$EDU" --device "$EDU" --)
		;;
	drivers) command=(in_guest "$name" "$kernel" 600 drivers --) ;;
	soak) command=(soak "$kernel") ;;
	order) command=(order "$kernel") ;;
	runner) command=("$TOP/tests/runner/run.sh" "$kernel" "$folder/runner" "${arguments[@]}") ;;
	suspend) command=("$TOP/tests/suspend/run.sh" "$kernel" "$folder/$name") ;;
	stale) command=("$TOP/tests/stale/run.sh" "$kernel" "$folder/$name") ;;
	modversions) command=(modversions "$name") ;;
	old-kernels)
		command=("$TOP/tests/old_kernels/run.sh" "$kernel" "$folder/$name" "${arguments[@]}")
		;;
	mutation) command=("$TOP/tests/mutation/run.sh" "$kernel" "$folder/$name" "${arguments[@]}") ;;
	compile-fail) command=("$TOP/tests/compile_fail/run.sh" "$kernel" "${arguments[@]}") ;;
	host) command=("$TOP/tests/host/run.sh" "${arguments[@]}") ;;
	tool) command=("$TOP/tests/tool/run.sh" "${arguments[@]}") ;;
	browser) command=("$TOP/tests/tool/browser.sh" "$folder/$name") ;;
	bench) command=("$SCRIPTS/runs/bench.sh" --short) ;;
	lint) command=("$SCRIPTS/lint/lint.sh" --kernel "$kernel" "${arguments[@]}") ;;
	build) command=(build "$kernel") ;;
	*) die "check-lane.sh: unknown part '$what'" ;;
	esac
	[[ $what == setup || ! -e $folder/$kernel.failed ]] || command=(kernel_is_missing)
	# A failure is among the results. If there are no results, that counts as a failure, too.
	start=$SECONDS
	"${command[@]}" >>"$folder/$name.out" 2>"$folder/$name.err" || true
	echo "$name $((SECONDS - start)) s" >>"$folder/times"
done
