#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak-debug
# Covers: rust/source rust/ffi/hotplug.rs rust/ffi/cpu.rs rust/exercise
# Takes: 15 s
"""A CPU goes away and comes back: its cache goes to the allocator, and nothing else changes."""

import os
import time

from lib import books, consumer, ktap, metrics, module
from lib.ktap import Skip

SWITCH = "/sys/devices/system/cpu/cpu1/online"
CACHE, RESERVE = 64, 256
ROUNDS = ktap.soak(3, 50)


def switch(on):
    """CPU 1 comes or goes."""
    module.write(SWITCH, int(on))
    assert module.read(SWITCH) == f"{int(on)}\n"


def needs_a_second_cpu():
    """Skips where there is none."""
    if not os.path.exists(SWITCH):
        raise Skip("there is no second CPU that could go offline")


def cache_is_given_back():
    """Exactly what CPU 1 had cached is freed when it goes, by our count and the kernel's."""
    needs_a_second_cpu()
    with books.kept() as kernel:
        with module.loaded(pool_cache=CACHE, pool_reserve=RESERVE, prime=CACHE):
            kernel.learn()
            full = CACHE * os.cpu_count()
            module.wait_until(lambda: metrics.Metrics().cached() == full, "full caches")
            metrics.wait_until_filled()
            before = kernel.read()
            try:
                switch(False)
                now = metrics.wait_until_filled().check_idle().check_pool()
                after = kernel.read()
            finally:
                switch(True)
            assert now.cached() == full - CACHE, f"{now.cached()} cached"
            assert now.total("pool_cache_drain_pages_total") == CACHE
            assert now.reserved() == RESERVE
            assert (after[0] - before[0], after[1] - before[1]) == (0, CACHE), \
                f"the kernel saw {before} before and {after} after"
            # Back again, it starts with an empty cache that can be filled.
            assert metrics.Metrics().cached() == full - CACHE
            module.write(module.file("pool", "prime"), CACHE)
            assert metrics.Metrics().check_pool().cached() == full
        allocated, freed = kernel.read()
    assert allocated == freed, f"{allocated} allocated, {freed} freed after unloading"


def off_and_on_under_load():
    """With every exercise at work on the pool, time and again; the books balance all along."""
    needs_a_second_cpu()
    with books.kept() as kernel:
        with module.loaded(pool_cache=CACHE, pool_reserve=RESERVE, prime=CACHE):
            kernel.learn()
            for round_ in range(ROUNDS):
                hold = (0, 300, 20_000)[round_ % 3]
                try:
                    with module.running(*module.CONTEXTS, period_us=2000, batch=CACHE,
                                        hold_us=hold, pool=1):
                        for online in (False, True, False):
                            for context in module.CONTEXTS:
                                metrics.wait_for_cycles(context, 3)
                            switch(online)
                            metrics.Metrics().check()
                        for context in module.CONTEXTS:
                            metrics.wait_for_cycles(context, 3)
                    now = metrics.wait_until_filled().check_idle().check_pool()
                    # Timers that are stopped while they hold pages free them themselves.
                    assert 0 <= now.handed_out() <= 5 * CACHE * (round_ + 1)
                    assert now.cached() <= CACHE, \
                        f"{now.cached()} pages cached with one CPU online"
                    held = kernel.held()
                    assert held == now.cached() + now.reserved(), \
                        f"the kernel says {held}; {now.cached()} cached, {now.reserved()} reserved"
                finally:
                    switch(True)
            drained = now.total("pool_cache_drain_pages_total")
            ktap.note(f"{now.allocated()} pages, {drained} drained in {ROUNDS} rounds")
            assert drained > 0, "CPU 1 never had a page"
        allocated, freed = kernel.read()
    assert allocated == freed, f"{allocated} allocated, {freed} freed after unloading"


def each_pool_loses_its_share():
    """Of every pool, whatever its order, exactly what CPU 1 had cached of it is freed, and nothing of
    another CPU's."""
    needs_a_second_cpu()
    # By name: blocks for each CPU, and their order.
    pools = {"default": (CACHE, 0), "one": (20, 0), "two": (7, 3)}
    others = os.cpu_count() - 1
    with module.loaded(pool_cache=CACHE, pool_reserve=RESERVE, prime=CACHE), \
            consumer.loaded(consumer.C):
        for slot, (name, (primed, order)) in enumerate(pools.items()):
            if name != "default":
                assert consumer.script(consumer.pool(slot, name, order, cache=32, reserve=4),
                                       f"prime {slot} {primed}") == [0, 0]
        module.wait_until(lambda: metrics.Metrics().total("pool_cached", pool="default") ==
                          CACHE * (others + 1), "full caches")
        metrics.wait_until_filled().check_pool()
        try:
            switch(False)
            now = metrics.wait_until_filled().check_pool()
        finally:
            switch(True)
        for name, (primed, _) in pools.items():
            drained = now.total("pool_cache_drain_pages_total", pool=name)
            assert drained == primed, f"{name}: {drained} of {primed} blocks were given back"
            cached = now.total("pool_cached", pool=name)
            assert cached == primed * others, f"{name}: {cached} blocks are cached"


def loaded_while_a_cpu_is_away():
    """A CPU that comes only later has a cache, too."""
    needs_a_second_cpu()
    try:
        switch(False)
        with module.loaded(pool_cache=CACHE, pool_reserve=0, prime=CACHE):
            module.wait_until(lambda: metrics.Metrics().cached() == CACHE, "a full cache")
            switch(True)
            with module.running("timer_softirq", period_us=1000, batch=CACHE, pool=1):
                metrics.wait_for_cycles("timer_softirq", 20)
                module.wait_until(lambda: metrics.Metrics().cached() > CACHE, "a second cache")
            metrics.wait_until_filled().check_idle().check_pool()
            # And goes once more when nothing is left to notice it but the cache.
            switch(False)
            time.sleep(0.1)
            assert metrics.Metrics().check_pool().cached() <= CACHE
    finally:
        switch(True)


ktap.main(cache_is_given_back, each_pool_loses_its_share, off_and_on_under_load, loaded_while_a_cpu_is_away)
