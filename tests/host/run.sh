#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh: tests on the host, without a kernel: the logic of the page sources against models, from
# the same source files as the module, and the protocol of the per-CPU cells in all interleavings.
# Prints KTAP, fails if a case does. The compiler and proptest are Debian's; no network is used.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/lib.sh
source "$here/../../scripts/lib.sh"
# shellcheck source=scripts/root.sh
source "$SCRIPTS/root.sh"

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
exec "$SCRIPTS/sandbox.sh" "$build/labyrinth-host-tests"
