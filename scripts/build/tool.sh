#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# tool.sh [CARGO-ARGUMENT]…: builds the command line tool, its manual pages and completions, and
# prints the path of the tool. With arguments, runs `cargo ARGUMENT…` on its package instead, with
# the same compiler, crates and options.
# The crates are fetched once for each tools/labyrinth/Cargo.lock. After that, no network is used.
# All checkouts share the compiled crates, but each checkout compiles the tool itself.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"

"$SCRIPTS/environment/setup.sh" root >&2
package=$TOP/tools/labyrinth
key=$(cat "$package/Cargo.lock" <(toolchain_key) | sha256sum | cut -c1-10)
crates=$CACHE/crates-$key
out=$TOP/build/tool
log=$CACHE/logs/tool-$(cksum <<<"$TOP" | cut -d ' ' -f 1).log

# in_sandbox HOME COMMAND…: runs cargo in the sandbox, which passes on no variable of the caller.
in_sandbox() {
	"$SCRIPTS/environment/sandbox.sh" env CARGO_HOME="$1" CARGO_TARGET_DIR="$crates/target" \
		CARGO_TERM_COLOR=never cargo "${@:2}"
}

# Copies the sources of all crates, from the registry that the user's own settings name.
fetch() {
	local file
	mkdir -p "$crates/fetch"
	for file in "${HOME-}"/.cargo/config{,.toml}; do
		[[ ! -r $file ]] || sed -n '/^\[\(source\|registr\|http\|net\)/,/^\[/p' "$file"
	done >"$crates/fetch/config.toml"
	in_sandbox "$crates/fetch" vendor --locked --versioned-dirs \
		--manifest-path "$package/Cargo.toml" "$crates/sources"
	mkdir -p "$crates/home"
	printf '[source.%s]\n%s\n' crates-io 'replace-with = "fetched"' \
		fetched "directory = \"$crates/sources\"" >"$crates/home/config.toml"
}

# cargo_here SUBCOMMAND [ARGUMENT]…: runs a subcommand of cargo on the package, without a network.
cargo_here() {
	in_sandbox "$crates/home" "$1" --locked --offline --manifest-path "$package/Cargo.toml" "${@:2}"
}

# Cargo identifies a package by its name, and compares the times of files. So it would take a later
# build of another checkout for a build of this one.
own_package() {
	local owner=$crates/target/checkout
	[[ ! -e $owner || $(<"$owner") != "$TOP" ]] || return 0
	cargo_here clean --release -p labyrinth
	printf '%s\n' "$TOP" >"$owner"
}

make_tool() {
	own_package
	cargo_here build --release -j"$JOBS"
	# Another checkout that builds now replaces the file in the shared folder.
	install -D -m 0755 "$crates/target/release/labyrinth" "$out/labyrinth"
	"$SCRIPTS/environment/sandbox.sh" "$out/labyrinth" manual "$out"
}

steps 2
entry "crates-$key" keep "fetching the crates of the tool" fetch
if (($#)); then
	skip_step
	lock "tool-$key"
	own_package
	cargo_here "$@"
	exit
fi
lock "tool-$key"
step "compiling the tool" "$log" make_tool
unlock
printf '%s\n' "$out/labyrinth"
