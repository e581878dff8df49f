#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# demo.sh: boots the stock kernel in a guest, allocates pages in atomic context for ten seconds, and
# prints the reports of the module.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

kernel=${KDIR:+kdir}
kernel=${kernel:-stock}
[[ $kernel == kdir ]] || "$SCRIPTS/environment/setup.sh" stock
module=$("$SCRIPTS/build/build.sh" "$kernel" | tail -n 1)
log=$CACHE/logs/demo-$kernel.log
lock "demo-$kernel"
rc=0
"$SCRIPTS/machine/vm.sh" --kernel "$kernel" --timeout 300 --log "$log" -- \
	"$SCRIPTS/runs/demo-guest.sh" "$module" || rc=$?
[[ ! -s ${log%.log}.out ]] || cat "${log%.log}.out"
((rc == 0)) || die "the demo failed (status $rc of vm.sh)" "its console is in $log"
