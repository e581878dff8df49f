#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check check-debug soak soak-debug
# Covers: rust/pool rust/exercise rust/ffi/percpu
# Takes: 27 s
"""No page is lost and none is handed out twice while all contexts work. Each context stamps its
pages, and verifies the stamps before it gives the pages back."""

import contextlib
import os
import random
import time

from lib import books, exercises, faults, ktap, metrics, module

RESERVE = 256
DEBUG = os.path.isdir(faults.FOLDER)
# Requests that miss the cache are slow on a debug kernel.
FEW = 20_000 if DEBUG else 200_000
MANY = ktap.soak(1_000_000, 1_000_000 if DEBUG else 100_000_000)
# The time limit in seconds, which is enough for any machine.
SECONDS = 1200
# A cache that is far too small for the requests, and one that can serve most of them.
SMALL = {"cache": 64, "batches": (16, 64, 64, 128, 4096)}
LARGE = {"cache": 1024, "batches": (256, 1024, 1024, 1024, 2048)}


def under_full_load(requests, pause, cache, batches, meanwhile=contextlib.nullcontext, reserve=0):
    """Waits for at least `requests` requests, of which the reserve has served at least `reserve`.
    Checks that each page is in one place, by the kernel's account. Reading all counters keeps a CPU
    busy, so there is a pause (in seconds) between two reads."""
    rng = random.Random(2)
    with books.kept() as kernel:
        with module.loaded(pool_cache=cache, pool_reserve=RESERVE, prime=cache):
            metrics.wait_until_filled().check_idle().check_pool()
            kernel.learn()
            # Do not record latencies, which this program does not check.
            module.write(module.file("recording"), 2)
            with meanwhile(), \
                    module.running(*module.CONTEXTS, period_us=100, batch=cache, pool=1):
                before = metrics.Metrics().check()
                start = time.monotonic()
                while before.asked("cache") < requests or before.served("reserve") < reserve:
                    assert time.monotonic() < start + SECONDS, \
                        f"{before.asked('cache')} requests, {before.served('reserve')} of the reserve"
                    module.tune(rng.choice(module.CONTEXTS), hold_us=rng.choice((0, 0, 50, 2000)),
                                batch=rng.choice(batches))
                    time.sleep(pause)
                    now = metrics.Metrics().check().check_after(before)
                    assert now.cached() <= cache * os.cpu_count() and now.reserved() <= RESERVE
                    before = now
                seconds = time.monotonic() - start
            now = metrics.wait_until_filled().check_idle().check_pool()
            # If an exercise is stopped while it holds pages, it frees these itself.
            most = max(batches) * exercises.batches(*module.CONTEXTS) * os.cpu_count()
            assert 0 <= now.handed_out() <= most, f"{now.handed_out()} pages are out at rest"
            held = kernel.held()
            ktap.note(", ".join(f"{tier} {now.served(tier)}" for tier in metrics.TIERS) +
                      f", the kernel {kernel.read()[0]}, in {seconds:.0f} s")
            assert held == now.cached() + now.reserved(), f"the kernel says {held}"
            for context in ("softirq", "spinlock", "task", "irqs_off"):
                assert now.served("cache", context=context) > 0, f"no hit in {context}"
        allocated, freed = kernel.read()
    assert allocated == freed, f"{allocated} allocated, {freed} freed after unloading"


def past_the_caches():
    """Many requests get as far as the allocator."""
    under_full_load(FEW, 0.1, **SMALL)


def past_the_allocator():
    """The allocator fails now and then, so that the reserve serves requests, too."""
    under_full_load(FEW, 0.1, **SMALL, reserve=RESERVE,
                    meanwhile=lambda: faults.failing(30, spare_sleepers=True))


def a_million_times():
    """A million requests. Most of them are hits, or this would take too long."""
    under_full_load(MANY, 1, **LARGE)


ktap.main(past_the_caches, past_the_allocator, a_million_times)
