#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh stock FOLDER [RELEASE[:PROGRAM[:CASE]]]…: runs the programs that test the command line tool
# on the kernels of old releases of Debian, or on those that the arguments name. The tests run
# without labyrinth.ko, because these kernels have no Rust. A kernel that the mirror no longer has
# is skipped. The source of the kernel `stock` only provides a library for the tests. Prints KTAP.
# Logs and consoles are kept in FOLDER.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
# shellcheck source=scripts/runs/ktap.sh
source "$SCRIPTS/runs/ktap.sh"
shift 2
ksft=$K_SOURCE/tools/testing/selftests/kselftest/ksft.py

# build RELEASE: builds the test modules.
build() {
	local out=$folder/$1/modules
	mkdir -p "$out"
	cp "$TOP"/tests/{old_kernels/Kbuild,modules/{burst/burst,failing/failing}.c} "$out/"
	"$SCRIPTS/environment/sandbox.sh" --kernel "$1" --bind "$folder" \
		make -C "$K_BUILD" "${K_MAKE_ARGS[@]}" M="$out" -j"$JOBS" modules
}

# install_tests RELEASE: puts the programs, their library and the modules in one folder.
install_tests() {
	local tests=$folder/$1/tests
	mkdir -p "$tests"/{kselftest,labyrinth}
	cp "$ksft" "$tests/kselftest/"
	cp -r "$TOP"/tests/selftests/{lib,settings} "$folder/$1"/modules/*.ko "$tests/labyrinth/"
	(cd "$TOP/tests/selftests" && cp "${programs[@]}" "$tests/labyrinth/")
	# shellcheck disable=SC2016 # expanded in the sandbox
	"$SCRIPTS/environment/sandbox.sh" --bind "$folder" sh -euc '
		objcopy --strip-debug "$1/labyrinth_burst.ko"
		objcopy --strip-debug "$1/labyrinth_failing.ko"
		python3 -m compileall -q "$1"' - "$tests/labyrinth"
}

prepare() {
	rm -rf "${folder:?}/$1"
	build "$1" && install_tests "$1"
}

# on RELEASE: prints the results of the programs on a kernel, and a result for its console.
on() {
	local release=$1 rc=0 assignments reports log=$folder/$1.log items=() item
	for item in "${chosen[@]}"; do
		[[ $item != "$release":* ]] || items+=("${item#*:}")
	done
	((${#items[@]})) || items=("${programs[@]}")
	assignments=$("$SCRIPTS/environment/kernel.sh" "$release")
	eval "$assignments"
	if ! (prepare "$release") >"$folder/$release.build" 2>&1; then
		grep -E 'error|warning' "$folder/$release.build" | sed 's/^/# /'
		echo "not ok 1 the tests for $K_RELEASE ($release) could not be built"
		return
	fi
	"$SCRIPTS/machine/vm.sh" --kernel "$release" --timeout 7200 --log "$log" -- \
		env --chdir "$folder/$release/tests" LABYRINTH_TOOL="$tool" \
		${LABYRINTH_SOAK:+LABYRINTH_SOAK="$LABYRINTH_SOAK"} \
		labyrinth/lib/collection.py --timeout 3600 "${items[@]}" >&2 || rc=$?
	sed "/^1[.][.]/d; /^TAP/d; s/selftests: labyrinth: /&$release /" "${log%.log}.out"
	case $rc in
	0 | 1) echo "ok 1 $K_RELEASE ($release) reported nothing" ;;
	*)
		if reports=$("$SCRIPTS/machine/console-verdict.sh" "$log"); then
			reports=$(tail -n 5 "$log")
		fi
		tr -d '\r' <<<"$reports" | head -n 5 | sed 's/^/# /'
		echo "# the whole console: $log"
		echo "not ok 1 $K_RELEASE ($release) died, or reported a bug (status $rc of vm.sh)"
		;;
	esac
}

chosen=("$@")
mapfile -t programs < <("$SCRIPTS/runs/programs.sh" old)
releases=$(sed -n 's/^OLD_KERNELS=(\(.*\))$/\1/p' "$SCRIPTS/environment/old-kernel.sh")
if (($#)); then releases=$(printf '%s\n' "${@%%:*}" | awk '!seen[$0]++'); fi
tool=$("$SCRIPTS/build/tool.sh")
for release in $releases; do
	missing=$("$SCRIPTS/environment/setup.sh" --missing "$release")
	if [[ -n $missing ]]; then
		echo "ok 1 kernel of $release # SKIP $missing"
	else
		on "$release"
	fi
done | tee "$folder/results"
# The number of results is known only at the end.
echo "1..$(grep -cE '^(not )?ok ' "$folder/results")"
