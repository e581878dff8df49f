#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# demo.sh: boots the stock kernel in a guest, allocates pages in atomic context for ten seconds, and
# prints the reports of the module. Then the command line tool measures the page allocator and a
# pool for some seconds each. build/demo gets the measurements, an HTML page and a plot.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

kernel=${KDIR:+kdir}
kernel=${kernel:-stock}
[[ $kernel == kdir ]] || "$SCRIPTS/environment/setup.sh" stock
module=$("$SCRIPTS/build/build.sh" "$kernel" | tail -n 1)
tool=$("$SCRIPTS/build/tool.sh")
log=$CACHE/logs/demo-$kernel.log
out=$TOP/build/demo
lock "demo-$kernel"
rm -rf "$out"
mkdir -p "$out"
rc=0
"$SCRIPTS/machine/vm.sh" --kernel "$kernel" --timeout 300 --rwdir "$out" --log "$log" -- \
	"$SCRIPTS/runs/demo-guest.sh" "$module" "$tool" "$out" || rc=$?
[[ ! -s ${log%.log}.out ]] || cat "${log%.log}.out"
((rc == 0)) || die "the demo failed (status $rc of vm.sh)" "its console is in $log"
"$SCRIPTS/environment/sandbox.sh" "$tool" report "$out"/{allocator,pool}.json \
	--output "$out/report.html" --svg "$out/latencies.svg" 2>"$out/report.log" ||
	die "the tool made no report: $(<"$out/report.log")"
echo "report: ${out#"$TOP"/}/report.html"
