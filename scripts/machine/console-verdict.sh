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
# Findings of SLUB, allocation profiling, kmemleak and the module loader.
reports+='|^BUG [^ ]+ \(|Objects remaining|Slab cache still has objects|percpu_ref underflow'
reports+='|has [0-9]+ allocated at module unload|new suspected memory leaks|unreferenced object'
reports+='|cannot be unloaded due to unsafe usage|cannot create duplicate filename'
reports+='|something is seriously wrong|dma_pool_.*(busy|bad vaddr|bad dma|corrupted|already free)'
# Deaths without one of the words above, and messages that checks have stopped.
reports+='|kernel BUG at|panicked at|PANIC: double fault|Corrupted page table|[Tt]hread overran stack'
reports+='|tried to execute NX-protected page|exited with (irqs disabled|preempt_count)'
reports+='|huh, entered softirq|non-responsive CSD lock|sent to offline CPU|kthread starved for'
reports+='|failed to report (dead|alive) state|turning off the locking correctness validator'
reports+='|lockdep is turned off|Fix your code!|VFS: Busy inodes after unmount'
reports+='|labyrinth: [0-9]+ (page\(s\)|owner\(s\) of callbacks) leaked'

# Whoever opens a file of debugfs after rmmod has taken the last reference to its owner, and before the
# next line has marked that as going (try_stop_module()), is told that the owner did not clean up,
# which is still to come.
harmless='^WARNING: fs/debugfs/file[.]c:[0-9]+ at (full|open)_proxy_open'

# This case frees pages while allocation profiling is off, when the kernel does not notice frees, and
# then unloads the module. Test programs write to the log which case begins.
unprofiled='allocinfo.py:switched_off_under_way'

awk -v reports="$reports" -v harmless="$harmless" -v unprofiled="$unprofiled" '
	match($0, /\[ *[0-9]+\.[0-9]+\](\[[^]]*\])? /) {
		stamped = 1
		text = substr($0, RSTART + RLENGTH)
		if (match(text, /labyrinth-test: [^ \r]+/)) running = substr(text, RSTART + 16, RLENGTH - 16)
		if (running == unprofiled && text ~ /module labyrinth .* has [0-9]+ allocated at module unload/) next
		if (text ~ reports && text !~ harmless) { found++; if (found <= 20) print }
	}
	END {
		if (!stamped) { print "no line has a time stamp: boot with printk.time=1"; exit 2 }
		if (found > 20) print "… and " found - 20 " more"
		exit found > 0
	}
' "$1"
