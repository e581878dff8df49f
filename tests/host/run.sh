#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [CASE]…: tests on the host, without a kernel. They compare the logic of the page sources,
# in the module's own source files, with models; explore the protocols of per-CPU cells and of
# samples in all interleavings; and feed made-up results to the scripts that judge tests. Prints the
# programs' KTAP as the kernel's test runner does, and fails if a program does. The compiler and
# proptest are Debian's; no network is used.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
here=$TOP/tests/host
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"

# Each prints KTAP of its own.
programs=(labyrinth-host-tests tests/wall/verdict_test.py tests/runner/{results,lanes,library_id}_test.sh)

build_tests() {
	# cargo writes a lock file beside the manifest, which must not appear in the source. So it
	# gets the same tree at another place of the same depth.
	build=$TOP/build/host
	mkdir -p "$build"
	ln -sfn "$here/Cargo.toml" "$build/Cargo.toml"
	ln -sfn "$here/src" "$build/src"
	# The versions are those that Debian has; a lock from before an update would ask for others.
	rm -f "$build/Cargo.lock"

	registry=/usr/share/cargo/registry
	"$SCRIPTS/environment/sandbox.sh" test -d "$registry" || die "the toolchain root has no $registry" \
		"$SCRIPTS/environment/packages has to list librust-proptest-dev; then: $SCRIPTS/environment/setup.sh root"
	# proptest takes longer to compile than our tests to run, and is the same for every
	# checkout.
	target=$CACHE/host-$ROOT_KEY
	mkdir -p "$target"
	lock "host-$ROOT_KEY"
	# cargo would take the tests of the checkout that was here last for these: it looks whether the
	# files of that one have changed.
	if [[ $(cat "$target/checkout" 2>/dev/null) != "$TOP" ]]; then
		rm -rf "$target"/debug/.fingerprint/labyrinth-host-tests-*
		printf '%s\n' "$TOP" >"$target/checkout"
	fi
	cargo=("$SCRIPTS/environment/sandbox.sh" env CARGO_HOME="$build/cargo" CARGO_TARGET_DIR="$target" cargo --quiet)
	"${cargo[@]}" --offline --config 'source.crates-io.replace-with="debian"' \
		--config "source.debian.directory=\"$registry\"" build --manifest-path "$build/Cargo.toml" -j"$JOBS" >&2
	cp "$target/debug/labyrinth-host-tests" "$build/"
	unlock
}

# run PROGRAM [CASE]…: prints the program's results. Its own plan and its status count.
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

# Runs only the programs that have the named cases. A misspelt name must not pass.
if (($#)); then
	all=("${programs[@]}") programs=() known=''
	for program in "${all[@]}"; do
		names=$(run "$program" --list)
		known+=$names$'\n'
		! grep -qxF "$(printf '%s\n' "$@")" <<<"$names" || programs+=("$program")
	done
	for name; do
		grep -qxF -- "$name" <<<"$known" || die "there is no case '$name' on the host" "one of: ${known//$'\n'/ }"
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
