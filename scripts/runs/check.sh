#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# check.sh [soak]: every test there is, on the target kernel and on the debug kernel, or on KDIR's
# alone; with soak, instead, those that find more the longer they run.
# Results come as KTAP while they happen; the last line counts them. All logs stay in build/check.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/runs/lanes.sh
source "$SCRIPTS/runs/lanes.sh"

what=${1-check}
[[ $what =~ ^(check|soak)$ ]] || die "check.sh: unknown argument '$what'" "check.sh or check.sh soak"
lock "check-$(cksum <<<"$TOP" | tr ' ' -)"
new_logs "$TOP/build/$what"
# The longest first, so that none is left over at the end.
if [[ -n ${KDIR-} ]]; then
	set_up root
	kernel=kdir
	jobs=("kselftest kdir" "mutation kdir" "runner kdir" "lint kdir" "compile-fail kdir" "host kdir")
	[[ $what != soak ]] || jobs=("soak kdir" "order kdir" "mutation kdir" "runner kdir")
else
	set_up root stock
	kernel=stock
	# What the benchmark requires is required of production kernels.
	jobs=("kselftest debug" "kselftest stock" "lint stock" "runner stock" "mutation stock" "bench stock"
		"edu stock" "lint debug" "compile-fail stock" "host stock" "suspend stock" "drivers stock" "numa stock")
	[[ $what != soak ]] || jobs=("soak stock" "soak debug" "order stock" "mutation stock" "mutation debug" "edu debug" "numa debug" "drivers debug" "runner stock")
	# Building it takes longer than most tests, and only its own tests wait for it.
	"$SCRIPTS/environment/setup.sh" --have debug || jobs=("setup debug" "${jobs[@]}")
fi
[[ $what != soak ]] || export LABYRINTH_SOAK=1
"$SCRIPTS/machine/kvm-probe.sh" "$kernel" >/dev/null

jobs_start=$SECONDS
run_jobs "${jobs[@]}"
report
