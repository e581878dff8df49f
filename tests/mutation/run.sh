#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh stock|debug|kdir FOLDER [NAME…]: tests the tests. Each file in cases/ is a mutant: a fault
# in the module, and the case that must fail because of it. Without the mutant, the case must pass.
# Tries the named mutants. Without names, tries all of them if LABYRINTH_SOAK is set, and otherwise
# ten, different ones each day; LABYRINTH_MUTATION_SEED repeats the choice of another day. With
# LABYRINTH_SOAK, the debug kernel tries only mutants that a production kernel cannot notice. Prints
# KTAP. Consoles are kept in FOLDER.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
# shellcheck source=scripts/runs/ktap.sh
source "$SCRIPTS/runs/ktap.sh"
here=$TOP/tests/mutation

selection=("${@:3}")
seed=${LABYRINTH_MUTATION_SEED:-$(date -u +%F)}
if ((${#selection[@]} == 0)); then
	selection=(sample 10 "$seed")
	[[ -z ${LABYRINTH_SOAK-} ]] || selection=(all)
fi

if [[ $kernel == debug && ${selection[*]} == all ]]; then
	assignments=$("$SCRIPTS/environment/kernel.sh" stock)
	selection=(beyond "$(eval "$assignments" && echo "$K_BUILD/.config")")
fi
copies=$TOP/build/mutation/$K_KEY
lock "mutation-$(cksum <<<"$copies" | tr ' ' -)"
"$SCRIPTS/environment/sandbox.sh" --ro-bind "$K_BUILD/.config" "$here/mutants.py" "$TOP" "$copies" \
	"$K_BUILD/.config" "${selection[@]}"

# QEMU's edu device. With this mask it can access all memory below 4 GiB.
EDU=edu,dma_mask=0xffffffff

# pass NAME, fail NAME: records a result, and prints it.
declare -A results=()
pass() { results[$1]=ok; ktap_test_pass "$1"; }
fail() { results[$1]='not ok'; ktap_test_fail "$1"; }
# Prints lines as notes that cannot be mistaken for results.
notes() { sed 's/^#* */#   /'; }

# of_mutant LOG NAME: prints the part of the kernel log while that mutant was tried.
of_mutant() {
	tr -d '\r' <"$1" | awk -v name="$2" '
		/mutation: / { on = (substr($0, index($0, "mutation: ") + 10) == name) } on'
}

# is_noticed LOG NAME REGEX: whether console-verdict.sh finds a report in the mutant's part of the
# log, and REGEX matches there.
is_noticed() {
	local part=${1%.log}-$2.log rc=0
	of_mutant "$1" "$2" >"$part"
	"$SCRIPTS/machine/console-verdict.sh" "$part" >/dev/null || rc=$?
	((rc == 1)) || { echo "# $2: the runner finds nothing in $part"; return 1; }
	grep -aEq -- "$3" "$part" || { echo "# $2: no '$3' in $part"; return 1; }
}

# take LOG: reads the results and notes that guest.py has printed in that guest.
take() {
	local line name
	while IFS= read -r line; do
		case $line in
		'ok '*)
			name=${line#ok }
			if [[ -z ${reports[$name]-} ]] || is_noticed "$1" "$name" "${reports[$name]}"; then
				pass "$name"
			else
				fail "$name"
			fi
			;;
		'not ok '*) fail "${line#not ok }" ;;
		'# '*) notes <<<"$line" ;;
		esac
	done <"${1%.log}.out"
}

# in_guests KIND COPY: tries the mutants whose cases run in guests of that kind. If a guest does not
# survive a mutant, another guest continues.
in_guests() {
	local kind=$1 copy=$2 module log name report under_way boot options=()
	local -A reports=()
	[[ -s $copy.$kind.list ]] || return 0
	# The same guests as in check-lane.sh.
	case $kind in
	edu)
		options=(--iommu --append swiotlb=force
			--device "$EDU" --device "$EDU" --device "$EDU")
		;;
	numa) options=(--cpus 3 --node "512M,cpus=0" --node "512M,cpus=1" --node "0,cpus=2") ;;
	esac
	while IFS=$'\t' read -r _ name _ report; do reports[$name]=$report; done <"$copy.$kind.list"
	# set -e has no effect if the caller tests the status.
	module=$("$copy/scripts/build/build.sh" "$kernel" | tail -n 1) || return
	"$copy/scripts/runs/kselftest.sh" "$kernel" "$module" "$folder/install" || return
	for boot in {1..20}; do
		log=$folder/${copy##*/}-$kind-$boot.log
		for name in "${!results[@]}"; do
			printf '%s %s\n' "${results[$name]}" "$name"
		done >"$folder/done"
		"$SCRIPTS/machine/vm.sh" --kernel "$kernel" --timeout 7200 "${options[@]}" \
			--log "$log" -- env PYTHONDONTWRITEBYTECODE=1 "$here/guest.py" \
			"$folder/install/labyrinth" "$copy.$kind" "$folder/done" || true
		[[ -s ${log%.log}.out ]] || break
		take "$log"
		if grep -qx complete "${log%.log}.out"; then return; fi
		under_way=$(sed -n 's/^begin //p' "${log%.log}.out" | tail -n 1)
		[[ -n $under_way ]] || break
		if [[ -z ${results[$under_way]-} ]]; then
			ktap_print_msg "the machine did not survive it: see $log"
			fail "$under_way"
		fi
	done
	tail -n 5 "${log%.log}.out" | notes
}

# on_host COPY: tries the mutants whose cases need no kernel.
on_host() {
	local copy=$1 number name case_ rc
	[[ -s $copy.host.list ]] || return 0
	read -r number name case_ _ <"$copy.host.list"
	# This builds the host tests.
	"$copy/tests/host/run.sh" "$case_" >"$folder/host.log" || true
	# host_case NUMBER CASE: sets rc to the status of the case with the mutant of that number.
	host_case() {
		rc=0
		"$copy/scripts/environment/sandbox.sh" timeout 300 env LABYRINTH_MUTANT="$1" \
			"$copy/build/host/labyrinth-host-tests" "$2" >"$folder/host.log" || rc=$?
		notes <"$folder/host.log" | grep -v ' TAP \| 1\.\.'
	}
	while IFS=$'\t' read -r number name case_ _; do
		if [[ -z ${results[none host $case_]-} ]]; then
			host_case 0 "$case_"
			if ((rc == 0)); then pass "none host $case_"; else fail "none host $case_"; fi
		fi
		host_case "$number" "$case_"
		if ((rc == 1)) && grep -q "^not ok 1 $case_\$" "$folder/host.log"; then
			pass "$name"
		else
			fail "$name"
		fi
	done <"$copy.host.list"
}

# by_compiler COPY: tries the mutants that let misuse compile.
by_compiler() {
	local copy=$1 name case_ output names=()
	[[ -s $copy.compile_fail.list ]] || return 0
	while IFS=$'\t' read -r _ _ case_ _; do names+=("$case_"); done <"$copy.compile_fail.list"
	output=$("$copy/tests/compile_fail/run.sh" "$kernel" "${names[@]}") || true
	while IFS=$'\t' read -r _ name case_ _; do
		if grep -B 1 -Ex "not ok [0-9]+ $case_ *" <<<"$output" | grep -qx '# the misuse compiles'; then
			pass "$name"
		else
			notes <<<"$output"
			fail "$name"
		fi
	done <"$copy.compile_fail.list"
}

ktap_print_header
ktap_set_plan "$(cat "$copies"/*.expected "$copies/skipped" | wc -l)"
[[ ${selection[0]} != sample ]] || ktap_print_msg "a sample by LABYRINTH_MUTATION_SEED=$seed"
while IFS= read -r line; do
	ktap_print_msg "SKIP $line"
	ktap_test_skip "$line"
done <"$copies/skipped"
for expected in "$copies"/*.expected; do
	[[ -e $expected ]] || continue
	results=()
	for part in on_host by_compiler "in_guests guest" "in_guests edu" "in_guests numa"; do
		# If a copy cannot be built or booted, its results are missing, which is a failure.
		$part "${expected%.expected}" ||
			ktap_print_msg "$part ${expected%.expected} ended with an error"
	done
	while IFS= read -r name; do
		[[ -n ${results[$name]-} ]] || { ktap_print_msg "no result"; fail "$name"; }
	done <"$expected"
done
ktap_finished
