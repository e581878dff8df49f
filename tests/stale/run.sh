#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh stock|debug|kdir FOLDER: tests that a driver that was built against another labyrinth is
# refused, when it is built and when it is loaded. Builds labyrinth and a driver four more times,
# each time with one difference to the labyrinth that is loaded: a field of a type, a flag of rustc,
# rustc itself, the crate `kernel`. Prints KTAP. Logs and the console are kept in FOLDER.
# shellcheck disable=SC2317 # cases are called by their names
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
# shellcheck source=scripts/runs/ktap.sh
source "$SCRIPTS/runs/ktap.sh"
driver=$TOP/samples/rust_pool install=$folder/install
FRAMES=-Cforce-frame-pointers=y

# modules TREE M MO LABYRINTH [ARGUMENT]…: builds modules for a kernel tree.
modules() {
	mkdir -p "$3"
	"$SCRIPTS/environment/sandbox.sh" --kernel "$kernel" make -C "$1" "${K_MAKE_ARGS[@]}" \
		M="$2" MO="$3" LABYRINTH="$4" -j"$JOBS" "${@:5}" modules
}

# variant NAME TREE SOURCE [ARGUMENT]…: builds labyrinth and the driver, and puts the driver beside
# the tests.
variant() {
	local out=$folder/$1
	modules "$2" "$3" "$out/labyrinth" '' "${@:4}" &&
		modules "$2" "$driver" "$out/driver" "$out/labyrinth" "${@:4}" &&
		cp "$out/driver/rust_pool.ko" "$install/labyrinth/stale_$1.ko"
}

# Adds a field to a type, which moves the fields after it.
another_field() {
	local changed=$folder/source/rust/pool/tier/reserve.rs
	mkdir -p "$folder/source"
	cp -r "$TOP"/{Kbuild,labyrinth_mod.rs,include,rust,scripts} "$folder/source/"
	sed -i 's/^    drained: Counter,$/&\n    pub one_more: u64,/
		s/^\( *\)drained: Counter::new(0),$/&\n\1one_more: 0,/' "$changed"
	[[ $(grep -c one_more "$changed") == 2 ]] && variant field "$K_BUILD" "$folder/source"
}

another_flag() { variant flag "$K_BUILD" "$TOP" "KRUSTFLAGS=$FRAMES"; }

# Changes only the output of rustc -vV.
another_rustc() {
	# shellcheck disable=SC2016 # those of the other shell
	printf '%s\n' '#!/bin/sh' '[ "$*" != -vV ] || echo another' 'exec rustc "$@"' \
		>"$folder/disguised_rustc"
	chmod +x "$folder/disguised_rustc"
	variant rustc "$K_BUILD" "$TOP" "RUSTC=$folder/disguised_rustc"
}

# Uses a kernel tree whose crate `kernel` is compiled with another flag. Its symbols have the same
# names.
another_kernel_crate() {
	local tree=$folder/tree command
	mkdir -p "$tree"
	"$SCRIPTS/environment/sandbox.sh" --kernel "$kernel" rsync -a --exclude='*.o' \
		--exclude='*.ko' --exclude='*.a' --exclude='vmlinux*' "$K_BUILD/" "$tree/" || return
	sed -i "s|^\(export KBUILD_OUTPUT = \).*|\1$tree|" "$tree/Makefile"
	# shellcheck disable=SC2016 # the dollars are those of make
	command=$(sed -n '1{s/^savedcmd_[^ ]* := //; s/\$(pound)/#/g; s/\$\$/$/g; p}' \
		"$K_BUILD/rust/.kernel.o.cmd")
	[[ $command == *' rustc '* ]] || { echo "no command for the crate kernel"; return 1; }
	(cd "$tree" && "$SCRIPTS/environment/sandbox.sh" --kernel "$kernel" env RUSTC_BOOTSTRAP=1 \
		sh -c "${command/ rustc / rustc $FRAMES }") &&
		variant kernel_crate "$tree" "$TOP"
}

# result NAME COMMAND…: a case that passes if COMMAND succeeds. The output goes to FOLDER/NAME.log.
# On a failure, its lines that begin with # are printed, too.
result() {
	if "${@:2}" >"$folder/$1.log" 2>&1; then
		ktap_test_pass "$1"
	else
		grep '^# ' "$folder/$1.log" || true
		ktap_print_msg "see $folder/$1.log"
		ktap_test_fail "$1"
	fi
}

# refused TEXT COMMAND…: COMMAND must fail and print TEXT, an extended regular expression.
refused() {
	local rc=0
	"${@:2}" >"$folder/refused" 2>&1 || rc=$?
	cat "$folder/refused"
	((rc)) || { echo "# it was built"; return 1; }
	grep -Eq -- "$1" "$folder/refused" || { echo "# it does not say '$1'"; return 1; }
}

# use FOLDER: replaces the labyrinth that drivers are built against.
use() {
	local name
	mkdir -p "$folder/used"
	for name in liblabyrinth.rmeta Module.symvers driver.mk toolchain.mk built_with.mk; do
		cat "$1/$name" >"$folder/used/$name" || return
	done
}

used() { modules "$K_BUILD" "$driver" "$folder/used_driver" "$folder/used"; }

# make must believe that the old object is up to date.
old_object_is_refused() {
	use "$ours" && used && use "$folder/field/labyrinth" || return
	touch "$folder"/used_driver/*.o
	refused "from namespace 'LABYRINTH_.*, but does not import it" used
}

driver_is_built_again() {
	local id
	use "$ours" && used && use "$folder/field/labyrinth" && used || return
	id=$(grep -aom1 'LABYRINTH_[0-9a-f]\{16\}' "$folder/field/labyrinth/Module.symvers" | head -n 1)
	grep -q "import_ns=$id" "$folder/used_driver/rust_pool.ko" ||
		{ echo "# it does not import $id"; return 1; }
}

# against LABYRINTH TREE [ARGUMENT]…: builds the driver with its Kbuild.
against() { modules "$2" "$driver" "$folder/refused_driver" "$1" "${@:3}"; }

# Builds the driver without driver.mk.
by_hand() {
	mkdir -p "$folder/by_hand"
	cp "$driver/rust_pool.rs" "$folder/by_hand/"
	# shellcheck disable=SC2016 # the dollars are those of make
	printf '%s\n' 'obj-m := rust_pool.o' 'KBUILD_EXTRA_SYMBOLS += $(LABYRINTH)/Module.symvers' \
		'rustflags-y += -L $(LABYRINTH) --extern labyrinth' >"$folder/by_hand/Kbuild"
	modules "$2" "$folder/by_hand" "$folder/by_hand_driver" "$1" "${@:3}"
}

# Fetches another compiler of the distribution.
other_rustc_is_there() {
	local file
	file=$("$SCRIPTS/environment/other-rustc.sh") || return
	cp "$file" "$folder/other_rustc"
	"$SCRIPTS/environment/sandbox.sh" "$folder/other_rustc" --version
}

# Calls rustc without the kernel's flags, which another rustc may not know, and without other
# crates.
other_rustc_is_refused_by_rustc() {
	printf '%s\n' '#![feature(no_core)]' '#![no_core]' 'extern crate labyrinth;' >"$folder/alone.rs"
	refused 'error\[E0514\]: found crate .labyrinth. compiled by an incompatible version of rustc' \
		"$SCRIPTS/environment/sandbox.sh" env RUSTC_BOOTSTRAP=1 "$folder/other_rustc" \
		--crate-type lib --emit=metadata -o "$folder/alone.rmeta" \
		--extern "labyrinth=$ours/liblabyrinth.rmeta" "$folder/alone.rs"
}

# Loads the drivers in a guest with our labyrinth. The results of the guest's cases are ours.
load() {
	local log=$folder/load.log out=$folder/load.out rc=0
	"$SCRIPTS/machine/vm.sh" --kernel "$kernel" --log "$log" -- \
		"$install/labyrinth/stale_drivers.py" || rc=$?
	((rc == 0)) || grep '^# ' "$out" || true
	for name; do
		if grep -q "^ok [0-9]* $name\b" "$out"; then
			ktap_test_pass "${name}_is_not_loaded"
		else
			ktap_test_fail "${name}_is_not_loaded"
		fi
	done
	if ((rc == 0)); then ktap_test_pass guest; else ktap_test_fail guest; fi
}

VARIANTS=(another_field another_flag another_rustc another_kernel_crate)
ktap_print_header
ktap_set_plan 17
module=$("$SCRIPTS/build/build.sh" "$kernel" | tail -n 1)
ours=${module%/*}
"$SCRIPTS/runs/kselftest.sh" "$kernel" "$module" "$install" >&2
for name in "${VARIANTS[@]}"; do result "$name" "$name"; done
load "${VARIANTS[@]}"

result old_object_is_refused old_object_is_refused
result driver_is_built_again driver_is_built_again
result other_flag_is_refused refused \
	"other flags of rustc: '$FRAMES', and now there are '' instead" \
	against "$folder/flag/labyrinth" "$K_BUILD"
result other_kernel_crate_is_refused refused \
	"The kernel in $folder/tree has another crate 'kernel'" \
	against "$ours" "$folder/tree"
result other_kernel_crate_is_refused_by_rustc refused \
	'error\[E0463\]: can.t find crate for .labyrinth.' by_hand "$ours" "$folder/tree"
result other_rustc_is_there other_rustc_is_there
result other_rustc_is_refused refused "was built by 'rustc .*', but rustc is now 'rustc " \
	against "$ours" "$K_BUILD" "RUSTC=$folder/other_rustc"
result other_rustc_is_refused_by_rustc other_rustc_is_refused_by_rustc
ktap_finished
