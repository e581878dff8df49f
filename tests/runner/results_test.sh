#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# results_test.sh [CASE]…: tests the report at the end of a run with made-up results: the counts,
# the names of failed cases, the reasons, and the commands that repeat them. Needs no kernel. Prints
# KTAP.
# shellcheck disable=SC2317 # cases are called by their names
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
awk=$here/../../scripts/runs/count-ktap.awk
# shellcheck source=tests/runner/cases.sh
source "$here/cases.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# summary NAME CONTENT: prints the report on a file of results.
summary() {
	printf '%b' "$2" >"$work/$1.out"
	awk -f "$awk" "$work/$1.out"
}

counted() { is "$(summary x-stock "$2" | tail -n 1)" "$1"; }

# Results of a program, as the kernel's test runner prints them.
PASSES='# selftests: labyrinth: a.py\n# 1..1\n# ok 1 x\nok 1 selftests: labyrinth: a.py\n'
FAILS='# selftests: labyrinth: pool.py\n# 1..2\n# # fine\n# ok 1 x\n# # NOTES\n# # cache_serves took 1.2 s\n'
FAILS+='# not ok 2 cache_serves\nnot ok 2 selftests: labyrinth: pool.py # exit=1\n'

# failure FILE NOTES WANTED: checks the report of a case that fails with these notes.
failure() {
	is "$(summary "$1" "1..2\n$PASSES${FAILS/NOTES/$2}" | sed '$d')" "$3"
}

test_complete() {
	counted '2 passed, 0 failed, 1 skipped' '1..2\n# selftests: l: a\n# 1..2\n# ok 1 x\n# ok 2 y # SKIP\nok 1 a\nok 2 b\n'
}
test_failure_inside() {
	counted '1 passed, 1 failed, 0 skipped' '1..1\n# selftests: l: a\n# 1..2\n# ok 1 x\n# not ok 2 y\nnot ok 1 a\n'
}
test_program_died() {
	counted '1 passed, 1 failed, 0 skipped' '1..1\n# selftests: l: a\n# 1..2\n# ok 1 x\nnot ok 1 a # exit=139\n'
}
test_run_died() { counted '1 passed, 1 failed, 0 skipped' '1..2\nok 1 a\n'; }
test_empty() { counted '0 passed, 1 failed, 0 skipped' ''; }

# Failures come before skipped tests, and the counts are last.
test_failures_first() {
	is "$(summary x-stock '1..3\nok 1 a # SKIP\nnot ok 2 b\nok 3 c\n' | sed 's/:.*//')" \
		$'failed\n    again\nskipped\n1 passed, 1 failed, 1 skipped'
}

test_traceback() {
	failure kselftest-stock 'a note\n# # Traceback (most recent call last):\n# #   File "/l/ktap.py", line 9, in _run\n# #     case()\n# #   File "/l/pool.py", line 12, in cache_serves\n# #     assert a == b, "text"\n# # AssertionError: 3 cached\n# # and more' \
		'failed: kselftest-stock: pool.py cache_serves
    AssertionError: 3 cached
      File "/l/pool.py", line 12, in cache_serves
        assert a == b, "text"
    again: make quick WHAT=pool.py:cache_serves'
}
# In a chain of exceptions, the last one was raised.
test_chained_traceback() {
	failure kselftest-debug 'Traceback (most recent call last):\n# #   File "/l/a.py", line 1, in f\n# #     g()\n# # KeyError: 1\n# # During handling of that\n# # Traceback (most recent call last):\n# #   File "/l/b.py", line 2, in h\n# #     i()\n# # OSError: no' \
		'failed: kselftest-debug: pool.py cache_serves
    OSError: no
      File "/l/b.py", line 2, in h
        i()
    again: make quick WHAT=pool.py:cache_serves KERNEL=debug'
}
test_kernel_log() {
	failure soak-debug 'first note\n# # second note\n# # the kernel log is not clean:\n# # one\n# # two\n# # three' \
		'failed: soak-debug: pool.py cache_serves
    the kernel log is not clean:
    one
    two
    again: make quick WHAT=soak:pool.py:cache_serves KERNEL=debug'
}
test_notes() {
	failure edu-stock 'one\n# # two\n# # three\n# # the module was left loaded' \
		'failed: edu-stock: pool.py cache_serves
    two
    three
    the module was left loaded
    again: make quick WHAT=edu:pool.py:cache_serves'
}
test_death_of_a_program() {
	is "$(summary numa-stock '1..1\n# selftests: labyrinth: numa.py\n# 1..2\n# ok 1 x\n# # said last\nnot ok 1 selftests: labyrinth: numa.py # TIMEOUT 1800 seconds\n' | head -n 3)" \
		'failed: numa-stock: numa.py: 1 results, 2 planned # TIMEOUT 1800 seconds
    said last
    again: make quick WHAT=numa:numa.py'
}
# An exception outside of any case.
test_case_of_a_program() {
	is "$(summary kselftest-stock '1..1\n# selftests: labyrinth: pool.py\n# 1..1\n# # LookupError: no\n# not ok 1 pool.py\nnot ok 1 selftests: labyrinth: pool.py # exit=1\n' | head -n 3)" \
		'failed: kselftest-stock: pool.py pool.py
    LookupError: no
    again: make quick WHAT=pool.py'
}

test_console() {
	is "$(summary console-kselftest-debug '1..1\n# [ 1.0] BUG: KASAN\n# [ 1.0] Write of\n# [ 1.1] CPU\n# the whole console: x\nnot ok 1 the kernel reported a bug, or died, while pool.py:cache_serves ran\n' | sed -n '1,2p;5p')" \
		'failed: console-kselftest-debug: the kernel reported a bug, or died, while pool.py:cache_serves ran
    [ 1.0] BUG: KASAN
    again: make quick WHAT=pool.py:cache_serves KERNEL=debug'
}
# A report before the first case, or in a program without cases.
test_console_without_case() {
	is "$(summary console-numa-stock '1..1\n# [ 1.0] BUG: x\nnot ok 1 the kernel reported a bug, or died\n' | sed -n 3p)" \
		'    again: make quick WHAT=numa'
}

test_compile_fail() {
	is "$(summary compile-fail-stock '1..2\nok 1 a\n# expected error[E0382] in line 8, got (status 1):\n# one\n# two\n# three\nnot ok 2 page_freed_twice\n' | sed '$d')" \
		'failed: compile-fail-stock: page_freed_twice
    expected error[E0382] in line 8, got (status 1):
    one
    two
    again: make quick WHAT=compile-fail:page_freed_twice'
}
test_host() {
	is "$(summary host-stock '1..1\n# selftests: host: labyrinth-host-tests\n# 1..1\n# # seen 1\n# # panicked: one\n# # two\n# # three\n# # four\n# not ok 1 canary_any_change\nnot ok 1 host: labyrinth-host-tests # exit=1\n' | sed '$d')" \
		'failed: host-stock: labyrinth-host-tests canary_any_change
    panicked: one
    two
    three
    again: make quick WHAT=host:canary_any_change'
}
test_lint() {
	is "$(summary lint-debug '1..1\n# lint found:\n# warning: unused\n#  --> rust/a.rs:1:2\n# more\nnot ok 1 clippy debug\n' | sed '$d')" \
		'failed: lint-debug: clippy debug
    lint found:
    warning: unused
     --> rust/a.rs:1:2
    again: make quick WHAT=lint:clippy KERNEL=debug'
}
test_runner() {
	is "$(summary runner-stock '1..1\n# command_hangs: status 0, not 4; see x\nnot ok 1 command_hangs\n' | sed '$d')" \
		'failed: runner-stock: command_hangs
    command_hangs: status 0, not 4; see x
    again: make quick WHAT=runner:command_hangs'
}
# A case that passes alone may depend on the cases before it.
test_order() {
	echo "labyrinth: the order is that of LABYRINTH_SEED=4711" >"$work/order-stock.err"
	failure order-stock 'no' \
		'failed: order-stock: pool.py cache_serves
    no
    again: make quick WHAT=pool.py:cache_serves; in the same order: make quick WHAT=order LABYRINTH_SEED=4711'
}
# The cases of some parts cannot run alone.
test_bench() {
	is "$(summary bench-stock '1..1\n# perf=3.0\nnot ok 1 required: hit, at most 2.0\n' | sed '$d')" \
		'failed: bench-stock: required: hit, at most 2.0
    perf=3.0
    again: make quick WHAT=bench'
}

# A program that does not compile has no traceback.
test_syntax_error() {
	is "$(summary kselftest-stock '1..1\n# selftests: labyrinth: pool.py\n#   File "/l/pool.py", line 12\n#     f(:\n#       ^\n# SyntaxError: invalid syntax\nnot ok 1 selftests: labyrinth: pool.py # exit=1\n' | sed '$d')" \
		'failed: kselftest-stock: selftests: labyrinth: pool.py # exit=1
    SyntaxError: invalid syntax
      File "/l/pool.py", line 12
        f(:
    again: make quick WHAT=pool.py'
}
# A file that the programs share is compiled before they run.
test_syntax_error_in_a_library() {
	printf '%s\n' 'labyrinth: building' "*** Error compiling '/l/lib/a.py'..." '  File "/l/lib/a.py", line 3' '    f(:' \
		'      ^' 'SyntaxError: invalid syntax' '' >"$work/kselftest-stock.err"
	is "$(summary kselftest-stock '' | sed '$d')" \
		'failed: kselftest-stock: empty
    SyntaxError: invalid syntax
      File "/l/lib/a.py", line 3
        f(:
    again: make quick WHAT=kselftest'
	rm "$work/kselftest-stock.err"
}

# If there are no results, the report has the reasons in the .why file.
test_build_failure() {
	printf '%s\n' '[1/1] building labyrinth.ko failed:' 'error[E0425]: cannot find value' 'error: aborting' \
		'again: make quick WHAT=build KERNEL=debug' >"$work/kselftest-debug.why"
	is "$(summary kselftest-debug '' | sed '$d')" \
		'failed: kselftest-debug: empty
    [1/1] building labyrinth.ko failed:
    error[E0425]: cannot find value
    error: aborting
    again: make quick WHAT=build KERNEL=debug'
}
test_setup_failure() {
	printf '%s\n' '[7/7] building the debug kernel failed:' 'No space left on device' 'again: scripts/environment/setup.sh debug' \
		>"$work/setup-debug.why"
	is "$(summary setup-debug '1..1\nnot ok 1 set-up of debug\n' | sed '$d')" \
		'failed: setup-debug: set-up of debug
    [7/7] building the debug kernel failed:
    No space left on device
    again: scripts/environment/setup.sh debug'
}
# If there is no .why file either, the report has the last lines of the .err file.
test_last_words() {
	printf '%s\n' one two three four >"$work/mutation-stock.err"
	is "$(summary mutation-stock '' | sed '$d')" \
		'failed: mutation-stock: empty
    two
    three
    four
    again: make quick WHAT=mutation'
}
test_settings() {
	printf '1..1\nnot ok 1 x\n' >"$work/bench-stock.out"
	is "$(awk -v settings=' FLAVOUR=rt-amd64' -f "$awk" "$work/bench-stock.out" | sed -n 2p)" \
		'    again: make quick WHAT=bench FLAVOUR=rt-amd64'
	# Unlike make, scripts take settings only from the environment.
	printf '%s\n' 'none found' 'again: scripts/environment/setup.sh root stock' >"$work/setup-root.why"
	printf '%b' '1..1\nnot ok 1 set-up of root stock\n' >"$work/setup-root.out"
	is "$(awk -v settings=' FLAVOUR=rt-amd64 SERIES=7.2' -f "$awk" "$work/setup-root.out" | sed -n 3p)" \
		'    again: FLAVOUR=rt-amd64 SERIES=7.2 scripts/environment/setup.sh root stock'
	printf '%b' '1..1\nnot ok 1 set-up of debug\n' >"$work/setup-debug.out"
	rm -f "$work/setup-debug.why"
	is "$(awk -v settings=' SERIES=7.2' -f "$awk" "$work/setup-debug.out" | sed -n 2p)" \
		'    again: SERIES=7.2 scripts/environment/setup.sh debug'
}

run_cases results "$@"
