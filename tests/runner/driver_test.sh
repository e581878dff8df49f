#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# driver_test.sh [CASE]…: tests the commands for the author of a driver. Scripts replace the kernel,
# the builds and the guest. Needs no kernel. Prints KTAP.
# shellcheck disable=SC2016,SC2317 # programs are in single quotes; cases are called by their names
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/runner/cases.sh
source "$here/cases.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checkout=$work/checkout

# program FILE: makes a program of the text on stdin.
program() {
	mkdir -p "${1%/*}"
	cat >"$1"
	chmod +x "$1"
}

# Makes a checkout. Its setup.sh records that it was called. Its make writes the modules that
# $work/modules names.
fresh() {
	chmod -R u+w "$work"
	rm -rf "${work:?}"/*
	chmod 755 "$work"
	mkdir -p "$checkout/built" "$checkout/samples"
	cp -r "$here"/../../{scripts,Makefile} "$checkout/"
	cp -r "$here/../../samples/rust_pool" "$checkout/samples/"
	touch "$checkout/built"/{driver.mk,labyrinth.ko}
	program "$checkout/scripts/environment/setup.sh" <<-SETUP
		#!/bin/sh
		touch "$work/begun"
		exit 1
	SETUP
	program "$checkout/scripts/environment/kernel.sh" <<-KERNEL
		echo "K_RELEASE=1 K_BUILD=$work K_MAKE_ARGS=()"
	KERNEL
	program "$checkout/scripts/environment/sandbox.sh" <<-SANDBOX
		#!/bin/bash
		for argument; do [[ \$argument != MO=* ]] || out=\${argument#MO=}; done
		: >"\$out/modules.order"
		while read -r name; do
			touch "\$out/\$name.ko"
			echo "\$name.o" >>"\$out/modules.order"
		done <"$work/modules"
	SANDBOX
}

# run COMMAND…: runs a command, in the checkout. Its output is in $work/said, its status in $rc.
run() {
	rc=0
	(cd "$checkout" && LABYRINTH_CACHE=$work/cache "$@") >"$work/said" 2>&1 || rc=$?
}

# refused TEXT COMMAND…: whether the command fails with this text before anything is built.
refused() {
	local text=$1
	shift
	run "$@"
	[[ $rc != 0 && ! -e $work/begun ]] && grep -q "error: .*$text" "$work/said" && return
	printf '# %s: status %d, not refused with: %s\n' "$*" "$rc" "$text"
	sed 's/^/# /' "$work/said"
	return 1
}

# a_driver FOLDER MODULE: makes a driver, and builds it. Prints its modules without the folder.
a_driver() {
	mkdir -p "$1"
	echo "obj-m := $2.o" >"$1/Kbuild"
	echo "$2" >"$work/modules"
	run scripts/build/build-driver.sh kdir "$checkout/built/labyrinth.ko" "$1"
	sed -n 's|.*/||; /[.]ko$/p' "$work/said"
}

test_two_folders_of_one_name() {
	fresh
	is "$(a_driver "$work/1/drv" one) $(a_driver "$work/2/drv" two)" 'one.ko two.ko' &&
		is "$(find "$checkout/built" -name one.ko | wc -l)" 1 &&
		[[ -z $(find "$(dirname "$(find "$checkout/built" -name one.ko)")" -name two.ko) ]]
}

test_a_renamed_module() {
	fresh
	is "$(a_driver "$work/drv" two) $(a_driver "$work/drv" three)" 'two.ko three.ko'
}

# fails: runs a step that prints $work/the_log and fails.
fails() {
	run bash -c 'source scripts/lib.sh
		step building "$1/build.log" sh -c "cat \"\$1\"; exit 2" - "$1/the_log"' - "$work"
}

test_errors_of_the_compiler() {
	fresh
	cat >"$work/the_log" <<-'LOG'
		make[1]: Entering directory '/build'
		  RUSTC [M] my_driver.o
		warning: unused import
		error[E0277]: `Softirq` is atomic context, which may not sleep
	LOG
	printf '   | line %s\n' {1..40} >>"$work/the_log"
	cat >>"$work/the_log" <<-'LOG'
		error: aborting due to 1 previous error
		make[3]: *** [Makefile:1: my_driver.o] Error 1
		make[1]: Leaving directory '/build'
	LOG
	fails
	is "$(grep -c '^    ' "$work/said")" 42 &&
		grep -q '^    error\[E0277\]: `Softirq` is atomic context' "$work/said" &&
		! grep -q 'make\[\|RUSTC' "$work/said"
}

test_other_errors() {
	fresh
	printf 'line %s\n' {1..30} >"$work/the_log"
	fails
	is "$(grep '^    ' "$work/said" | sed 's/^ *//')" "$(printf 'line %s\n' {11..30})"
}

test_a_forgotten_import() {
	fresh
	echo "ERROR: modpost: d.ko: module uses symbol 'f' from namespace 'LABYRINTH_1', but does not import it." \
		>"$work/the_log"
	fails
	grep -q 'fix: .*labyrinth::import!();' "$work/said"
}

# in_guest COMMAND CODE: runs the guest's part, where COMMAND runs this code for the driver.
in_guest() {
	local name
	mkdir -p "$work/bin"
	for name in insmod rmmod lsmod; do
		printf '#!/bin/sh\n' | program "$work/bin/$name"
	done
	printf '#!/bin/sh\n[ "$1" = --clear ] || echo a line of the kernel\n' | program "$work/bin/dmesg"
	printf '#!/bin/sh\ncase $1 in *my_driver*) %s ;; esac\n' "$2" | program "$work/bin/$1"
	sed -i "s|^metrics=.*|metrics=$work/metrics|; s/^limit=.*/limit=1/; s/^sleep 2$//" \
		"$checkout/scripts/build/driver-guest.sh"
	run env PATH="$work/bin:$PATH" timeout 20 scripts/build/driver-guest.sh labyrinth.ko my_driver.ko
}

test_rmmod_hangs() {
	fresh
	touch "$work/metrics"
	in_guest rmmod 'sleep 10'
	is "$rc" 1 && grep -q 'rmmod my_driver is not done after 1 s' "$work/said" &&
		grep -q 'a line of the kernel' "$work/said"
}

test_insmod_hangs() {
	fresh
	in_guest insmod 'sleep 10'
	is "$rc" 1 && grep -q 'insmod my_driver.ko is not done after 1 s' "$work/said" &&
		grep -q 'a line of the kernel' "$work/said"
}

test_insmod_fails() {
	fresh
	in_guest insmod 'exit 3'
	is "$rc" 1 && grep -q 'a line of the kernel' "$work/said"
}

test_statistics_of_the_driver() {
	fresh
	cat >"$work/metrics" <<-'METRICS'
		labyrinth_my_driver_dropped_total 0
		labyrinth_my_driver_waits{queue="1"} 7
		labyrinth_pool_cached{pool="my_driver"} 32
		labyrinth_pool_reserved{pool="my_driver"} 0
		labyrinth_pool_cached{pool="default"} 32
	METRICS
	in_guest lsmod :
	is "$rc
$(grep '^labyrinth' "$work/said")" '0
labyrinth_pool_cached{pool="my_driver"} 32
labyrinth_my_driver_dropped_total 0
labyrinth_my_driver_waits{queue="1"} 7'
}

test_no_parent() {
	fresh
	refused "there is no folder $work/no/such" make new-driver NAME=one DIR="$work/no/such/dir" &&
		! grep -qE 'realpath|mv:' "$work/said"
}

test_an_empty_folder() {
	fresh
	mkdir "$work/empty"
	run make new-driver NAME=one DIR="$work/empty"
	is "$rc $(find "$work/empty" -type f -printf '%f\n' | sort | paste -sd ' ')" '0 Kbuild one.rs' &&
		refused "$work/empty already exists" make new-driver NAME=two DIR="$work/empty"
}

test_a_checkout_that_cannot_be_written() {
	fresh
	local as=()
	mkdir "$work/mine" "$work/cache"
	((EUID)) || { as=(setpriv --reuid=65534 --clear-groups); chown 65534 "$work"/{mine,cache}; }
	chmod -R a-w "$checkout"
	run "${as[@]}" make new-driver NAME=one DIR="$work/mine/one"
	is "$rc $(ls "$work/mine")" '0 one' || { cat "$work/said"; return 1; }
	refused "cannot write to $work" "${as[@]}" make new-driver NAME=one
}

test_a_driver_in_the_build() {
	fresh
	mkdir -p "$checkout/build/two"
	touch "$checkout/build/two/Kbuild"
	refused 'make clean removes' make new-driver NAME=one DIR=build/one &&
		refused 'make clean removes' make driver DIR=build/two
}

test_names() {
	local name
	fresh
	for name in rust_pool labyrinth labyrinth_lab std crate fn; do
		refused 'crate\|keyword\|module' make new-driver NAME="$name" DIR="$work/refused" ||
			return
		[[ ! -e $work/refused ]] || return
	done
}

test_a_folder_without_kbuild() {
	fresh
	mkdir "$work/drv"
	refused 'has no Kbuild' make driver DIR="$work/drv" &&
		refused 'has no Kbuild' make rust-analyzer DIR="$work/drv"
}

test_a_kernel_that_nobody_reads() {
	local target
	fresh
	for target in demo check soak shell bench wall lint new-driver; do
		refused 'use KERNEL' make "$target" KERNEL=debug || return
	done
}

# The kernel's generator also finds copies of drivers in the build, and no driver elsewhere.
test_crates_for_editors() {
	fresh
	mkdir -p "$checkout"/{rust/lab,build/copy} "$work/drv"
	touch "$checkout"/{labyrinth_mod,rust/lib,rust/lab/lab,build/copy/copy}.rs "$work/drv/drv.rs"
	echo 'obj-m := drv.o' >"$work/drv/Kbuild"
	cat >"$checkout/built/rust-project.json" <<-PROJECT
		{"crates": [
			{"display_name": "copy", "root_module": "$checkout/build/copy/copy.rs", "deps": []},
			{"display_name": "core", "root_module": "/usr/core.rs", "deps": []},
			{"display_name": "labyrinth_mod", "root_module": "$checkout/labyrinth_mod.rs",
				"deps": [{"crate": 1, "name": "core"}]}]}
	PROJECT
	python3 -B "$checkout/scripts/build/rust_project.py" "$checkout" "$checkout/built" /root \
		"$work/drv"
	is "$(python3 - "$checkout/rust-project.json" <<-'SHOW'
		import json, sys
		crates = json.load(open(sys.argv[1]))["crates"]
		for crate in crates:
		    print(crate["display_name"], *[crates[dep["crate"]]["display_name"] for dep in crate["deps"]])
	SHOW
	)" 'core
labyrinth_mod core labyrinth
labyrinth_lab core labyrinth
drv core labyrinth
labyrinth core'
}

run_cases driver "$@"
