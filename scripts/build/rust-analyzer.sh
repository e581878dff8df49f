#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# rust-analyzer.sh: writes rust-project.json, with which rust-analyzer understands the library, the
# module and the samples, and the driver in the folder DIR if that is given.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"

[[ -z ${DIR-} ]] || check_driver "$DIR"
driver=${DIR:+$(cd "$DIR" && pwd -P)}
kernel=${KERNEL:-${KDIR:+kdir}}
kernel=${kernel:-stock}
[[ $kernel == kdir ]] || "$SCRIPTS/environment/setup.sh" "$kernel"
module=$("$SCRIPTS/build/build.sh" "$kernel" | tail -n 1)
assignments=$("$SCRIPTS/environment/kernel.sh" "$kernel")
eval "$assignments"

# The kernel's generator does not know that a module can consist of several crates, nor that the
# tools are in the toolchain root. rust_project.py adds both.
generate() {
	"$SCRIPTS/environment/sandbox.sh" --kernel "$kernel" \
		make -C "$K_BUILD" "${K_MAKE_ARGS[@]}" M="$TOP" MO="${module%/*}" rust-analyzer
	"$SCRIPTS/environment/sandbox.sh" --kernel "$kernel" ${driver:+--ro-bind "$driver"} \
		python3 -B "$SCRIPTS/build/rust_project.py" "$TOP" "${module%/*}" "$ROOT_DIR" \
		${driver:+"$driver"}
}

log=$TOP/build/rust-analyzer.log
step "writing rust-project.json for $K_RELEASE" "$log" generate
printf '%s\n' "$TOP/rust-project.json"
