#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# programs.sh [PLACE]: the test programs that run in a place, or all of them, one a line. Each program
# says in its own head where it runs and which parts of the module it covers:
#	# Runs in: check soak-debug
#	# Covers: rust/device rust/page/user.rs
#	# Takes: 28 s
# Places are runs and machines:
#   check, check-debug  `make check`, on a production kernel and on a debug kernel
#   soak, soak-debug    `make soak`, likewise
#   numa, edu           machines with nodes and devices, see check-lane.sh
#   runner              machines of tests/runner, as these test the runner, too
# A path that is covered is a beginning of names: rust/ffi/view is view.c, view.h and view.rs. The time is
# about that on a stock kernel, emulated on 2 CPUs; `make quick` goes by it.
# programs.sh --check: complains about programs that do not say it, or say it wrong.
# programs.sh --covering FILE…: those that cover one of these files, or are it, as "SECONDS PROGRAM PLACE…".
# The ones that name a file most exactly come first, and of those the quickest.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$TOP/tests"

PLACES='check check-debug soak soak-debug numa edu runner'
declare -A runs_in=() covers=() takes=()
problems=()
for program in *.py; do
	runs_in[$program]=$(sed -n '1,6s/^# Runs in: *//p' "$program")
	covers[$program]=$(sed -n '1,6s/^# Covers: *//p' "$program")
	takes[$program]=$(sed -nE '1,6s/^# Takes: ([0-9]+) s$/\1/p' "$program")
	[[ -z ${covers[$program]} || -n ${takes[$program]} ]] || problems+=("tests/$program does not say '# Takes: N s'")
	[[ -n ${runs_in[$program]} ]] || problems+=("tests/$program does not say '# Runs in: PLACE…' in its head")
	[[ -x $program ]] || problems+=("tests/$program is not executable")
	for place in ${runs_in[$program]}; do
		[[ " $PLACES " == *" $place "* ]] || problems+=("tests/$program runs in '$place', which is none of: $PLACES")
	done
	for path in ${covers[$program]}; do
		compgen -G "$TOP/$path*" >/dev/null || problems+=("tests/$program covers '$path', which does not exist")
	done
done

case ${1-} in
--check)
	((${#problems[@]} == 0)) || { printf '%s\n' "${problems[@]}"; exit 1; }
	;;
--covering)
	shift
	for program in "${!covers[@]}"; do
		for path in "tests/$program" ${covers[$program]}; do
			for file; do
				[[ $file != "$path"* ]] || echo "${#path} ${takes[$program]:-0} $program ${runs_in[$program]}"
			done
		done
	done | sort -k 1,1nr -k 2,2n | awk '!seen[$3]++' | cut -d ' ' -f 2-
	;;
'') printf '%s\n' *.py ;;
*)
	[[ " $PLACES " == *" $1 "* ]] || die "programs.sh: there is no place '$1'" "one of: $PLACES"
	((${#problems[@]} == 0)) || die "${problems[0]}" "see $SCRIPTS/programs.sh"
	for program in *.py; do
		[[ " ${runs_in[$program]} " != *" $1 "* ]] || printf '%s\n' "$program"
	done
	;;
esac
