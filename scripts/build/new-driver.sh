#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# new-driver.sh: makes a driver from the sample rust_pool. NAME is the name of the driver. DIR is
# the folder to make, by default NAME beside the checkout.
set -euo pipefail
# shellcheck disable=SC2034 # read by lib.sh
only_reads=1
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

[[ -n ${NAME-} ]] || die "the name of the driver is not given" "make new-driver NAME=my_driver"
# The module, the crate and the pool get this name.
[[ $NAME =~ ^[a-z][a-z0-9_]{0,30}$ ]] || die "'$NAME' cannot be the name of a driver" \
	"choose at most 31 lower-case letters, digits and _, beginning with a letter"
[[ ! $NAME =~ ^labyrinth(_|$) && ! -e $TOP/samples/$NAME ]] ||
	die "labyrinth has a module $NAME" "choose another name"
crates=" alloc bindings build_error compiler_builtins core ffi kernel macros pin_init "
crates+="pin_init_internal proc_macro proc_macro2 quote std syn test uapi zerocopy zerocopy_derive "
[[ $crates != *" $NAME "* ]] || die "there is already a crate $NAME" "choose another name"
keywords=" abstract as async await become box break const continue crate do dyn else enum extern "
keywords+="false final fn for gen if impl in let loop macro match mod move mut override priv pub ref "
keywords+="return self static struct super trait true try type typeof unsafe unsized use virtual "
keywords+="where while yield "
[[ $keywords != *" $NAME "* ]] || die "$NAME is a keyword of Rust" "choose another name"
folder=$(realpath -m -- "${DIR:-$TOP/../$NAME}")
check_place "the folder of the driver" "$folder"
not_in_build "$folder"
# The folder may exist if it is empty.
place=$folder
[[ -d $folder ]] || place=$(dirname "$folder")
[[ -d $place ]] || die "there is no folder $place" "make it, or choose another folder with DIR=…"
[[ -w $place ]] || die "cannot write to $place" "choose another folder with DIR=…"
[[ ! -e $folder || $place == "$folder" && -z $(ls -A -- "$folder") ]] ||
	die "$folder already exists" "choose another folder: make new-driver NAME=$NAME DIR=…"

sample=$TOP/samples/rust_pool
type=$(sed -E 's/(^|_)([a-z0-9])/\U\2/g; s/_//g' <<<"$NAME")
# Make the driver in a temporary folder, so that a failure leaves nothing behind.
made=$(mktemp -d "$place/.new-driver.XXXXXX")
trap 'rm -rf "$made"' EXIT
for file in Kbuild rust_pool.rs; do
	sed "s/rust_pool/$NAME/g; s/RustPool/$type/g" "$sample/$file" >"$made/${file/rust_pool/$NAME}"
done
sed -i "s/Sample: takes pages/Takes pages/; s/The labyrinth developers/its author/" "$made/$NAME.rs"
if [[ $place == "$folder" ]]; then
	mv -- "$made"/* "$folder"
else
	chmod 755 "$made"
	mv -T -- "$made" "$folder"
fi

echo "$folder/$NAME.rs is a driver that takes pages in a softirq. Build it, and try it in a guest:"
echo "make driver DIR=$folder"
