#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# library-id.sh SOURCE OBJTREE RUSTC FLAGS: prints an identifier of this build of the library, for
# Kbuild. It is a hash of the sources in SOURCE, of the configuration and the kernel crate in
# OBJTREE, and of the compiler and its flags. A driver that was built against a library with another
# identifier cannot be loaded; see rust/import.rs.
set -euo pipefail
shopt -s inherit_errexit
source=$1 objtree=$2 rustc=$3 flags=$4

sum=$({
	# Hash the names, too, as files can be moved. The order must not depend on the locale.
	find "$source/rust" "$source/include" -name '*.rs' -o -name '*.[ch]' | LC_ALL=C sort |
		while IFS= read -r file; do printf '%s\n' "${file#"$source"}"; cat "$file"; done
	cat "$source/Kbuild" "$source/scripts/build/Makefile.bindgen"
	cat "$objtree/include/generated/rustc_cfg" "$objtree/rust/libkernel.rmeta"
	"$rustc" -vV
	printf '%s\n' "$flags"
} | sha256sum)
printf '%s\n' "${sum:0:16}"
