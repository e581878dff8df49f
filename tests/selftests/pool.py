#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak-debug
# Covers: rust/pool rust/pool/tiered rust/pool/tier/cache rust/pool/tier/reserve rust/ffi/percpu
# Takes: 28 s
"""Each tier of the pool serves in its turn, everything is counted, and no page is ever lost."""

import contextlib
import os

from lib import books, faults, ktap, metrics, module, pressure

CACHE, RESERVE = 64, 256
BURST = 4096
# Between the min watermark and the level where GFP_ATOMIC fails, there must be more pages than a
# per-CPU list of the allocator takes at once.
MIN_FREE_KB = 2048
LEAVE = BURST * pressure.PAGE // 2
BUDGET = 32


def cpus():
    """Returns how many CPUs are online."""
    return os.cpu_count()


@contextlib.contextmanager
def pool(cache=CACHE, reserve=RESERVE, emergency=BUDGET, prime=0):
    """Loads the module with a pool that is as full as it gets by itself."""
    with module.loaded(pool_cache=cache, pool_reserve=reserve, pool_emergency=emergency,
                       prime=prime):
        module.wait_until(lambda: metrics.Metrics().cached() == prime * cpus(),
                          f"{prime} pages in each cache")
        metrics.wait_until_filled().check_idle().check_pool()
        yield


def at_rest(*contexts, kept=0):
    """Returns the metrics once nothing runs. Everything must balance, and must have come through
    these contexts. An exercise that is stopped while it holds pages frees at most `kept` of them
    itself."""
    now = metrics.wait_until_filled().check_idle().check_pool()
    assert 0 <= now.handed_out() <= kept, f"{now.handed_out()} pages of the pool are out at rest"
    for context in {"task", "softirq", "spinlock", "irqs_off"} - set(contexts):
        for tier in metrics.TIERS:
            assert now.asked(tier, context=context) == 0, f"{tier} asked in {context}"
    return now


def cache_serves():
    """As long as the cache has pages, neither another tier nor the kernel is asked."""
    with books.kept() as kernel, pool(prime=CACHE):
        kernel.learn()
        before = kernel.read()
        with module.running("timer_softirq", period_us=5000, batch=CACHE, pool=1):
            metrics.wait_for_cycles("timer_softirq", 40)
        after = kernel.read()
        now = at_rest("softirq")
    pages = now.allocated()
    ktap.note(f"{pages} pages from the cache, {after[0] - before[0]} from the kernel")
    assert after == before, f"the kernel saw {before} before and {after} after"
    assert now.served("cache", context="softirq") == pages > 0
    assert now.missed("cache") == 0 and now.failed() == 0
    assert all(now.asked(tier) == 0 for tier in metrics.TIERS[1:])
    assert now.total("pool_recycle_cached_total", context="softirq") == pages
    assert now.cached() == CACHE * cpus()


def buddy_serves():
    """Without a cache and a reserve, every page comes from the kernel and goes back there."""
    with books.kept() as kernel, pool(cache=0, reserve=0):
        kernel.learn()
        allocated, freed = kernel.read()
        with module.running("spinlock", period_us=5000, batch=32, pool=1):
            metrics.wait_for_cycles("spinlock", 40)
        now = at_rest("spinlock")
        pages = now.allocated()
        # The refill thread, which each cycle wakes, allocates a page to see whether memory is
        # short.
        looks = [new - old - pages for new, old in zip(kernel.read(), (allocated, freed))]
    assert now.served("buddy", context="spinlock") == pages == now.missed("cache") > 0
    assert now.missed("buddy") == 0 and now.failed() == 0
    assert now.asked("reserve") == now.asked("emergency") == 0
    assert now.total("pool_released_total", context="spinlock") == pages
    assert looks[0] == looks[1] and 0 <= looks[0] <= pages, \
        f"pages unaccounted for: {looks}"


def cache_is_refilled_to_a_half():
    """The refill thread fills a cache that was found empty to one half."""
    with pool(cache=CACHE, reserve=0):
        with module.running("timer_softirq", period_us=10_000, batch=1, pool=1):
            module.wait_until(lambda: metrics.Metrics().cached() >= CACHE // 2 * cpus(),
                              "a refill on each CPU")
            metrics.wait_for_cycles("timer_softirq", 4)
        now = at_rest("softirq")
        # Pages that were given back are there, too.
        assert now.cached() <= (CACHE // 2 + 1) * cpus(), f"{now.cached()} cached"
        assert now.served("buddy") > 0 and now.served("cache") > 0, "refilled for nothing"
    assert now.total("pool_cache_refill_pages_total") > 0, "only what came back"


def reserve_serves():
    """While the allocator fails, the reserve serves requests that must not sleep."""
    with pool(cache=0, reserve=RESERVE):
        with faults.failing(100, spare_sleepers=True):
            with module.running("timer_softirq", period_us=20_000, batch=RESERVE // cpus() // 2,
                                pool=1):
                metrics.wait_for_cycles("timer_softirq", 40)
        now = at_rest("softirq")
    pages = now.allocated()
    assert now.served("reserve", context="softirq") == pages == now.missed("buddy") > 0
    assert now.failed() == 0 and now.asked("emergency") == 0
    assert now.total("pool_recycle_reserve_total") > 0, "no page came back to the reserve"


def reserve_is_refilled():
    """While its pages are out, the reserve is refilled from task context, and serves again."""
    batch = RESERVE // cpus()
    with books.kept() as kernel, pool(cache=0, reserve=RESERVE):
        kernel.learn()
        with faults.failing(100, spare_sleepers=True):
            with module.running("timer_softirq", period_us=100_000, batch=batch,
                                hold_us=10_000_000, pool=1):
                module.wait_until(lambda: metrics.Metrics().in_flight() == batch * cpus(),
                                  "the whole reserve to be out")
                full = metrics.wait_until_filled().check().check_pool()
                held = kernel.held()
        now = at_rest("softirq", kept=batch * cpus())
        rest = kernel.held()
    assert full.failed() == 0 and full.served("reserve") == batch * cpus()
    assert full.total("pool_reserve_refill_pages_total") >= RESERVE + batch * cpus()
    assert held == RESERVE + batch * cpus(), f"the kernel says that we hold {held}"
    assert rest == now.reserved() == RESERVE, f"the kernel says that we hold {rest} at rest"


def everything_fails():
    """Without a cache, with an empty reserve and an allocator that fails, each request ends and
    is counted."""
    with pool(cache=0, reserve=0, emergency=BUDGET):
        with faults.failing(100, spare_sleepers=True):
            with module.running("timer_softirq", period_us=5000, batch=16, pool=1):
                metrics.wait_for_cycles("timer_softirq", 20)
        now = at_rest("softirq")
    assert now.allocated() == 0 and now.failed() > 0
    assert now.total("pool_failures_total", context="softirq") == now.failed()
    assert now.missed("buddy") == now.missed("emergency") == now.failed()
    # The budget is charged in advance, and restored each time.
    assert now.total("pool_emergency_pages_total") == 0


def burst(priority=2):
    """Lets one timer request more pages than there are, once. Returns how the metrics changed."""
    before = metrics.wait_until_filled().check_idle().check_pool()
    module.start("timer_softirq", period_us=1_000_000, batch=BURST, hold_us=0, pool=1,
                 priority=priority)
    module.tune("timer_softirq", period_us=10_000_000)
    module.wait_until(lambda: metrics.Metrics().cycles("timer_softirq") >
                      before.cycles("timer_softirq"), "the burst")
    module.stop("timer_softirq")
    after = metrics.wait_until_filled().check_idle().check_pool()
    assert after.cycles("timer_softirq") == before.cycles("timer_softirq") + 1, "two bursts"
    assert after.handed_out() == 0

    def change(function, *arguments):
        return function(after, *arguments) - function(before, *arguments)

    return change, after


def every_tier_is_exhausted():
    """While memory is really full, cache, allocator, reserve and budget are used up to the last
    page, in this order. They are full again for the next burst."""
    served, missed, total = (metrics.Metrics.served, metrics.Metrics.missed,
                             metrics.Metrics.total)
    with pool(prime=CACHE):
        with pressure.one_cpu():
            # The cache of the CPU that went offline was freed, and the cache of this CPU is full.
            assert metrics.Metrics().cached() == CACHE
            with pressure.full_memory(LEAVE, MIN_FREE_KB):
                # Replace the pages that the shrinker took while memory was being filled.
                module.write(module.file("pool", "prime"), CACHE)
                for budget in (BUDGET, BUDGET, 0, BUDGET // 2):
                    module.write(module.file("pool", "emergency_budget"), budget)
                    change, after = burst()
                    buddy, emergency = change(served, "buddy"), change(served, "emergency")
                    failed = change(metrics.Metrics.failed)
                    taken = change(total, "pool_emergency_pages_total")
                    ktap.note(f"budget {budget}: cache {change(served, 'cache')}, buddy {buddy}, "
                              f"reserve {change(served, 'reserve')}, emergency {emergency} "
                              f"({taken} below min), failed {failed}")
                    assert change(served, "cache") == CACHE, "not all of the cache"
                    assert buddy > 0, "nothing from the allocator"
                    assert change(served, "reserve") == RESERVE, "not all of the reserve"
                    assert taken == budget, f"{taken} below the min watermark"
                    assert emergency >= budget and (budget or not emergency)
                    assert failed > 0, "memory was not exhausted"
                    assert change(total, "pool_failures_total") == failed
                    # Each tier gets the requests that the tier before it could not serve.
                    assert change(missed, "cache") == BURST - CACHE
                    assert change(missed, "buddy") == BURST - CACHE - buddy
                    assert change(missed, "reserve") == change(missed, "buddy") - RESERVE
                    # All pages are there again, too.
                    assert after.reserved() == RESERVE and after.cached() == CACHE


def lesser_requests_spare_the_reserves():
    """While memory is really full, a request of low priority gets nothing from the reserve, and
    only one of high priority reaches the emergency reserve."""
    tiers = metrics.TIERS[2:]
    with pool(), pressure.one_cpu(), pressure.full_memory(LEAVE, MIN_FREE_KB):
        for priority, opened in ((0, ()), (1, ("reserve",)), (2, ("reserve", "emergency"))):
            change, _ = burst(priority)
            served = {tier: change(metrics.Metrics.served, tier) for tier in tiers}
            ktap.note(f"priority {priority}: {served}, failed {change(metrics.Metrics.failed)}")
            for tier in tiers:
                asked = change(metrics.Metrics.asked, tier)
                assert (asked > 0) == (tier in opened), \
                    f"priority {priority}: {asked} asked the {tier}"
            assert served["reserve"] == (RESERVE if priority else 0)
            assert change(metrics.Metrics.failed) > 0, "memory was not exhausted"


def prime_fills():
    """When priming returns, each cache has as many pages as were asked for, and the reserve is
    full. Asking for fewer pages changes nothing."""
    with books.kept() as kernel, pool():
        kernel.learn()
        for pages in (0, 1, 17, 16, 0, CACHE, 1):
            before = metrics.Metrics()
            module.write(module.file("pool", "prime"), pages)
            now = metrics.Metrics().check_pool()
            assert now.cached() == max(pages * cpus(), before.cached()), \
                f"{now.cached()} cached, {before.cached()} before, primed with {pages}"
            assert now.reserved() == RESERVE
        metrics.wait_until_filled()
        assert kernel.held() == CACHE * cpus() + RESERVE
        assert now.total("pool_cache_refill_pages_total") == CACHE * cpus()
        assert sum(now.asked(tier) for tier in metrics.TIERS) == 0, "priming counts as a request"


def busy_cpu_keeps_nobody_waiting():
    """The cache of a CPU that is completely busy is still filled and shrunk."""
    if cpus() < 2:
        raise ktap.Skip("there is one CPU only")
    with pool(cache=CACHE, reserve=0):
        with pressure.hogged(1) as is_busy:
            module.write(module.file("pool", "prime"), CACHE)
            primed = metrics.Metrics().check_pool().cached()
            module.write("/proc/sys/vm/drop_caches", 2)
            shrunk = metrics.Metrics().check_pool().cached()
            assert is_busy(), "all this has waited for the busy CPU, or has taken too long"
    assert (primed, shrunk) == (CACHE * cpus(), 0), f"{primed} cached, then {shrunk}"


def each_page_is_in_one_place():
    """By the kernel's account each page is in flight, cached or in reserve, and nowhere after
    unloading."""
    with books.kept() as kernel:
        with pool(prime=CACHE // 2):
            kernel.learn()
            start = metrics.Metrics()
            assert kernel.held() == start.cached() + start.reserved() > 0
            with module.running("timer_softirq", "spinlock", period_us=100_000, batch=100,
                                hold_us=10_000_000, pool=1):
                out = 100 * 3 * cpus()
                module.wait_until(lambda: metrics.Metrics().in_flight() == out, f"{out} in flight")
                now = metrics.wait_until_filled().check().check_pool()
                assert now.handed_out() == out
                held = kernel.held()
                assert held == out + now.cached() + now.reserved(), \
                    f"the kernel says {held}; {out} in flight, {now.cached()} cached, " \
                    f"{now.reserved()} in reserve"
            rest = at_rest("softirq", "spinlock", kept=out)
            assert kernel.held() == rest.cached() + rest.reserved()
        allocated, freed = kernel.read()
    ktap.note(f"the kernel saw {allocated} pages come and {freed} go")
    assert allocated == freed > 0, f"{allocated} allocated, {freed} freed after unloading"


def told_otherwise_meanwhile():
    """Pages that are out when an exercise switches to the pool go back to the allocator."""
    with pool():
        with module.running("timer_softirq", period_us=1000, batch=8, hold_us=300_000, pool=0):
            module.wait_until(lambda: metrics.Metrics().in_flight(), "pages in flight")
            # After these pages the exercise holds none, so none is in flight when it stops.
            module.tune("timer_softirq", pool=1, hold_us=0)
            module.wait_until(lambda: metrics.Metrics().asked("cache") >= 64 * cpus(), "requests")
        at_rest("softirq")


def baseline_keeps_out():
    """Requests with GFP_KERNEL never use the pool."""
    with pool():
        with module.running("task", period_us=1000, batch=8, pool=1):
            metrics.wait_for_cycles("task", 10)
        now = at_rest("task")
        asked, atomic = now.asked("cache"), now.allocated(context="task", gfp="GFP_ATOMIC")
        assert asked == atomic > 0, f"{asked} asked the pool, {atomic} by GFP_ATOMIC"


ktap.main(cache_serves, buddy_serves, cache_is_refilled_to_a_half, reserve_serves,
          reserve_is_refilled, everything_fails, every_tier_is_exhausted,
          lesser_requests_spare_the_reserves, prime_fills, busy_cpu_keeps_nobody_waiting,
          each_page_is_in_one_place, told_otherwise_meanwhile, baseline_keeps_out)
