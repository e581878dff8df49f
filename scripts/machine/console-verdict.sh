#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# console-verdict.sh FILE: prints the first lines of every kernel report in a console log.
# Status: 0 no reports, 1 reports, 2 unknown, as no line has a time stamp of the kernel.
set -euo pipefail
if [[ ! -r ${1-} ]]; then
	echo "console-verdict.sh: cannot read '${1-}'" >&2
	exit 2
fi

# Searched only in lines with a time stamp of the kernel, as user space may print BUG or WARNING.
reports='BUG:|WARNING:|KASAN:|UBSAN:|ODEBUG:|KFENCE:|Oops|Kernel panic|general protection fault'
reports+='|(soft|hard) (lockup|LOCKUP)|blocked (for more than|in I/O wait)|rcu.*(self-)?detected.* stall'
reports+='|(possible|inconsistent|bad unlock|invalid wait) .*(lock|dependency|context|state)'
reports+='|[Ss]leeping function called|scheduling while atomic|[Bb]ad page (state|map|cache)'
reports+='|page allocation failure|refcount_t:|list_(add|del) corruption|DEBUG_LOCKS_WARN|stack guard page'
reports+='|workqueue lockup|nobody cared|trying to register non-static key|[Oo]ut of memory: Killed'
reports+='|held lock freed|Object .* poison overwritten|pagealloc: memory corruption|pagealloc: single bit error'
# Reports of SLUB, allocation profiling, kmemleak and the module loader.
reports+='|^BUG [^ ]+ \(|Objects remaining|Slab cache still has objects|percpu_ref underflow'
reports+='|has [0-9]+ allocated at module unload|new suspected memory leaks|unreferenced object'
reports+='|cannot be unloaded due to unsafe usage|cannot create duplicate filename'
reports+='|something is seriously wrong|dma_pool_.*(busy|bad vaddr|bad dma|corrupted|already free)'
# Crashes without any of the words above, and messages that a checker has stopped.
reports+='|kernel BUG at|panicked at|PANIC: double fault|Corrupted page table|[Tt]hread overran stack'
reports+='|tried to execute NX-protected page|exited with (irqs disabled|preempt_count)'
reports+='|huh, entered softirq|non-responsive CSD lock|sent to offline CPU|kthread starved for'
reports+='|failed to report (dead|alive) state|turning off the locking correctness validator'
reports+='|lockdep is turned off|Fix your code!|VFS: Busy inodes after unmount'
reports+='|labyrinth: [0-9]+ (page\(s\)|owner\(s\) of callbacks or pools) leaked'

# try_stop_module() takes the last reference to a module, and then marks the module as going. If a
# program opens a debugfs file of the module between the two, the kernel warns that the module did
# not clean up, although it is about to.
harmless='^WARNING: fs/debugfs/file[.]c:[0-9]+ at (full|open)_proxy_open'

# This case frees pages while allocation profiling is off, when the kernel does not count frees, and
# then unloads the module. Test programs write the name of each case to the kernel log.
unprofiled='allocinfo.py:switched_off_under_way'

awk -v reports="$reports" -v harmless="$harmless" -v unprofiled="$unprofiled" '
	match($0, /\[ *[0-9]+\.[0-9]+\](\[[^]]*\])? /) {
		stamped = 1
		text = substr($0, RSTART + RLENGTH)
		if (match(text, /labyrinth-test: [^ \r]+/))
			running = substr(text, RSTART + 16, RLENGTH - 16)
		if (running == unprofiled &&
			text ~ /module labyrinth .* has [0-9]+ allocated at module unload/) next
		if (text ~ reports && text !~ harmless) { found++; if (found <= 20) print }
	}
	END {
		if (!stamped) { print "no line has a time stamp: boot with printk.time=1"; exit 2 }
		if (found > 20) print "… and " found - 20 " more"
		exit found > 0
	}
' "$1"
