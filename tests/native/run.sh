#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh: measures how long the per-CPU cache and the reserve of a pool take as native
# code, on one CPU and on two at once, and what they are compared with: a stack behind a mutex,
# crossbeam's queue, and a model of page_pool's ring. Prints a table.
# The cache and the reserve are the library's own source files. The crates are fetched once for each
# Cargo.lock. The times are those of this machine, and other work on it changes them, so no figure is
# required, and `make check` does not run this.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"

"$SCRIPTS/environment/setup.sh" root >&2
package=$TOP/tests/native
key=$(cat "$package/Cargo.lock" <(toolchain_key) | sha256sum | cut -c1-10)
crates=$CACHE/native-$key

# in_sandbox HOME COMMAND…: runs cargo in the sandbox, which passes on no variable of the caller.
in_sandbox() {
	"$SCRIPTS/environment/sandbox.sh" env CARGO_HOME="$1" CARGO_TARGET_DIR="$TOP/build/native" \
		CARGO_TERM_COLOR=never cargo "${@:2}"
}

# Copies the sources of all crates, from the registry that the user's own settings name.
fetch() {
	local file
	mkdir -p "$crates/fetch" "$crates/home"
	for file in "${HOME-}"/.cargo/config{,.toml}; do
		[[ ! -r $file ]] || sed -n '/^\[\(source\|registr\|http\|net\)/,/^\[/p' "$file"
	done >"$crates/fetch/config.toml"
	in_sandbox "$crates/fetch" vendor --locked --versioned-dirs \
		--manifest-path "$package/Cargo.toml" "$crates/sources"
	printf '[source.%s]\n%s\n' crates-io 'replace-with = "fetched"' \
		fetched "directory = \"$crates/sources\"" >"$crates/home/config.toml"
}

steps 1
entry "native-$key" keep "fetching the crates of the native benchmark" fetch
in_sandbox "$crates/home" run --release --locked --offline --manifest-path "$package/Cargo.toml"
