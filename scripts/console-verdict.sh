#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# console-verdict.sh FILE: prints the first lines of every kernel report in a console log.
# Status: 0 there is none, 1 there are some, 2 it cannot be told: no line has the kernel's time stamp.
set -euo pipefail
if [[ ! -r ${1-} ]]; then
	echo "console-verdict.sh: cannot read '${1-}'" >&2
	exit 2
fi

# Only lines with the kernel's time stamp: user space may say BUG or WARNING as it likes.
reports='BUG:|WARNING:|KASAN:|UBSAN:|ODEBUG:|KFENCE:|Oops|Kernel panic|general protection fault'
reports+='|(soft|hard) (lockup|LOCKUP)|blocked (for more than|in I/O wait)|rcu.*(self-)?detected.* stall'
reports+='|(possible|inconsistent|bad unlock|invalid wait) .*(lock|dependency|context|state)'
reports+='|[Ss]leeping function called|scheduling while atomic|[Bb]ad page (state|map|cache)'
reports+='|page allocation failure|refcount_t:|list_(add|del) corruption|DEBUG_LOCKS_WARN|stack guard page'
reports+='|workqueue lockup|nobody cared|trying to register non-static key|[Oo]ut of memory: Killed'
reports+='|held lock freed|Object .* poison overwritten|pagealloc: memory corruption|pagealloc: single bit error'
reports+='|labyrinth: [0-9]+ page\(s\) leaked'

# Whoever opens a file of debugfs after rmmod has taken the last reference to its owner, and before the
# next line has marked that as going (try_stop_module()), is told that the owner did not clean up,
# which is still to come.
harmless='^WARNING: fs/debugfs/file[.]c:[0-9]+ at (full|open)_proxy_open'

awk -v reports="$reports" -v harmless="$harmless" '
	match($0, /\[ *[0-9]+\.[0-9]+\](\[[^]]*\])? /) {
		stamped = 1
		text = substr($0, RSTART + RLENGTH)
		if (text ~ reports && text !~ harmless) { found++; if (found <= 20) print }
	}
	END {
		if (!stamped) { print "no line has a time stamp: boot with printk.time=1"; exit 2 }
		if (found > 20) print "… and " found - 20 " more"
		exit found > 0
	}
' "$1"
