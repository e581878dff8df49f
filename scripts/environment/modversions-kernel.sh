#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# modversions-kernel.sh: builds a kernel with CONFIG_MODVERSIONS, unless it is in the cache. Prints
# the folder that it is built in, for KDIR.
#
# Rust needs CONFIG_GENDWARFKSYMS then, which makes the checksums from debugging information.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"
# shellcheck source=scripts/environment/resolve.sh
source "$SCRIPTS/environment/resolve.sh"
# shellcheck source=scripts/environment/stock-kernel.sh
source "$SCRIPTS/environment/stock-kernel.sh"
# shellcheck source=scripts/environment/debug-kernel.sh
source "$SCRIPTS/environment/debug-kernel.sh"

AGAIN=scripts/environment/modversions-kernel.sh
steps 4
make_root
resolve
# The debug kernel's way with another configuration, and the compiler of the stock kernel.
vm_config=$CACHE/logs/modversions-vm.config
grep -v '^CONFIG_DEBUG_INFO_NONE=' "$SCRIPTS/environment/debug-vm.config" >"$vm_config"
DEBUG_MAKE=()
DEBUG_FRAGMENTS=("$vm_config" "$SCRIPTS/environment/modversions.config")
make_debug "building a kernel $R_VERSION with CONFIG_MODVERSIONS (10 minutes on 2 cores)"
printf '%s\n' "$CACHE/$DEBUG_ENTRY"
