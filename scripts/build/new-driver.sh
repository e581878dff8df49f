#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# new-driver.sh: makes a driver of one's own from the sample. NAME is its name, DIR the folder that it
# is put into, by default NAME beside the checkout.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

[[ -n ${NAME-} ]] || die "the driver has no name" "make new-driver NAME=my_driver"
# It is the name of a module, of a crate and of a pool.
[[ $NAME =~ ^[a-z][a-z0-9_]{0,30}$ ]] || die "'$NAME' cannot be the name of a driver" \
	"at most 31 small letters, digits and _, a letter first"
[[ ! $NAME =~ ^(labyrinth|kernel|core|alloc)$ ]] || die "there is a crate $NAME already" "choose another name"
folder=$(realpath -m -- "${DIR:-$TOP/../$NAME}")
check_place "the folder of the driver" "$folder"
[[ ! -e $folder ]] || die "$folder exists already" "choose another: make new-driver NAME=$NAME DIR=…"

sample=$TOP/samples/rust_pool
type=$(sed -E 's/(^|_)([a-z0-9])/\U\2/g; s/_//g' <<<"$NAME")
# All or nothing.
made=$(mktemp -d "$(realpath -e -- "$(dirname "$folder")")/.new-driver.XXXXXX") ||
	die "no folder can be made in $(dirname "$folder")" "make that folder, or choose another with DIR=…"
trap 'rm -rf "$made"' EXIT
for file in Kbuild rust_pool.rs; do
	sed "s/rust_pool/$NAME/g; s/RustPool/$type/g" "$sample/$file" >"$made/${file/rust_pool/$NAME}"
done
sed -i "s/Sample: takes pages/Takes pages/; s/The labyrinth developers/its author/" "$made/$NAME.rs"
chmod 755 "$made"
mv "$made" "$folder"

echo "$folder/$NAME.rs is a driver that takes pages in a softirq. Change it, and try it:"
echo "make driver DIR=$folder"
