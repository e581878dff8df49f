#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# programs.sh [PLACE]: prints the test programs that run in a place, or all of them, one per line.
# The head of each program says where it runs, which files it covers, and how long it takes:
#	# Runs in: check soak-debug
#	# Covers: rust/device rust/page/transfer/user.rs
#	# Takes: 28 s
# Places are runs and guests:
#   check, check-debug  `make check`, on a production kernel and on a debug kernel
#   soak, soak-debug    `make soak`, on a production kernel and on a debug kernel
#   numa, edu           guests with NUMA nodes and devices, see check-lane.sh
#   drivers             a guest where labyrinth cannot be unloaded at the end
#   stale               a guest that has the drivers of tests/stale
#   runner              guests of tests/runner
#   old                 guests of tests/old_kernels, without labyrinth.ko
# "# Runs last" there says that no other program can run after this one in the same guest.
# A covered path is a prefix: rust/ffi/mm/dma stands for dma.c, dma.h and dma.rs. There may be
# several lines of them. The time is measured on a stock kernel, emulated on 2 CPUs; `make quick`
# chooses programs by it.
# programs.sh --check: complains about programs with missing or wrong lines.
# programs.sh --covering FILE…: prints the programs that cover one of these files, or are one of
# them, as "SECONDS PROGRAM PLACE…". Programs with the longest matching path come first, and among
# them the quickest.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$TOP/tests/selftests"

PLACES='check check-debug soak soak-debug numa edu drivers stale runner old'
declare -A runs_in=() covers=() takes=()
problems=()
for program in *.py; do
	runs_in[$program]=$(sed -n '1,6s/^# Runs in: *//p' "$program")
	covers[$program]=$(sed -n '1,6s/^# Covers: *//p' "$program")
	takes[$program]=$(sed -nE '1,6s/^# Takes: ([0-9]+) s$/\1/p' "$program")
	file=tests/selftests/$program
	[[ -z ${covers[$program]} || -n ${takes[$program]} ]] ||
		problems+=("$file has no line '# Takes: N s' in its head")
	[[ -n ${runs_in[$program]} ]] ||
		problems+=("$file has no line '# Runs in: PLACE…' in its head")
	[[ -x $program ]] || problems+=("$file is not executable")
	for place in ${runs_in[$program]}; do
		[[ " $PLACES " == *" $place "* ]] ||
			problems+=("$file runs in '$place', which is none of: $PLACES")
	done
	for path in ${covers[$program]}; do
		compgen -G "$TOP/$path*" >/dev/null ||
			problems+=("$file covers '$path', which does not exist")
	done
done

case ${1-} in
--check)
	((${#problems[@]} == 0)) || { printf '%s\n' "${problems[@]}"; exit 1; }
	;;
--covering)
	shift
	for program in "${!covers[@]}"; do
		for path in "tests/selftests/$program" ${covers[$program]}; do
			for file; do
				[[ $file != "$path"* ]] ||
					echo "${#path} ${takes[$program]:-0} $program ${runs_in[$program]}"
			done
		done
	done | sort -k 1,1nr -k 2,2n | awk '!seen[$3]++' | cut -d ' ' -f 2-
	;;
'') printf '%s\n' *.py ;;
*)
	[[ " $PLACES " == *" $1 "* ]] || die "programs.sh: there is no place '$1'" "one of: $PLACES"
	((${#problems[@]} == 0)) || die "${problems[0]}" "see $SCRIPTS/runs/programs.sh"
	last=()
	for program in *.py; do
		[[ " ${runs_in[$program]} " == *" $1 "* ]] || continue
		if [[ $(sed -n '1,6p' "$program") == *$'\n# Runs last'* ]]; then
			last+=("$program")
		else
			printf '%s\n' "$program"
		fi
	done
	((${#last[@]} < 2)) || die "programs.sh: two programs run last in '$1': ${last[*]}" \
		"let one of them run in another place"
	((${#last[@]} == 0)) || printf '%s\n' "${last[@]}"
	;;
esac
