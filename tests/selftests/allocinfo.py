#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check check-debug
# Covers: rust/ffi/mm/alloc_tag* rust/capi rust/pool/single.rs
# Takes: 2 s
"""/proc/allocinfo has a line for each caller, with as many pages as labyrinth counts."""

import contextlib
import mmap
import os
import re

from lib import consumer, drivers, exercises, ktap, metrics, module, transfers
from lib.ktap import Skip

ALLOCINFO = "/proc/allocinfo"
SWITCH = "/proc/sys/vm/mem_profiling"
LINE = re.compile(r"^\s*(-?\d+)\s+(\d+)\s+(\S+):(\d+) \[(\w+)\] func:(\S+)", re.M)
PAGE = os.sysconf("SC_PAGE_SIZE")
# The callers of each exercise. Both sides of the exercise with a spinlock are callers.
CALLERS = {name: shape.callers for name, shape in exercises.SHAPES.items()}
HELD = "labyrinth_held_tag"
EVERYBODY = sum(CALLERS.values(), (HELD,))
# Settings without pages in a pool, which would have lines, too.
NO_POOL = {"pool_cache": 0, "pool_reserve": 0, "pool_emergency": 0}
HOLD = {"period_us": 10_000, "batch": 32, "hold_us": 10_000_000}
CPUS = len(os.sched_getaffinity(0))
# The number of pages that each exercise holds then, for all its callers on all CPUs.
HELD_BY = {name: exercises.batches(name) * 32 * CPUS for name in exercises.PLAIN}


@contextlib.contextmanager
def profiling(on=True):
    """Switches allocation profiling on (or off) for the length of a block."""
    if not os.path.exists(ALLOCINFO):
        raise Skip("the kernel has no allocation profiling (CONFIG_MEM_ALLOC_PROFILING, and not "
                   "sysctl.vm.mem_profiling=never)")
    before = module.read(SWITCH).strip()
    module.write(SWITCH, int(on))
    try:
        yield
    finally:
        module.write(SWITCH, before)


def lines_of(name):
    """Returns the lines of a module, as (bytes, calls, path, line, function)."""
    return [(int(size), int(calls), path, int(line), function)
            for size, calls, path, line, of, function in LINE.findall(module.read(ALLOCINFO))
            if of == name]


def lines():
    """Returns the lines of pages, {name: (bytes, calls)}, each name once."""
    found = [line for line in lines_of(module.NAME) if line[4] in EVERYBODY]
    assert sorted(line[4] for line in found) == sorted(EVERYBODY), f"not a line for each: {found}"
    return {name: (size, calls) for size, calls, _, _, name in found}


def pages(*names):
    """Returns how many pages are charged to these lines."""
    now = lines()
    for name in names:
        size, calls = now[name]
        assert size == calls * PAGE, f"{name}: {size} bytes in {calls} pages"
    return sum(now[name][1] for name in names)


def charged(seen, wanted):
    """Waits until the exercises hold all of their pages, compares the counts, and returns the pages
    by line."""
    module.wait_until(lambda: metrics.Metrics().in_flight() == wanted, f"{wanted} pages")
    now = {name: pages(name) for name in seen}
    ktap.note(f"{wanted} pages in flight: {now}")
    return now


def lines_say_where():
    """Each caller has a line, with the file and the line of its call site in the source."""
    with profiling(), module.loaded():
        found = lines_of(module.NAME)
    where = {name: (path, line) for _, _, path, line, name in found if name in EVERYBODY}
    for context, names in CALLERS.items():
        for name in names:
            assert name in where, f"{name} has no line: {where}"
            assert where[name][0].endswith(f"rust/exercise/{context}.rs"), where[name]
            ktap.note(f"{name}: {where[name][0]}:{where[name][1]}")
    assert len(set(where.values())) == len(where), f"callers share a line: {where}"


def callers_apart():
    """While one exercise holds pages, all of them are in its lines, and the lines of the others
    have none."""
    with profiling(), module.loaded(**NO_POOL):
        for context in exercises.PLAIN:
            names = CALLERS[context]
            wanted = HELD_BY[context]
            with module.running(context, **HOLD):
                now = charged(EVERYBODY, wanted)
            assert sum(now[name] for name in names) == wanted, f"{context}: {now}"
            assert sum(now.values()) == wanted, f"{context}'s pages are in others' lines: {now}"
            if context == "spinlock":
                assert all(now[name] == 32 * CPUS for name in names), f"not apart: {now}"
            now = {name: pages(name) for name in EVERYBODY}
            assert not any(now.values()), f"{context} has stopped, but has pages: {now}"


def callers_together():
    """While all exercises run, the lines add up to the pages in flight."""
    wanted = sum(HELD_BY.values())
    with profiling(), module.loaded(**NO_POOL), module.running(*exercises.PLAIN, **HOLD):
        now = charged(EVERYBODY, wanted)
        assert sum(now.values()) == wanted, now
        assert now["timer_softirq"] == HELD_BY["timer_softirq"], now
        assert metrics.Metrics().check().in_flight() == sum(now.values())


def balanced_after_much():
    """After many allocations and frees on all CPUs, no line keeps any pages."""
    with profiling(), module.loaded(**NO_POOL):
        with module.running(*exercises.KNOWN, period_us=1000, batch=64):
            for context in exercises.KNOWN:
                metrics.wait_for_cycles(context, 20)
        ktap.note(f"{metrics.Metrics().check_idle().allocated()} pages came and went")
        # Pages that hard interrupts give back are freed a moment later.
        module.wait_until(lambda: all(numbers == (0, 0) for numbers in lines().values()),
                          "lines without pages")


def pages_of_a_pool():
    """A page from a pool is in its caller's line until it is given back, and then in the line of
    held pages."""
    def held_is_what_the_pool_has():
        now = metrics.Metrics()
        return pages(HELD) == now.total("pool_cached") + now.total("pool_reserved")

    with profiling(), module.loaded(pool_cache=64, pool_reserve=64, prime=64):
        module.wait_until(lambda: metrics.Metrics().total("pool_reserved") == 64, "a reserve")
        assert metrics.Metrics().total("pool_cached") > 0, "nothing was primed"
        module.wait_until(held_is_what_the_pool_has, "as many held pages as there are in the pool")
        for context in ("spinlock", "task"):
            wanted = HELD_BY[context]
            with module.running(context, pool=1, **HOLD):
                now = charged(EVERYBODY, wanted)
                assert sum(now[name] for name in CALLERS[context]) == wanted, f"{context}: {now}"
                module.wait_until(held_is_what_the_pool_has, f"{context}: held is what is left")
            hits = metrics.Metrics().total("pool_requests_total", tier="cache", outcome="hit")
            assert hits > 0, "no page came from the cache; the case is of no use"
            assert not pages(*CALLERS[context]), f"{context} has stopped: {lines()}"
            module.wait_until(held_is_what_the_pool_has, f"{context}: held is all there is")
        ktap.note(f"{pages(HELD)} held pages, {hits} requests served by the cache")


def callers_in_c():
    """A C module has a line for each place where it gets blocks, with the blocks that it holds."""
    order, bulk = 1, 16

    def holds(function, blocks):
        return any(line[:2] == (blocks * PAGE << order, blocks)
                   for line in lines_of(consumer.C) if line[4] == function)

    with profiling(), module.loaded(), consumer.loaded(consumer.C, order=order):
        module.write(consumer.parameter("run"), 1)
        module.wait_until(lambda: holds("expired", bulk * CPUS), "the blocks of the timers")
        module.wait_until(lambda: holds("thread_function", 1), "the block of the thread")
        module.write(consumer.parameter("run"), 0)
        found = [line for line in lines_of(consumer.C)
                 if line[4] in ("expired", "one_page", "thread_function")]
        ktap.note(", ".join(f"{path}:{line} {name}" for _, _, path, line, name in found))
        assert len(found) == len({line[3] for line in found}) == 4, f"not four lines: {found}"
        assert not any(line[1] for line in found), f"stopped, but has blocks: {found}"


def page_of_a_process():
    """A page that a process has mapped is in a line of its own as long as it is mapped."""
    def charged_pages():
        return [line[:2] for line in lines_of(module.NAME) if line[4] == "user_page"]

    with profiling(), module.loaded(**NO_POOL):
        assert charged_pages() == [(0, 0)], lines_of(module.NAME)
        fd = os.open("/dev/labyrinth", os.O_RDWR | os.O_CLOEXEC)
        try:
            with mmap.mmap(fd, PAGE), mmap.mmap(fd, PAGE):
                assert charged_pages() == [(2 * PAGE, 2)], lines_of(module.NAME)
        finally:
            os.close(fd)
        assert charged_pages() == [(0, 0)], lines_of(module.NAME)


def pages_of_a_driver():
    """A page and a block that a driver in Rust has charged are in lines of their own. A page that
    it gives to the kernel crate, which cannot take the page off that line, is in none."""
    def holding(what):
        module.write(transfers.file("hold"), what)
        return {line[4]: line[:2] for line in lines_of(transfers.NAME) if line[1]}

    with profiling(), module.loaded(**NO_POOL), drivers.loaded(transfers.NAME):
        for what, wanted in [("page", {"held_page": (PAGE, 1)}),
                             ("block", {"held_block": (4 * PAGE, 1)}),
                             ("uncached", {"held_block": (4 * PAGE, 1)}),
                             # The kernel frees the uncached block later.
                             ("page", {"held_page": (PAGE, 1)}),
                             ("given", {}),
                             ("nothing", {})]:
            found = holding(what)
            assert found == wanted, f"{what}: {found}"
            module.wait_until(lambda: lines()[HELD][1] == (what == "given"), f"{what} is held")
            held = lines()[HELD]
            assert held == ((PAGE, 1) if what == "given" else (0, 0)), f"{what}: held is {held}"


def switched_on_under_way():
    """Pages that were allocated before profiling was on are in no line, and freeing them makes
    no line negative."""
    with profiling(on=False), module.loaded(**NO_POOL):
        with module.running("spinlock", **HOLD):
            now = charged(EVERYBODY, HELD_BY["spinlock"])
            assert not any(now.values()), f"profiling is off, but: {now}"
            with profiling():
                now = {name: pages(name) for name in EVERYBODY}
                assert not any(now.values()), f"pages of before: {now}"
                module.stop("spinlock")
                now = {name: pages(name) for name in EVERYBODY}
                assert not any(now.values()), f"after pages of before were freed: {now}"


def switched_off_under_way():
    """Pages that are charged when profiling ends are still taken off their callers' lines."""
    names = CALLERS["spinlock"]
    with profiling(), module.loaded(**NO_POOL):
        with module.running("spinlock", **HOLD):
            charged(names, HELD_BY["spinlock"])
            module.write(SWITCH, 0)
        assert not pages(*names), f"freed while profiling was off, but: {lines()}"
        # The kernel does not count frees while profiling is off, so these pages remain.
        ktap.note(f"{lines()[HELD][1]} pages are left in the kernel's own count")


ktap.main(lines_say_where, callers_apart, callers_together, balanced_after_much,
          pages_of_a_pool, callers_in_c, page_of_a_process, pages_of_a_driver,
          switched_on_under_way, switched_off_under_way)
