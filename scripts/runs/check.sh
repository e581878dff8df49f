#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# check.sh [soak]: runs all tests on the stock kernel and on the debug kernel, or only on that of
# KDIR. With soak, runs stress tests, and tests too slow for `make check`, instead.
# Prints results as they come, and their number in the last line. Logs are kept in build/check or
# build/soak.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/runs/lanes.sh
source "$SCRIPTS/runs/lanes.sh"

what=${1-check}
[[ $what =~ ^(check|soak)$ ]] ||
	die "check.sh: unknown argument '$what'" "use check.sh or check.sh soak"
lock "check-$(cksum <<<"$TOP" | tr ' ' -)"
new_logs "$TOP/build/$what"
# The longest jobs come first, so that all lanes end at about the same time.
if [[ -n ${KDIR-} ]]; then
	set_up root
	kernel=kdir
	jobs=("kselftest kdir" "mutation kdir" "runner kdir" "lint kdir" "compile-fail kdir" "host kdir")
	[[ $what != soak ]] || jobs=("soak kdir" "order kdir" "mutation kdir" "stale kdir" "runner kdir")
else
	set_up root stock
	kernel=stock
	# The ratios that the benchmark requires hold for production kernels only.
	jobs=("kselftest debug" "kselftest stock" "lint stock" "runner stock" "mutation stock"
		"tool stock" "bench stock" "edu stock" "lint debug" "compile-fail stock" "host stock"
		"suspend stock" "drivers stock" "numa stock")
	[[ $what != soak ]] || jobs=("soak stock" "soak debug" "order stock" "mutation stock"
		"mutation debug" "edu debug" "numa debug" "drivers debug" "stale stock"
		"modversions stock" "old-kernels stock" "runner stock" "browser stock")
	# Building the debug kernel takes longer than most tests. Only the tests on it wait.
	"$SCRIPTS/environment/setup.sh" --have debug || jobs=("setup debug" "${jobs[@]}")
fi
[[ $what != soak ]] || export LABYRINTH_SOAK=1
"$SCRIPTS/machine/kvm-probe.sh" "$kernel" >/dev/null

jobs_start=$SECONDS
run_jobs "${jobs[@]}"
report
