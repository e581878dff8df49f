#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [CASE]…: tests on the host, without a kernel: the logic of the page sources against models, from
# the same source files as the module, the protocol of the per-CPU cells in all interleavings, and what
# judges the results of other tests, on made-up results. Prints the programs' KTAP as the kernel's test
# runner does, fails if a program does. The compiler and proptest are Debian's; no network is used.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
here=$TOP/tests/host
# shellcheck source=scripts/root.sh
source "$SCRIPTS/root.sh"

# Each prints KTAP of its own.
programs=(labyrinth-host-tests tests/wall/verdict_test.py tests/runner/{results,lanes}_test.sh)

build_tests() {
	# cargo keeps a lock beside the manifest, and that is no file of ours: it is handed the same tree
	# at another place of the same depth.
	build=$TOP/build/host
	mkdir -p "$build"
	ln -sfn "$here/Cargo.toml" "$build/Cargo.toml"
	ln -sfn "$here/src" "$build/src"
	# The versions are those that Debian has; a lock from before an update would ask for others.
	rm -f "$build/Cargo.lock"

	registry=/usr/share/cargo/registry
	"$SCRIPTS/sandbox.sh" test -d "$registry" || die "the toolchain root has no $registry" \
		"$SCRIPTS/packages has to list librust-proptest-dev; then: $SCRIPTS/setup.sh root"
	# proptest takes longer to compile than ours to run, and is the same for every checkout.
	target=$CACHE/host-$ROOT_KEY
	mkdir -p "$target"
	lock "host-$ROOT_KEY"
	cargo=("$SCRIPTS/sandbox.sh" env CARGO_HOME="$build/cargo" CARGO_TARGET_DIR="$target" cargo --quiet)
	"${cargo[@]}" --offline --config 'source.crates-io.replace-with="debian"' \
		--config "source.debian.directory=\"$registry\"" build --manifest-path "$build/Cargo.toml" -j"$JOBS" >&2
	cp "$target/debug/labyrinth-host-tests" "$build/"
	unlock
}

# run PROGRAM [CASE]…: prints its results. Its own plan and its status are what count.
run() {
	local program=$1
	shift
	case $program in
	labyrinth-host-tests)
		build_tests
		"$SCRIPTS/sandbox.sh" "$TOP/build/host/$program" "$@"
		;;
	*.py) "$SCRIPTS/sandbox.sh" python3 -B "$TOP/$program" "$@" ;;
	*) "$SCRIPTS/sandbox.sh" "$TOP/$program" "$@" ;;
	esac
}

# Only the programs that have the named cases. A misspelt name must not pass.
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
	# Where its status is looked at, set -e does not hold in a function.
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
