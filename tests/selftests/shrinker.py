#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check check-debug soak-debug
# Covers: rust/pool rust/ffi/mm/shrinker.rs
# Takes: 8 s
"""When memory is short, the pages in the caches are freed, and those in the reserve are not."""

import contextlib
import glob
import os

from lib import books, consumer, faults, ktap, metrics, module
from lib.ktap import Skip

CACHE, RESERVE = 64, 256
# A debug kernel is slow.
ROUNDS = 5 if os.path.isdir(faults.FOLDER) else 30
SHRINKERS = "/sys/kernel/debug/shrinker"


@contextlib.contextmanager
def on_cpu(cpu):
    """Pins this process to one CPU."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def full_caches():
    """Loads labyrinth with full caches. Yields the kernel's count of its pages, too."""
    with books.kept() as kernel:
        with module.loaded(pool_cache=CACHE, pool_reserve=RESERVE, prime=CACHE):
            kernel.learn()
            full = CACHE * os.cpu_count()
            module.wait_until(lambda: metrics.Metrics().cached() == full, "full caches")
            metrics.wait_until_filled().check_idle().check_pool()
            yield kernel
        allocated, freed = kernel.read()
    assert allocated == freed, f"{allocated} allocated, {freed} freed after unloading"


def drop_slab_empties_the_caches():
    """drop_caches=2 makes all shrinkers free everything, on whichever CPU it is written."""
    with full_caches() as kernel:
        full = CACHE * os.cpu_count()
        for cpu in sorted(os.sched_getaffinity(0)):
            before = kernel.held()
            with on_cpu(cpu):
                module.write("/proc/sys/vm/drop_caches", 2)
            now = metrics.Metrics().check_idle().check_pool()
            assert now.cached() == 0, f"{now.cached()} left in the caches"
            assert now.reserved() == RESERVE, f"{now.reserved()} left in reserve"
            assert now.total("pool_cache_drain_pages_total") == full * (cpu + 1)
            assert before - kernel.held() == full, "the kernel did not get them"
            module.write(module.file("pool", "prime"), CACHE)
            metrics.wait_until_filled()


def as_many_as_asked_for():
    """In the shrinker's debugfs files, the count is the number of cached pages, and a scan frees as
    many as requested."""
    folders = glob.glob(SHRINKERS + "/labyrinth-*")
    if not os.path.isdir(SHRINKERS):
        raise Skip("the kernel shows no shrinkers (CONFIG_SHRINKER_DEBUG)")
    assert not folders, "there is a shrinker of ours without us"
    with full_caches():
        folder, = glob.glob(SHRINKERS + "/labyrinth-*")

        def count():
            # The lines are "<cgroup> <objects on node 0> <on node 1> …". There are none without
            # objects.
            return sum(int(line.split()[1])
                       for line in module.read(folder + "/count").splitlines())

        full = CACHE * os.cpu_count()
        assert count() == full, f"{count()} counted, {full} cached"
        with on_cpu(0):
            for wanted in (1, 10, 20):
                before = metrics.Metrics()
                module.write(folder + "/scan", f"0 0 {wanted}")
                now = metrics.Metrics().check_pool()
                assert before.cached() - now.cached() == wanted, \
                    f"{before.cached() - now.cached()} given back, {wanted} asked for"
                assert count() == now.cached() and now.reserved() == RESERVE
            # Request more than this CPU has.
            module.write(folder + "/scan", "0 0 100000")
            assert metrics.Metrics().cached() == 0, f"{metrics.Metrics().cached()} left"
        assert metrics.wait_until_filled().check_pool().reserved() == RESERVE
    assert not glob.glob(SHRINKERS + "/labyrinth-*"), "the shrinker stays after unloading"


@contextlib.contextmanager
def several_pools():
    """Makes three full pools. Yields the number of pages of each, by name."""
    blocks = {"default": (CACHE, 0), "one": (48, 0), "eight": (8, 3)}
    with module.loaded(pool_cache=CACHE, pool_reserve=RESERVE, prime=CACHE), \
            consumer.loaded(consumer.C):
        for slot, (name, (primed, order)) in enumerate(blocks.items()):
            if name != "default":
                assert consumer.script(
                    consumer.pool(slot, name, order, cache=primed, reserve=2),
                    f"prime {slot} {primed}") == [0, 0]
        cpus = os.cpu_count()
        module.wait_until(lambda: metrics.Metrics().total("pool_cached", pool="default") ==
                          CACHE * cpus, "full caches")
        metrics.wait_until_filled().check_pool()
        yield {name: (primed * cpus) << order for name, (primed, order) in blocks.items()}


def given_back(name):
    """Returns how many pages the shrinker took from a pool."""
    blocks = metrics.Metrics().total("pool_cache_drain_pages_total", pool=name)
    return blocks << (3 if name == "eight" else 0)


def all_pools_are_emptied():
    """The caches of each pool are freed to the last block, and no reserve is."""
    with several_pools() as held:
        module.write("/proc/sys/vm/drop_caches", 2)
        now = metrics.Metrics().check_pool()
        assert now.cached() == 0, f"{now.cached()} left in the caches"
        assert now.reserved() == now.total("pool_reserve_target")
        assert {name: given_back(name) for name in held} == held


def as_many_of_all_as_asked_for():
    """A scan frees as many pages of all pools together as requested, rounded up to a block."""
    if not os.path.isdir(SHRINKERS):
        raise Skip("the kernel shows no shrinkers (CONFIG_SHRINKER_DEBUG)")
    with several_pools() as held:
        folder, = glob.glob(SHRINKERS + "/labyrinth-*")
        before = 0
        # Request pages of only the first pool, of the first two, and as far as the blocks of the
        # last.
        for wanted in (10, held["default"], held["one"] + 3):
            module.write(folder + "/scan", f"0 0 {wanted}")
            metrics.Metrics().check_pool()
            after = sum(map(given_back, held))
            assert wanted <= after - before < wanted + 8, \
                f"{after - before} pages given back, {wanted} asked for"
            before = after
        assert 0 < given_back("eight") < held["eight"], "it did not come to blocks"


def under_load():
    """The caches are shrunk again and again while all contexts work. No page is lost, and no
    reserve is shrunk."""
    with full_caches() as kernel:
        drained = 0
        with module.running(*module.CONTEXTS, period_us=5000, batch=CACHE // 2, pool=1):
            for i in range(ROUNDS):
                with on_cpu(i % os.cpu_count()):
                    module.write("/proc/sys/vm/drop_caches", 2)
                metrics.Metrics().check()
        now = metrics.wait_until_filled().check_idle().check_pool()
        drained = now.total("pool_cache_drain_pages_total")
        ktap.note(f"{now.allocated()} pages, {drained} given back")
        assert drained > CACHE, f"only {drained} pages were given back"
        assert now.handed_out() == 0 and now.reserved() == RESERVE
        held = kernel.held()
        assert held == now.cached() + now.reserved(), f"the kernel says {held}"


ktap.main(drop_slab_empties_the_caches, as_many_as_asked_for, all_pools_are_emptied,
          as_many_of_all_as_asked_for, under_load)
