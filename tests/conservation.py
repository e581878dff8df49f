#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""No page is lost and none is handed out twice, from all contexts at once, each of which stamps its
pages and looks for its stamps before it gives them back."""

import os
import random
import time

from lib import books, faults, ktap, metrics, module

RESERVE = 256
# Where every other request passes the cache by, the kernel's checks take the time.
SMALL = 10_000 if os.path.isdir(faults.FOLDER) else 100_000
LARGE = ktap.soak(1_000_000, 1_000_000 if os.path.isdir(faults.FOLDER) else 100_000_000)


def under_full_load(cache, batches, requests, pause):
    """At least so many requests; by the kernel's account each page is in one place. Reading all
    counters keeps a CPU busy, so between two reads there is a pause, in seconds."""
    rng = random.Random(2)
    with books.kept() as kernel:
        with module.loaded(pool_cache=cache, pool_reserve=RESERVE, prime=cache):
            metrics.wait_until_filled().check_idle().check_pool()
            kernel.learn()
            # Without latencies, which are not looked at here.
            module.write(module.file("recording"), 2)
            with module.running(*module.CONTEXTS, period_us=100, batch=cache, pool=1):
                before = metrics.Metrics().check()
                start = time.monotonic()
                while before.asked("cache") < requests:
                    module.tune(rng.choice(module.CONTEXTS), hold_us=rng.choice((0, 0, 50, 2000)),
                                batch=rng.choice(batches))
                    time.sleep(pause)
                    now = metrics.Metrics().check().check_after(before)
                    assert now.cached() <= cache * os.cpu_count() and now.reserved() <= RESERVE
                    before = now
                seconds = time.monotonic() - start
            now = metrics.wait_until_filled().check_idle().check_pool()
            # An exercise that is stopped while it holds pages frees them itself.
            most = max(batches) * (2 * os.cpu_count() + 2)
            assert 0 <= now.handed_out() <= most, f"{now.handed_out()} pages are out at rest"
            held = kernel.held()
            ktap.note(", ".join(f"{room} {now.served(room)}" for room in metrics.ROOMS) +
                      f", the kernel {kernel.read()[0]}, in {seconds:.0f} s")
            assert held == now.cached() + now.reserved(), f"the kernel says {held}"
            for context in ("softirq", "spinlock", "task", "irqs_off"):
                assert now.served("cache", context=context) > 0, f"no hit in {context}"
        allocated, freed = kernel.read()
    assert allocated == freed, f"{allocated} allocated, {freed} freed after unloading"


def by_way_of_all_rooms():
    """The pool is far too small for what is asked of it."""
    under_full_load(64, (16, 64, 64, 128, 4096), SMALL, 0.1)


def a_million_times():
    """Most are hits, or so many would not come to an end."""
    under_full_load(1024, (256, 1024, 1024, 1024, 2048), LARGE, 1)


ktap.main(by_way_of_all_rooms, a_million_times)
