#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [CASE]…: tests the command line tool without a guest, with KTAP on stdout. Cases: `unit`
# (all tests of the package), `format`, `clippy`, `licences`, `manual`; or the name of one of the
# package's tests; or `fuzz`, which is also run if LABYRINTH_SOAK is set: changed logs for `explain`,
# for LABYRINTH_FUZZ_SECONDS (default: 300). The test programs tests/selftests/tool_*.py use the tool in a guest.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
tool=("$SCRIPTS/build/tool.sh")
out=$TOP/build/tool-tests
mkdir -p "$out"

number=0 failed=0
# result ok|"not ok" NAME: prints a result.
result() {
	number=$((number + 1))
	[[ $1 == ok ]] || failed=1
	echo "$1 $number $2"
}

# Runs the package's own tests. Their harness prints "test NAME ... ok", FAILED or ignored.
unit() {
	local log=$out/unit.log rc=0 name state ran=0
	"${tool[@]}" test --release -j"$JOBS" -- "$@" >"$log" 2>&1 || rc=$?
	((rc == 0)) || sed -n '/^error/,+20p; /^failures:/,$p' "$log" | head -n 60 | sed 's/^/# /'
	while read -r name state; do
		case $state in
		ok) result ok "$name" ;;
		ignored*) continue ;;
		*) result "not ok" "$name" ;;
		esac
		ran=1
	done < <(sed -nE 's/^test ([^ ]+)( - should panic)? \.\.\. /\1 /p' "$log")
	((ran && rc == 0 || failed)) || result "not ok" "unit: see $log"
}

format() {
	"$SCRIPTS/environment/sandbox.sh" rustfmt --check --edition 2021 "$TOP"/tools/labyrinth/src/{lib,main}.rs
}
clippy() { "${tool[@]}" clippy --release --all-targets -j"$JOBS" -- -Dwarnings; }

licences() {
	"${tool[@]}" metadata --format-version 1 >"$out/metadata.json"
	"$SCRIPTS/environment/sandbox.sh" python3 -B "$TOP/tests/tool/licences.py" "$out/metadata.json"
}

# Every subcommand of the help has a manual page, and each shell has completions for it.
manual() {
	local built name shell
	built=$("${tool[@]}")
	mapfile -t names < <("$SCRIPTS/environment/sandbox.sh" "$built" --help |
		sed -n '/^Commands:/,/^$/s/^  \([a-z]\+\) .*/\1/p' | grep -vx help)
	((${#names[@]})) || { echo "the help lists no commands"; return 1; }
	for name in "${names[@]}"; do
		[[ -s $TOP/build/tool/man1/labyrinth-$name.1 ]] ||
			{ echo "labyrinth $name has no manual page"; return 1; }
		for shell in labyrinth.bash _labyrinth labyrinth.fish; do
			grep -q "\b$name\b" "$TOP/build/tool/completions/$shell" ||
				{ echo "$shell does not complete $name"; return 1; }
		done
	done
}

fuzz() {
	"${tool[@]}" test --config "env.LABYRINTH_FUZZ_SECONDS=\"${LABYRINTH_FUZZ_SECONDS-300}\"" \
		--release -j"$JOBS" -- --ignored --nocapture damaged_logs_are_survived_for_long
}

# run.sh --alone CASE: runs the case itself, with its output on stdout and its status.
if [[ ${1-} == --alone ]]; then
	case $2 in
	format) format ;;
	clippy) clippy ;;
	licences) licences ;;
	manual) manual ;;
	fuzz) fuzz ;;
	esac
	exit
fi

cases=(unit format clippy licences manual)
[[ -z ${LABYRINTH_SOAK-} ]] || cases+=(fuzz)
(($# == 0)) || cases=("$@")
for case in "${cases[@]}"; do
	case $case in
	unit) unit ;;
	format | clippy | licences | manual | fuzz)
		rc=0
		# set -e has no effect in a function whose status is tested, so this is another shell.
		bash "$0" --alone "$case" >"$out/$case.log" 2>&1 || rc=$?
		if ((rc == 0)); then
			result ok "$case"
		else
			tail -n 20 "$out/$case.log" | sed 's/^/# /'
			result "not ok" "$case"
		fi
		;;
	*) unit "$case" ;;
	esac
done
echo "1..$number"
exit "$failed"
