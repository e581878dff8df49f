#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [CASE]…
# run.sh --plot: prints the plot of Documentation/auto-reserve.md, as SVG
# Runs tests on the host, without a kernel. They compare the logic of the pools, in
# the source files of the library, with models. They explore all interleavings of the protocols of
# per-CPU cells and of samples. And they feed made-up results to the scripts that evaluate tests.
# Prints the KTAP of the programs in the format of the kernel's test runner. Fails if a program
# fails. The compiler and proptest are Debian's, and no network is used.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
here=$TOP/tests/host
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"

# Each of these prints KTAP.
programs=(labyrinth-host-tests tests/wall/verdict_test.py tests/traffic/judge_test.py
	tests/runner/{results,lanes,library_id,driver}_test.sh)

build_tests() {
	# cargo writes a lock file beside the manifest, but must not write to the source. So it gets
	# the same tree in another folder of the same depth.
	build=$TOP/build/host
	mkdir -p "$build"
	ln -sfn "$here/Cargo.toml" "$build/Cargo.toml"
	ln -sfn "$here/src" "$build/src"
	# The versions are those of Debian. An old lock file could ask for older versions.
	rm -f "$build/Cargo.lock"

	registry=/usr/share/cargo/registry
	"$SCRIPTS/environment/sandbox.sh" test -d "$registry" ||
		die "the toolchain root has no $registry" \
			"scripts/environment/packages must list librust-proptest-dev"
	# Compiling proptest takes longer than our tests. All checkouts share the result.
	target=$CACHE/host-$ROOT_KEY
	mkdir -p "$target"
	lock "host-$ROOT_KEY"
	# If another checkout was built here last, cargo only looks for changes in the files of that
	# checkout, and would run its tests. So make it build the tests again.
	if [[ $(cat "$target/checkout" 2>/dev/null) != "$TOP" ]]; then
		rm -rf "$target"/debug/.fingerprint/labyrinth-host-tests-*
		printf '%s\n' "$TOP" >"$target/checkout"
	fi
	cargo=("$SCRIPTS/environment/sandbox.sh" env CARGO_HOME="$build/cargo"
		CARGO_TARGET_DIR="$target" cargo --quiet)
	"${cargo[@]}" --offline --config 'source.crates-io.replace-with="debian"' \
		--config "source.debian.directory=\"$registry\"" \
		build --manifest-path "$build/Cargo.toml" -j"$JOBS" >&2
	cp "$target/debug/labyrinth-host-tests" "$build/"
	unlock
}

# run PROGRAM [CASE]…: runs a program, which prints its results.
run() {
	local program=$1
	shift
	case $program in
	labyrinth-host-tests)
		build_tests
		"$SCRIPTS/environment/sandbox.sh" "$TOP/build/host/$program" "$@"
		;;
	*.py) "$SCRIPTS/environment/sandbox.sh" python3 -B "$TOP/$program" "$@" ;;
	*) "$SCRIPTS/environment/sandbox.sh" "$TOP/$program" "$@" ;;
	esac
}

if [[ $* == --plot ]]; then
	build_tests
	exec "$SCRIPTS/environment/sandbox.sh" "$TOP/build/host/labyrinth-host-tests" --plot
fi

# Run only the programs that have the named cases, and refuse unknown names.
if (($#)); then
	all=("${programs[@]}") programs=() known=''
	for program in "${all[@]}"; do
		names=$(run "$program" --list)
		known+=$names$'\n'
		! grep -qxF "$(printf '%s\n' "$@")" <<<"$names" || programs+=("$program")
	done
	for name; do
		grep -qxF -- "$name" <<<"$known" ||
			die "there is no case '$name' on the host" "one of: ${known//$'\n'/ }"
	done
fi

printf 'TAP version 13\n1..%d\n' "${#programs[@]}"
number=0 failed=0
for program in "${programs[@]}"; do
	number=$((number + 1))
	name=${program##*/}
	echo "# selftests: host: $name"
	# set -e has no effect in a function whose status is tested.
	set +e
	(set -e; run "$program" "$@") | sed -u 's/^/# /'
	rc=${PIPESTATUS[0]}
	set -e
	if ((rc == 0)); then
		echo "ok $number host: $name"
	else
		echo "not ok $number host: $name # exit=$rc"
		failed=1
	fi
done
exit "$failed"
