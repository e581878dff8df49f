#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh stock|debug|kdir [CASE]…: compiles the misuses in cases/, or the named ones, with the
# compiler and the flags of the module for that kernel. Prints KTAP. Fails if a case fails.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
here=$TOP/tests/compile_fail scripts=$SCRIPTS

id=${1:?run.sh needs a kernel: stock, debug or kdir}
assignments=$("$scripts/environment/kernel.sh" "$id")
eval "$assignments"
module=$("$scripts/build/build.sh" "$id" | tail -n 1)

exec "$scripts/environment/sandbox.sh" --kernel "$id" \
	"$here/check.sh" "${module%/*}" "$K_SOURCE" "${@:2}"
