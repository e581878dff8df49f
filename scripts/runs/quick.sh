#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# quick.sh: tests a change in about two minutes. It runs the tests in WHAT, or those for the files
# that differ from the upstream of the branch, including uncommitted changes. It lists the parts
# that it left out, and prints the number of results in the last line. Logs are kept in build/quick.
# WHAT is a list of these, separated by blanks. KERNEL=debug runs them on the debug kernel:
#   pool.py, pool.py:CASE                a test program, or one case of it
#   numa:edu.py:CASE, edu:…, drivers:…, soak:…      the same in that guest, or as in `make soak`
#   kselftest, numa, edu, drivers, soak          all programs of the run or guest
#   order                                kselftest in the random order of LABYRINTH_SEED
#   compile-fail, compile-fail:CASE, host, host:CASE, lint, lint:CHECK, runner, runner:CASE,
#   tool, tool:CASE
#   build, bench, browser, suspend, stale, modversions, mutation, mutation:NAME
#   old-kernels, old-kernels:RELEASE, old-kernels:RELEASE:PROGRAM.py, …:CASE
#                                        the tool on old kernels; see tests/old_kernels/run.sh
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/runs/lanes.sh
source "$SCRIPTS/runs/lanes.sh"
cd "$TOP"
(($# == 0)) || die "quick.sh takes no arguments" "make quick WHAT=\"$*\""

# The time limit for all programs in the guest, in seconds, by the times in their heads.
BUDGET=45
kernel=${KERNEL:-${KDIR:+kdir}}
kernel=${kernel:-stock}
[[ $kernel =~ ^(stock|debug|kdir)$ ]] ||
	die "KERNEL is '$kernel'" "use stock (the default) or debug, or KDIR=<kernel tree>"

order=() left_out=()
declare -A chosen=()
# add PART [ARGUMENT]…: chooses cases of a part, or all of its cases if there are no arguments.
add() {
	local part=$1
	shift
	if [[ -z ${chosen[$part]+set} ]]; then order+=("$part") chosen[$part]=" "; fi
	chosen[$part]+="${*:+$* }"
}

mapfile -t programs < <("$SCRIPTS/runs/programs.sh")
# program PLACE NAME[:CASE]: chooses a test program. NAME may lack its .py. Fails if there is none.
program() {
	local name=${2%%:*} case=''
	[[ $2 != *:* ]] || case=:${2#*:}
	[[ $name == *.py ]] || name+=.py
	[[ " ${programs[*]} " == *" $name "* ]] || return 1
	[[ -z $case ]] || is_case "$name" "${case#:}" ||
		die "quick: $name has no case '${case#:}'" "cases: $(cases_of "$name")"
	add "$1" "$name$case"
}

# cases_of PROGRAM: prints its cases, which are the functions that its call of ktap.main() names,
# by themselves or as parts of a tuple such as SLOW.
cases_of() {
	local file=tests/selftests/$1 text tuple
	text=$(sed -n '/^ *ktap[.]main(/,$p' "$file")
	# A tuple can consist of others, which come before it.
	for tuple in $(sed -nE 's/^ *([A-Z]+) = .*/\1/p' "$file" | tac); do
		! grep -qw "$tuple" <<<"$text" || text+=$(sed -n "/^ *$tuple = /,/)\$/p" "$file")
	done
	sed -nE 's/^def (\w+)\(.*/\1/p' "$file" | grep -xF "$(grep -oE '\w+' <<<"$text")" | paste -sd ' '
}

# is_case PROGRAM CASE: whether there is such a case. A program that makes its cases when it runs
# has to check the name itself.
is_case() {
	grep -qF '.__name__ = ' "tests/selftests/$1" || [[ " $(cases_of "$1") " == *" $2 "* ]]
}

# unknown ITEM: refuses an unknown name, and lists those that exist.
unknown() {
	local cases
	case $1 in
	mutation:*) cases=$(cd tests/mutation/cases && echo *.patch) ;;
	compile-fail:*) cases=$(cd tests/compile_fail/cases && echo *.rs) ;;
	lint:*) cases=$(sed -n 's/^check_\([a-z]*\)().*/\1/p' scripts/lint/lint.sh | paste -sd ' ') ;;
	runner:*) cases="see tests/runner/run.sh" ;;
	old-kernels:*) cases=$(old_kernels) ;;
	esac
	[[ -z ${cases-} ]] ||
		die "quick: there is no '$1'" "${1%%:*}: $(sed -E 's/[.](patch|rs)//g' <<<"$cases")"
	die "quick: there is no '$1'" "programs: ${programs[*]}
parts: build lint host compile-fail kselftest order numa edu drivers soak runner suspend stale modversions mutation old-kernels bench tool browser
as PART:CASE: compile-fail:…, host:…, lint:…, runner:…, mutation:…, tool:…, old-kernels:…
as PART:PROGRAM: numa:…, edu:…, drivers:…, soak:…"
}

old_kernels() { sed -n 's/^OLD_KERNELS=(\(.*\))$/\1/p' scripts/environment/old-kernel.sh; }

named() {
	local item part rest items
	read -r -d '' -a items <<<"$1" || true
	for item in "${items[@]}"; do
		part=${item%%:*} rest=''
		[[ $item != *:* ]] || rest=${item#*:}
		case $part in
		build | bench | browser | order | suspend | stale | modversions)
			[[ -z $rest ]] || unknown "$item"
			add "$part"
			;;
		kselftest | numa | edu | drivers | soak)
			if [[ -z $rest ]]; then
				add "$part"
			else
				program "$part" "$rest" || unknown "$item"
			fi
			;;
		mutation)
			[[ -z $rest || -e tests/mutation/cases/$rest.patch ]] || unknown "$item"
			add "$part" ${rest:+"$rest"}
			;;
		lint)
			[[ -z $rest ]] || grep -q "^check_$rest()" scripts/lint/lint.sh || unknown "$item"
			add "$part" ${rest:+"$rest"}
			;;
		runner)
			[[ -z $rest ]] || grep -qwF -- "$rest" tests/runner/run.sh || unknown "$item"
			add "$part" ${rest:+"$rest"}
			;;
		host | tool) add "$part" ${rest:+"$rest"} ;;
		old-kernels)
			[[ -z $rest || " $(old_kernels) " == *" ${rest%%:*} "* ]] || unknown "$item"
			add "$part" ${rest:+"$rest"}
			;;
		compile-fail)
			[[ -z $rest || -e tests/compile_fail/cases/$rest.rs ]] || unknown "$item"
			add "$part" ${rest:+"$rest"}
			;;
		*)
			if [[ -z $rest && -e tests/compile_fail/cases/$item.rs ]]; then
				add compile-fail "$item"
			else
				program kselftest "$item" || unknown "$item"
			fi
			;;
		esac
	done
}

# Prints the changed files. Prints nothing without git.
changed_files() {
	local base
	[[ $(git rev-parse --show-toplevel 2>/dev/null) == "$TOP" ]] || return 0
	git rev-parse --verify -q HEAD >/dev/null || return 0
	base=$(git merge-base HEAD '@{upstream}' 2>/dev/null ||
		git merge-base HEAD origin/HEAD 2>/dev/null || git rev-parse HEAD)
	{ git diff --name-only "$base"; git ls-files --others --exclude-standard; } | sort -u
}

# fitting FILE…: chooses programs that cover these files, as many as fit into the time limit.
fitting() {
	local seconds name places total=0 lines other_machine=''
	lines=$("$SCRIPTS/runs/programs.sh" --covering "$@")
	while read -r seconds name places; do
		[[ -n $name ]] || continue
		if [[ " $places " != *" check "* ]]; then
			if [[ $places =~ (numa|edu|drivers)$ && -z $other_machine ]]; then
				other_machine="${places##* } $name"
			fi
			left_out+=("$name (not on a plain production kernel)")
		elif ((total && total + seconds > BUDGET)); then
			left_out+=("$name ($seconds s)")
		else
			total=$((total + seconds))
			add kselftest "$name"
		fi
	done <<<"$lines"
	# There is time for one guest.
	if ((total == 0)) && [[ -n $other_machine ]]; then
		read -r places name <<<"$other_machine"
		add "$places" "$name"
		left_out=()
	fi
}

# Chooses programs that test a bit of everything, for changes that no program covers.
all_purpose() { for name in stress.py transfers.py pool.py; do add kselftest "$name"; done; }

by_change() {
	local files=() file checks=(spdx documents)
	mapfile -t files < <(changed_files)
	if ((${#files[@]} == 0)); then
		note "nothing has changed: running the default tests"
		add lint format spdx soundness arrows documents programs mutants
		add host
		add compile-fail
		all_purpose
		return
	fi
	local more=''
	((${#files[@]} <= 10)) || more=" and $((${#files[@]} - 10)) more"
	note "changed: ${files[*]:0:10}$more"
	local code='' host='' compiled='' all='' tool=''
	for file in "${files[@]}"; do
		case $file in
		*.rs | *.c | *.h | Kbuild | rust/*) ;;&
		*.rs) checks+=(format arrows) ;;&
		*.[ch]) checks+=(checkpatch) ;;&
		*.sh) checks+=(shellcheck) ;;&
		tests/selftests/*.py) checks+=(programs) ;;&
		rust/* | tests/selftests/*.py | tests/modules/* | tests/mutation/*) checks+=(mutants) ;;&
		Documentation/soundness.md | rust/*.rs | *.[ch]) checks+=(soundness) ;;&
		rust/*.rs | rust/*.[ch] | labyrinth_mod.rs | Kbuild | include/*) code=1 ;;&
		rust/pool/logic/* | rust/page/transfer/canary.rs | tests/host/* | tests/wall/*) host=1 ;;&
		tools/labyrinth/* | tests/tool/* | scripts/build/tool.sh) tool=1 ;;&
		tests/runner/results_test.sh | scripts/runs/count-ktap.awk) host=1 ;;&
		rust/lib.rs | rust/page/* | rust/ffi/* | rust/pool/* | rust/stats/*) compiled=1 ;;&
		tests/compile_fail/*) compiled=1 ;;&
		tests/selftests/lib/* | tests/selftests/Makefile | tests/selftests/settings) all=1 ;;
		scripts/machine/* | scripts/runs/kselftest.sh) all=1 ;;
		esac
	done
	[[ -z $code ]] || checks+=(clippy)
	mapfile -t checks < <(printf '%s\n' "${checks[@]}" | sort -u)
	add lint "${files[@]/#/--only=}" "${checks[@]}"
	[[ -z $host ]] || add host
	[[ -z $tool ]] || add tool
	fitting "${files[@]}"
	[[ -z $all$code || -n ${chosen[kselftest]-}${chosen[numa]-}${chosen[edu]-}${chosen[drivers]-} ]] ||
		all_purpose
	[[ -z $compiled ]] || add compile-fail
	if ((${#order[@]} == 1)) && [[ -n ${chosen[lint]} ]]; then
		note "no test covers these files; choose tests with WHAT=…"
	fi
}

# Lists the tests that were left out, so that nobody mistakes a quick run for a complete one.
what_is_left() {
	local part
	for part in host compile-fail; do
		[[ -n ${chosen[$part]+set} ]] || left_out+=("$part")
	done
	[[ $kernel == debug ]] || left_out+=("the debug kernel")
	for part in numa edu drivers suspend stale modversions runner mutation old-kernels bench \
		tool browser; do
		[[ -n ${chosen[$part]+set} ]] || left_out+=("$part")
	done
	printf 'left out: %s' "$(printf '%s\n' "${left_out[@]}" | paste -sd , | sed 's/,/, /g')"
}

if [[ -n ${WHAT-} ]]; then named "$WHAT"; else by_change; fi
lock "quick-$(cksum <<<"$TOP" | tr ' ' -)"
new_logs "$TOP/build/quick"
if [[ $kernel == kdir ]]; then set_up root; else set_up root stock; fi
# The tests need this kernel, so make it first.
[[ $kernel != debug ]] || set_up debug
"$SCRIPTS/machine/kvm-probe.sh" "$kernel" >/dev/null

# Start the guests first, as they take longest.
jobs=()
for part in kselftest order soak numa edu drivers old-kernels mutation suspend stale modversions \
	runner bench tool compile-fail host build lint; do
	[[ -z ${chosen[$part]+set} ]] || jobs+=("$part $kernel${chosen[$part]% }")
done
jobs_start=$SECONDS
run_jobs "${jobs[@]}"
report "$(what_is_left)"
