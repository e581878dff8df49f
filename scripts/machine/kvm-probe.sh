#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kvm-probe.sh KERNEL: prints kvm if KVM works, else tcg. On some machines /dev/kvm can be opened
# but cannot boot a guest, so this boots one. The result for this host is kept in the cache.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

if [[ ! -r /dev/kvm || ! -w /dev/kvm ]]; then
	echo tcg
	exit
fi
answer=$CACHE/kvm-$(uname -nr | sha256sum | cut -c1-16)
if [[ ! -s $answer ]]; then
	lock kvm-probe
	if [[ ! -s $answer ]]; then
		note "testing whether KVM can boot a guest"
		result=tcg
		"$SCRIPTS/machine/vm.sh" --kernel "$1" --accel kvm --timeout 25 \
			--log "$CACHE/logs/kvm-probe.log" -- true 2>/dev/null && result=kvm
		note "guests run with $result (remove $answer to test again)"
		echo "$result" >"$answer.new"
		mv "$answer.new" "$answer"
	fi
fi
cat "$answer"
