#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kselftest.sh KERNEL MODULE FOLDER: installs the kernel's test runner, our tests, the modules, the
# test modules and drivers into FOLDER. In a guest, run_kselftest.sh in FOLDER runs the tests.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
(($# == 3)) || die "kselftest.sh needs a kernel, a module and a folder"
id=$1 module=$2 folder=$3

assignments=$("$SCRIPTS/environment/kernel.sh" "$id")
eval "$assignments"
kselftest=$K_SOURCE/tools/testing/selftests
for file in lib.mk run_kselftest.sh kselftest/runner.sh kselftest/ksft.py; do
	[[ -r $kselftest/$file ]] || die "$kselftest/$file is missing" \
		"the tests need the complete source of the kernel, with tools/testing/selftests"
done

grep -qx CONFIG_DEBUG_FS=y "$K_BUILD/.config" ||
	die "the kernel was built without CONFIG_DEBUG_FS" \
		"KDIR=<a tree that has it>; the module works without it, but its tests do not"

rm -rf "$folder"
mkdir -p "$folder/kselftest" "$folder/labyrinth"
cp "$kselftest/run_kselftest.sh" "$folder/"
cp "$kselftest"/kselftest/{runner.sh,prefix.pl,ktap_helpers.sh,ksft.py} "$folder/kselftest/"
make_tests() {
	"$SCRIPTS/environment/sandbox.sh" --kernel "$id" make -s -C "$TOP/tests/selftests" \
		KSELFTEST="$kselftest" OUTPUT="$folder/labyrinth" "$@"
}
make_tests install INSTALL_PATH="$folder/labyrinth" >&2
make_tests COLLECTION=labyrinth emit_tests >"$folder/kselftest-list.txt"
test_modules=$("$SCRIPTS/build/test-modules.sh" "$id" "$module")
mapfile -t test_modules <<<"$test_modules"
cp "$module" "${module%/*}/labyrinth_lab.ko" "${test_modules[@]}" "$folder/labyrinth/"
for driver in "$TOP"/samples/*_*/ "$TOP/tests/modules/leaks"; do
	files=$("$SCRIPTS/build/build-driver.sh" "$id" "$module" "$driver")
	# Drivers of PCI devices are not built for a kernel without PCI.
	[[ -n $files ]] || continue
	mapfile -t files <<<"$files"
	cp "${files[@]}" "$folder/labyrinth/"
done
sockets=$("$SCRIPTS/build/raw-sockets.sh" "$id" "${module%/*}")
[[ -z $sockets ]] || cp "$sockets" "$folder/labyrinth/"
# Debug information is nine tenths of a module, and the kernel copies the whole file to load it.
# Python is compiled here, because a guest cannot keep the result, and would compile it each time.
# shellcheck disable=SC2016 # expanded in the sandbox
"$SCRIPTS/environment/sandbox.sh" --bind "$folder" sh -euc 'for module in "$1"/*.ko; do objcopy --strip-debug "$module"; done
	python3 -m compileall -q "$1"' - "$folder/labyrinth" >&2
