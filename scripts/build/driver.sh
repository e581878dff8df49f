#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# driver.sh: builds the driver in the folder DIR, and loads it together with labyrinth in a guest.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

[[ -n ${DIR-} ]] || die "DIR, the folder of the driver, is not given" "make driver DIR=../my_driver"
check_driver "$DIR"
kernel=${KERNEL:-${KDIR:+kdir}}
kernel=${kernel:-stock}
[[ $kernel == kdir ]] || "$SCRIPTS/environment/setup.sh" "$kernel"
module=$("$SCRIPTS/build/build.sh" "$kernel" | tail -n 1)
drivers=$("$SCRIPTS/build/build-driver.sh" "$kernel" "$module" "$DIR")
[[ -n $drivers ]] || die "the driver in $DIR has no module for this kernel" \
	"its Kbuild needs a line such as: obj-m := my_driver.o"
mapfile -t drivers <<<"$drivers"
# Each driver has a console of its own. That of the run before is kept, too.
out=${drivers[0]%/*}
base=$CACHE/logs/driver-$kernel-${out##*/}
log=$base.log
lock "driver-$kernel-${out##*/}"
for end in log out; do [[ ! -e $base.$end ]] || mv "$base.$end" "$base.before.$end"; done
rc=0
"$SCRIPTS/machine/vm.sh" --kernel "$kernel" --timeout 300 --log "$log" -- \
	"$SCRIPTS/build/driver-guest.sh" "$module" "${drivers[@]}" || rc=$?
[[ ! -s ${log%.log}.out ]] || cat "${log%.log}.out"
((rc == 0)) || die "the driver failed (status $rc of vm.sh)" "the console is in $log"
