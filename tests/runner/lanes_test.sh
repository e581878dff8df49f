#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# lanes_test.sh [CASE]…: tests the jobs of a run, with scripts that replace their work. Jobs that
# need the debug kernel wait for it, others do not, and failures are reported. Needs no kernel.
# Prints KTAP.
# shellcheck disable=SC2317 # cases are called by their names
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/runner/cases.sh
source "$here/cases.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run STATUS [JOB]…: runs the jobs. Set-up takes two seconds, and ends with STATUS. The order of the
# jobs is in $work/order, the output in $work/printed, and the status in $rc.
run() {
	local status=$1
	shift
	rm -rf "${work:?}"/*
	cp -r "$here/../../scripts" "$work/scripts"
	cat >"$work/scripts/environment/setup.sh" <<-SETUP
		#!/usr/bin/env bash
		source "$work/scripts/lib.sh"
		sleep 2
		echo "set-up of \$1" >>"$work/order"
		(($status == 0)) || AGAIN="scripts/environment/setup.sh \$1" die "no space left"
	SETUP
	cat >"$work/scripts/lint/lint.sh" <<-LINT
		#!/usr/bin/env bash
		echo "lint \${*:2}" >>"$work/order"
		echo 1..1
		echo "ok 1 lint"
	LINT
	cat >"$work/run.sh" <<-'RUN'
		source "$1/scripts/lib.sh"
		source "$1/scripts/runs/lanes.sh"
		new_logs "$1/logs"
		run_jobs "${@:2}"
		report "a note"
	RUN
	rc=0
	LABYRINTH_CACHE=$work/cache JOBS=2 bash -euo pipefail "$work/run.sh" "$work" "$@" \
		>"$work/printed" 2>&1 || rc=$?
}

test_only_its_own_wait_for_a_kernel() {
	run 0 "setup debug" "lint debug" "lint stock format spdx"
	is "$(<"$work/order")" $'lint stock format spdx\nset-up of debug\nlint debug' &&
		is "$rc $(tail -n 1 "$work/printed")" '0 3 passed, 0 failed, 0 skipped'
}

test_a_kernel_that_cannot_be_made() {
	run 1 "setup debug" "lint debug" "lint stock"
	is "$(<"$work/order")" $'lint stock\nset-up of debug' &&
		is "$rc $(tail -n 1 "$work/printed")" '1 1 passed, 2 failed, 0 skipped' &&
		is "$(sed -n '/^failed: setup/,/again:/p' "$work/printed")" "failed: setup-debug: set-up of debug
    no space left
    again: LABYRINTH_CACHE=$work/cache scripts/environment/setup.sh debug"
}

# The command that repeats a job contains the settings of the caller.
test_settings_of_the_caller() {
	FLAVOUR=rt-amd64 LABYRINTH_SOAK=1 run 0 "unknown stock"
	is "$(sed -n '/^failed:/,/again:/p' "$work/printed" | tail -n 1)" \
		"    again: make quick WHAT=unknown FLAVOUR=rt-amd64 LABYRINTH_CACHE=$work/cache LABYRINTH_SOAK=1"
}

# A job without results is a failure.
test_no_results() {
	run 0 "lint stock" "unknown stock"
	is "$rc $(tail -n 1 "$work/printed")" '1 1 passed, 1 failed, 0 skipped'
}

# For an unknown name, the error lists the known ones.
test_unknown_names() {
	rm -rf "${work:?}"/*
	cp -r "$here/../../scripts" "$work/scripts"
	mkdir -p "$work/tests"/{selftests,mutation/cases,compile_fail/cases}
	cat >"$work/tests/selftests/a_program.py" <<-'PROGRAM'
		# Runs in: check
		def one():
		def helper():
		def two():
		def slow():
		SLOW = (two,
		        slow)
		ktap.main(one,
		          *ktap.soak((), SLOW), by_name=SLOW)
	PROGRAM
	chmod +x "$work/tests/selftests/a_program.py"
	mkdir "$work/tests/runner"
	touch "$work/tests/runner/run.sh" "$work/tests/mutation/cases"/{a_leak,stack_short}.patch
	touch "$work/tests/compile_fail/cases"/{a_copy,used_twice}.rs
	unknown mutation:leak && unknown compile-fail:copy && unknown program.py &&
		unknown a_program:three && unknown lint:none && unknown runner:none || return
	is "$(<"$work/mutation:leak")" "labyrinth: error: quick: there is no 'mutation:leak'
labyrinth: fix: mutation: a_leak stack_short" &&
		is "$(<"$work/compile-fail:copy")" "labyrinth: error: quick: there is no 'compile-fail:copy'
labyrinth: fix: compile-fail: a_copy used_twice" &&
		is "$(sed -n 2p "$work/program.py")" "labyrinth: fix: programs: a_program.py" &&
		is "$(<"$work/a_program:three")" "labyrinth: error: quick: a_program.py has no case 'three'
labyrinth: fix: cases: one two slow" &&
		is "$(sed -n 1p "$work/lint:none")" "labyrinth: error: quick: there is no 'lint:none'" &&
		is "$(sed -n 1p "$work/runner:none")" "labyrinth: error: quick: there is no 'runner:none'"
}
# unknown WHAT: `make quick` must refuse WHAT. Its output is in $work/WHAT.
unknown() {
	! WHAT=$1 LABYRINTH_CACHE=$work/cache bash "$work/scripts/runs/quick.sh" >"$work/$1" 2>&1
}

run_cases lanes "$@"
