#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# new-driver.sh: makes a driver from the sample rust_pool. NAME is the name of the driver. DIR is
# the folder to make, by default NAME beside the checkout.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

[[ -n ${NAME-} ]] || die "the name of the driver is not given" "make new-driver NAME=my_driver"
# The module, the crate and the pool get this name.
[[ $NAME =~ ^[a-z][a-z0-9_]{0,30}$ ]] || die "'$NAME' cannot be the name of a driver" \
	"choose at most 31 lower-case letters, digits and _, beginning with a letter"
[[ ! $NAME =~ ^(labyrinth|kernel|core|alloc)$ ]] ||
	die "there is already a crate $NAME" "choose another name"
folder=$(realpath -m -- "${DIR:-$TOP/../$NAME}")
check_place "the folder of the driver" "$folder"
[[ ! -e $folder ]] ||
	die "$folder already exists" "choose another folder: make new-driver NAME=$NAME DIR=…"

sample=$TOP/samples/rust_pool
type=$(sed -E 's/(^|_)([a-z0-9])/\U\2/g; s/_//g' <<<"$NAME")
# Make the driver in a temporary folder, so that a failure leaves nothing behind.
made=$(mktemp -d "$(realpath -e -- "$(dirname "$folder")")/.new-driver.XXXXXX") ||
	die "cannot make a folder in $(dirname "$folder")" \
		"make that folder, or choose another one with DIR=…"
trap 'rm -rf "$made"' EXIT
for file in Kbuild rust_pool.rs; do
	sed "s/rust_pool/$NAME/g; s/RustPool/$type/g" "$sample/$file" >"$made/${file/rust_pool/$NAME}"
done
sed -i "s/Sample: takes pages/Takes pages/; s/The labyrinth developers/its author/" "$made/$NAME.rs"
chmod 755 "$made"
mv "$made" "$folder"

echo "$folder/$NAME.rs is a driver that takes pages in a softirq. Build it, and try it in a guest:"
echo "make driver DIR=$folder"
