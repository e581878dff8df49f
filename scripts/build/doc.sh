#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# doc.sh: makes the HTML documentation of the library's public interface. Prints the path of its
# first page.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

kernel=${KERNEL:-${KDIR:+kdir}}
kernel=${kernel:-stock}
[[ $kernel == kdir ]] || "$SCRIPTS/environment/setup.sh" "$kernel"
assignments=$("$SCRIPTS/environment/kernel.sh" "$kernel")
eval "$assignments"
log=$TOP/build/doc.log
rm -rf "$TOP/build/doc"
mkdir -p "$TOP/build"
step "documenting the library for $K_RELEASE" "$log" \
	"$SCRIPTS/lint/lint.sh" --kernel "$kernel" rustdoc
made=$(find "$TOP/build/lint" -maxdepth 2 -path "*/$K_KEY/doc-public" -print -quit)
[[ -s $made/labyrinth/index.html ]] || die "rustdoc has left nothing" "see $log"
cp -r "$made" "$TOP/build/doc"
printf '%s\n' "$TOP/build/doc/labyrinth/index.html"
