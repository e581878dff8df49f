#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak soak-debug
# Covers: rust/pool rust/exercise/hard_irq.rs
# Covers: rust/ffi/time/timer.rs rust/ffi/sync/spin_lock.rs
# Takes: 22 s
"""The pool serves hard interrupts, and a thread with interrupts disabled, where nothing may be
freed and no ordinary lock may be taken."""

import os

from lib import books, faults, ktap, metrics, module, pressure

CACHE, RESERVE = 64, 128
CONTEXT = "hard_irq"
BURST = 4096
# More pages than a cache can hold. The kernel records a stack for each page from the allocator,
# which takes long. A debug kernel runs this only in `make soak`.
BATCH = 2 * CACHE if os.path.isdir(faults.FOLDER) else ktap.soak(CACHE + 16, 2 * CACHE)


def settled():
    """Returns the metrics once the refill thread has freed all pages that were left to it."""
    now = metrics.wait_until_filled().check_idle().check_pool()
    assert now.total("pool_returning") == 0, f"{now.total('pool_returning')} wait to be freed"
    return now


def from_the_pool():
    """The cache serves requests. If cache and reserve cannot keep a page, the refill thread frees
    it, not the interrupt."""
    with books.kept() as kernel:
        with module.loaded(pool_cache=CACHE, pool_reserve=RESERVE, prime=CACHE):
            kernel.learn()
            full = CACHE * os.cpu_count()
            module.wait_until(lambda: metrics.Metrics().cached() == full, "full caches")
            before = settled()
            with module.running(CONTEXT, period_us=10_000, batch=CACHE, pool=1):
                metrics.wait_for_cycles(CONTEXT, 40)
            hits = settled()
            assert hits.served("cache", context="irqs_off") == hits.allocated() > 0
            assert hits.failed() == hits.missed("cache") == 0
            assert hits.cached() == before.cached()

            with module.running(CONTEXT, period_us=10_000, batch=4 * CACHE, pool=1):
                metrics.wait_for_cycles(CONTEXT, 40)
            now = settled()
            held = kernel.held()
            released = now.total("pool_released_total", context="irqs_off")
            ktap.note(", ".join(f"{tier} {now.served(tier)}" for tier in metrics.TIERS) +
                      f", failed {now.failed()}, {released} left to the refill thread")
            assert now.served("buddy", context="irqs_off") > 0 and released > 0
            assert now.asked("emergency") == 0, "the emergency reserve was asked"
            assert now.handed_out() == 0
            assert held == now.cached() + now.reserved(), f"the kernel says {held}"
        allocated, freed = kernel.read()
    assert allocated == freed, f"{allocated} allocated, {freed} freed after unloading"


def the_reserve_is_the_last_tier():
    """While memory is full, the allocator refuses interrupts below the min watermark. The reserve
    serves them, the emergency reserve is not used, and the pool is refilled afterwards."""
    with module.loaded(pool_cache=CACHE, pool_reserve=RESERVE):
        settled()
        with pressure.one_cpu(), pressure.full_memory(BURST * pressure.PAGE // 2):
            with module.running(CONTEXT, period_us=100_000, batch=BURST, pool=1):
                module.wait_until(lambda: metrics.Metrics().check().failed(context=CONTEXT) > 0,
                                  "a burst that is too large")
            full = settled()
        ktap.note(", ".join(f"{tier} {full.served(tier)}" for tier in metrics.TIERS) +
                  f", failed {full.failed()}")
        assert full.served("reserve", context="irqs_off") > 0, "the reserve did not serve"
        assert full.missed("reserve", context="irqs_off") == full.failed() > 0
        assert full.asked("emergency") == 0, "the emergency reserve was asked"
        assert full.total("pool_recycle_reserve_total", context="irqs_off") > 0, \
            "no page came back to the reserve"
        assert full.handed_out() == 0


def interrupts_of_all_other_contexts():
    """All contexts use the same pool. No page is lost if an interrupt comes while code is in its
    cache."""
    with books.kept() as kernel:
        with module.loaded(pool_cache=CACHE, pool_reserve=RESERVE, prime=CACHE):
            kernel.learn()
            with module.running(*module.CONTEXTS, period_us=5000, batch=BATCH, pool=1):
                before = metrics.Metrics().check()
                for _ in range(8):
                    metrics.wait_for_cycles(CONTEXT, 5)
                    before = metrics.Metrics().check().check_after(before)
            now = settled()
            held = kernel.held()
            assert held == now.cached() + now.reserved(), f"the kernel says {held}"
            assert now.served("cache", context="irqs_off") > 0
            assert now.total("pool_released_total", context="irqs_off") > 0, "nothing was left over"
        allocated, freed = kernel.read()
    assert allocated == freed, f"{allocated} allocated, {freed} freed after unloading"


def held_back_while_pages_wait():
    """While the refill thread gets no CPU time, interrupts get no pages from the allocator, once
    too many wait to be freed. The reserve still serves them. Afterwards all is as before."""
    if os.cpu_count() < 2:
        raise ktap.Skip("there is one CPU only")
    for pool in (0, 1):
        with module.loaded(pool_cache=8, pool_reserve=RESERVE):
            limit = settled().total("pool_returning_limit")
            # The pages that all sides can have in flight when the limit is reached.
            most = limit + 2 * os.cpu_count() * 4 * CACHE
            os.sched_setaffinity(module.refill_thread()[0], {1})
            # A reading of `metrics` waits for tasks that were preempted while they record.
            recording = module.read(module.file("recording")).strip()
            module.write(module.file("recording"), 0)
            with module.running(CONTEXT, period_us=1000, batch=4 * CACHE, pool=pool):
                waiting = with_refill_thread_stopped(limit, most)
            module.write(module.file("recording"), recording)
            stopped = settled()
            ktap.note(f"pool={pool}: {waiting} pages waited, the limit is {limit}; "
                      f"{stopped.total('pool_held_back_total')} requests were held back")
            assert stopped.handed_out() == 0
            if pool:
                assert stopped.served("reserve", context="irqs_off") > RESERVE, \
                    "the reserve did not serve"
            with module.running(CONTEXT, period_us=10_000, batch=CACHE, pool=pool):
                metrics.wait_for_cycles(CONTEXT, 10)
            now = settled()
            assert now.allocated() > stopped.allocated(), "nothing is served any more"
            assert now.total("pool_held_back_total") == \
                stopped.total("pool_held_back_total"), "requests are still held back"


def with_refill_thread_stopped(limit, most):
    """Keeps the refill thread, which is bound to CPU 1, from running, until many requests have been
    held back. Returns how many pages waited to be freed at the most. It is an error if these are
    more than `most`."""
    highest = 0

    def held_back():
        nonlocal highest
        now = metrics.Metrics()
        highest = max(highest, now.total("pool_returning"))
        assert highest <= most, f"{highest} pages wait to be freed; the limit is {limit}"
        return now.total("pool_held_back_total", context="irqs_off") > most

    with pressure.hogged(1, 15) as is_busy:
        module.wait_until(held_back, f"{most} requests that are held back")
        assert is_busy(), "the refill thread could run"
    return highest


def unloaded_while_pages_return():
    """The module is unloaded while interrupts give back more than the pool can keep."""
    with module.loaded():
        books.Books({}).learn()
    for round_ in range(6):
        with books.kept(4096) as kernel:
            module.load(pool_cache=8, pool_reserve=8, hard_irq_start=1, hard_irq_period_us=200,
                        hard_irq_batch=64, hard_irq_pool=round_ % 2)
            kernel.learn()
            metrics.wait_for_cycles(CONTEXT, 3)
            module.unload()
            allocated, freed = kernel.read()
            assert allocated == freed > 0, f"{allocated} allocated, {freed} freed"


ktap.main(from_the_pool, the_reserve_is_the_last_tier, interrupts_of_all_other_contexts,
          held_back_while_pages_wait, unloaded_while_pages_return)
