#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak-debug
# Covers: rust/stats rust/exercise rust/page/exclusive.rs
# Takes: 9 s
"""The kernel's own tracepoints count the same numbers of pages as labyrinth."""

import os
import re

from lib import ktap, metrics, module, tracing

ALLOC, FREE = "labyrinth_alloc_pages", "labyrinth_free_pages"
ALLOC_NOLOCK = "labyrinth_alloc_page_nolock"
TIMER_SOFTIRQ_VEC = 1
# Functions that run expired timers. At least one of them is not inlined.
RUN_TIMERS = ("__run_timers", "run_timer_base", "expire_timers", "call_timer_fn")
RUN_HARD_TIMERS = ("__hrtimer_run_queues", "hrtimer_interrupt")
RUN_THREAD = "kthread+0x"
MAY_SLEEP = 0x400  # __GFP_DIRECT_RECLAIM
KSWAPD, HIGH = 0x800, 0x20  # __GFP_KSWAPD_RECLAIM, __GFP_HIGH

ORDER_0 = "order == 0"
PAGES = {
    "alloc": ("kmem/mm_page_alloc", "common_stacktrace,gfp_flags", f"{ORDER_0} && {tracing.SERVED}"),
    "free": ("kmem/mm_page_free", "common_stacktrace", ORDER_0),
}


def run(context, cycles, watched, **settings):
    """Runs one exercise, and returns our counters and the kernel's events."""
    with module.loaded(pool_reserve=0):
        metrics.wait_until_filled()
        with tracing.histograms(**watched) as kernel:
            with module.running(context, **settings):
                metrics.wait_for_cycles(context, cycles)
            # A thread frees the pages that interrupts gave back.
            ours = metrics.wait_until_filled().check_idle()
            seen = {name: histogram.entries() for name, histogram in kernel.items()}
    return ours, seen


def gfp(keys):
    """Returns the gfp flags of an entry."""
    return int(re.search(r"gfp_flags:\s*(\d+)", keys).group(1))


def ours_only(entries, function):
    """Returns the entries with our function on the stack."""
    return [(keys, hits) for keys, hits in entries if function + "+0x" in keys]


def compare(context, ours, seen):
    """Checks that allocations and frees are equal, also by kind of request. Returns the
    allocations."""
    allocs, frees = ours_only(seen["alloc"], ALLOC), ours_only(seen["free"], FREE)
    atomic = [entry for entry in allocs if not gfp(entry[0]) & MAY_SLEEP]
    kernel = [entry for entry in allocs if gfp(entry[0]) & MAY_SLEEP]
    for keys, _ in atomic:
        assert gfp(keys) & HIGH and gfp(keys) & KSWAPD, f"not GFP_ATOMIC: {gfp(keys):#x}"

    assert ours.failed(context=context) == 0, "allocations failed; the comparison needs none"
    assert ours.allocated(context=context) > 0, "nothing was allocated"
    pairs = [("all allocations", tracing.count(allocs), ours.allocated(context=context)),
             ("GFP_ATOMIC", tracing.count(atomic), ours.allocated(context=context,
                                                                  gfp="GFP_ATOMIC")),
             ("frees", tracing.count(frees), ours.freed(context=context))]
    if context == "task":
        pairs.append(("GFP_KERNEL", tracing.count(kernel),
                      ours.allocated(context=context, gfp="GFP_KERNEL")))
    else:
        pairs.append(("requests that may sleep", tracing.count(kernel), 0))
    for what, theirs, mine in pairs:
        ktap.note(f"{context}: {what}: the kernel counts {theirs}, we count {mine}")
    for what, theirs, mine in pairs:
        assert theirs == mine, f"{what}: the kernel counts {theirs}, we count {mine}"
    return allocs


def timer_softirq_pages():
    """Every page came from the timer softirq, with GFP_ATOMIC, and the counts are equal."""
    ours, seen = run("timer_softirq", 40, PAGES, period_us=10_000, batch=32)
    allocs = compare("timer_softirq", ours, seen)
    from_timers = sum(hits for keys, hits in allocs if any(f in keys for f in RUN_TIMERS))
    assert from_timers == ours.allocated(context="timer_softirq"), \
        f"only {from_timers} allocations came from an expired timer: {allocs}"


def timer_softirq_held_pages():
    """With a hold, a later timer frees the pages; the counts are still equal."""
    ours, seen = run("timer_softirq", 10, PAGES, period_us=20_000, batch=8, hold_us=8000)
    compare("timer_softirq", ours, seen)


def timer_softirq_pages_in_flight():
    """While pages are held, the kernel's allocations exceed its frees by the same number."""
    pages = 64 * os.cpu_count()
    with module.loaded(pool_reserve=0):
        metrics.wait_until_filled()
        with tracing.histograms(**PAGES) as kernel, \
                module.running("timer_softirq", period_us=10_000, batch=64, hold_us=10_000_000):
            module.wait_until(lambda: metrics.Metrics().in_flight() == pages, f"{pages} pages")
            allocs = tracing.count(ours_only(kernel["alloc"].entries(), ALLOC))
            frees = tracing.count(ours_only(kernel["free"].entries(), FREE))
            ours = metrics.Metrics().check()
    ktap.note(f"the kernel counts {allocs} - {frees}, we count {ours.in_flight()} in flight")
    assert (allocs - frees, frees) == (pages, 0) and ours.in_flight() == pages


def spinlock_pages():
    """The counts of the pages of the kthread and of the timer are equal."""
    ours, seen = run("spinlock", 40, PAGES, period_us=5000, batch=16)
    compare("spinlock", ours, seen)


def task_pages():
    """The kernel and labyrinth count the same numbers for GFP_ATOMIC and GFP_KERNEL."""
    ours, seen = run("task", 40, PAGES, period_us=5000, batch=16)
    compare("task", ours, seen)
    assert ours.allocated(context="task", gfp="GFP_KERNEL") > 0, "no GFP_KERNEL at all"


def hard_irq_pages():
    """Pages from alloc_pages_nolock(), in interrupts or with interrupts disabled, are freed
    elsewhere. Such a request can fail at any time. Both sides count the same successful ones."""
    ours, seen = run("hard_irq", 40, PAGES, period_us=10_000, batch=16)
    allocs, frees = ours_only(seen["alloc"], ALLOC_NOLOCK), ours_only(seen["free"], FREE)
    for keys, _ in allocs:
        assert not gfp(keys) & (MAY_SLEEP | KSWAPD | HIGH), f"flags: {gfp(keys):#x}"
    for keys, _ in frees:
        assert not any(name in keys for name in RUN_HARD_TIMERS), f"freed in an interrupt: {keys}"
    interrupts = [entry for entry in allocs if any(name in entry[0] for name in RUN_HARD_TIMERS)]
    # The stack of an interrupt continues with the interrupted code, so it can contain a thread.
    thread = [entry for entry in allocs if entry not in interrupts and RUN_THREAD in entry[0]]
    mine = ours.allocated(context="hard_irq", gfp="nolock")
    ktap.note(f"hard_irq: the kernel counts {tracing.count(interrupts)} in interrupts and "
              f"{tracing.count(thread)} with them off, {tracing.count(frees)} freed; "
              f"we count {mine}, "
              f"and {ours.failed(context='hard_irq')} failures")
    assert tracing.count(interrupts) + tracing.count(thread) == tracing.count(allocs) == mine
    assert tracing.count(frees) == ours.freed(context="hard_irq") == mine
    assert tracing.count(thread) > 0, "no page with interrupts off"
    # On PREEMPT_RT the allocator refuses all requests in interrupts.
    assert tracing.count(interrupts) > 0 or "PREEMPT_RT" in os.uname().version, "none in interrupts"
    assert not ours_only(seen["alloc"], ALLOC), "pages came another way"


def timer_softirq_cycles():
    """Each expiry of our timers is a cycle, and each CPU had softirqs for them."""
    watched = {
        "expire": ("timer/timer_expire_entry", "function.sym,common_cpu"),
        "softirq": ("irq/softirq_entry", "vec,common_cpu", f"vec == {TIMER_SOFTIRQ_VEC}"),
    }
    # The period is many ticks, so that no softirq lasts long enough to run a timer twice.
    ours, seen = run("timer_softirq", 20, watched, period_us=50_000, batch=1)

    def by_cpu(entries):
        cpus = {}
        for keys, hits in entries:
            cpu = int(re.search(r"common_cpu:\s*(\d+)", keys).group(1))
            cpus[cpu] = cpus.get(cpu, 0) + hits
        return cpus

    expired = by_cpu([entry for entry in seen["expire"] if "[labyrinth]" in entry[0]])
    softirqs = by_cpu(seen["softirq"])
    cycles = ours.cycles("timer_softirq")
    ktap.note(f"expiries {expired}, timer softirqs {softirqs}, cycles {cycles}")
    assert len(expired) == os.cpu_count(), "not every CPU ran one of our timers"
    assert sum(expired.values()) == cycles, f"{expired} expiries, {cycles} cycles"
    for cpu, hits in expired.items():
        assert softirqs.get(cpu, 0) >= hits, f"CPU {cpu}: {hits} expiries, {softirqs} softirqs"


ktap.main(timer_softirq_pages, timer_softirq_held_pages,
          timer_softirq_pages_in_flight, spinlock_pages, task_pages, hard_irq_pages,
          timer_softirq_cycles)
