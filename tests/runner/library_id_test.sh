#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# library_id_test.sh [CASE]…: tests scripts/build/library-id.sh, which identifies a build of the
# library. Needs no kernel. Prints KTAP.
# shellcheck disable=SC2317 # cases are called by their names
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/runner/cases.sh
source "$here/cases.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Makes a library of three files, a kernel, and a compiler.
fresh() {
	rm -rf "${work:?}"/*
	mkdir -p "$work"/source/{rust/ffi,include,scripts/build} "$work"/kernel/{include/generated,rust}
	echo 'pub struct Pool { a: u32, b: u32 }' >"$work/source/rust/lib.rs"
	echo 'int helper(void) { return 1; }' >"$work/source/rust/ffi/helper.c"
	echo 'int helper(void);' >"$work/source/include/helper.h"
	echo 'obj-m := labyrinth.o' >"$work/source/Kbuild"
	echo 'bindgen' >"$work/source/scripts/build/Makefile.bindgen"
	echo '--cfg=CONFIG_SMP' >"$work/kernel/include/generated/rustc_cfg"
	echo 'kernel crate' >"$work/kernel/rust/libkernel.rmeta"
	compiler 1.85.1
}

compiler() {
	printf '#!/bin/sh\necho "rustc %s"\n' "$1" >"$work/rustc"
	chmod +x "$work/rustc"
}

id() {
	"$here/../../scripts/build/library-id.sh" "$work/source" "$work/kernel" "$work/rustc" \
		"${1--Copt-level=2}"
}

# changes COMMAND…: whether COMMAND changes the identifier.
changes() {
	local before
	fresh
	before=$(id)
	[[ $before =~ ^[0-9a-f]{16}$ ]] || { echo "# '$before' is no number"; return 1; }
	"$@"
	[[ $(id) != "$before" ]]
}

test_same_for_the_same() {
	local before
	fresh
	before=$(id)
	cp -r "$work/source" "$work/elsewhere"
	rm -r "$work/source"
	mv "$work/elsewhere" "$work/source"
	is "$(id)" "$before"
}

test_a_field_is_moved() {
	changes sed -i 's/a: u32, b: u32/b: u32, a: u32/' "$work/source/rust/lib.rs"
}

test_a_file_is_moved() { changes mv "$work/source/rust/lib.rs" "$work/source/rust/other.rs"; }

test_c_is_changed() { changes sed -i 's/1/2/' "$work/source/rust/ffi/helper.c"; }

test_a_header_is_added() {
	changes cp "$work/source/include/helper.h" "$work/source/include/other.h"
}

test_the_rules_are_changed() { changes sed -i 's/$/ # more/' "$work/source/Kbuild"; }

test_the_configuration_is_changed() {
	changes sed -i 's/SMP/PREEMPT_RT/' "$work/kernel/include/generated/rustc_cfg"
}

test_another_kernel_crate() {
	changes sed -i 's/crate/crates/' "$work/kernel/rust/libkernel.rmeta"
}

test_another_compiler() { changes compiler 1.86.0; }

test_another_flag() {
	fresh
	[[ $(id -Copt-level=2) != $(id -Copt-level=s) ]]
}

test_a_kernel_without_the_crate() {
	fresh
	rm "$work/kernel/rust/libkernel.rmeta"
	is "$(id 2>/dev/null || true)" ''
}

run_cases library_id "$@"
