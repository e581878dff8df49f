#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: soak-debug
# Covers: rust/pool rust/page
# Takes: 60 s
"""The kernel's list of all allocated pages has as many pages of labyrinth as labyrinth reports."""

import os
import re

from lib import books, ktap, metrics, module
from lib.ktap import Skip

PAGES = "/sys/kernel/debug/page_owner"
# The same pages, as one number for each stack. Reading this list takes a second, the other a
# minute.
STACKS = "/sys/kernel/debug/page_owner_stacks/show_stacks"
BOOTED = "page_owner=on"
# The caches can serve all requests, and have space for all returns, so that no page is allocated or
# freed while the lists are read, however long that takes.
CACHE, PRIMED, RESERVE, BATCH = 1024, 512, 256, 100
# These functions are listed where page_owner could not save a stack.
NO_STACK = (b"register_dummy_stack", b"register_failure_stack")


def listed(ours):
    """Returns how many of our pages are in the list of all pages. None may be allocated or freed
    meanwhile."""
    frames, known, lost = set(), 0, 0
    fd = os.open(PAGES, os.O_RDONLY)
    try:
        # Each read returns one allocation.
        while record := os.read(fd, 4096):
            known += 1
            lost += any(name in record for name in NO_STACK)
            if b"labyrinth" not in record and b" 0xffff" not in record:
                continue
            text = record.decode(errors="replace")
            if ours.by_us(text):
                order, frame = re.search(r"via order (\d+),.*\nPFN (0x[0-9a-f]+) ", text).groups()
                assert order == "0", f"not a single page: {text}"
                assert frame not in frames, f"twice in the list: {text}"
                frames.add(frame)
    finally:
        os.close(fd)
    ktap.note(f"page_owner: {len(frames)} of {known} allocations are ours, {lost} are without a stack")
    return len(frames)


def summed(ours):
    """Returns how many of our pages are in the list of stacks."""
    pages = 0
    for entry in module.read(STACKS).split("\n\n"):
        if number := re.search(r"^nr_base_pages: (\d+)", entry, re.M):
            pages += int(number.group(1)) * ours.by_us(entry)
    return pages


def each_page_is_in_one_place():
    """The pages of the kernel's lists are in flight, cached or in reserve. None is left at the
    end."""
    if not os.path.exists(PAGES):
        raise Skip("the kernel has no page_owner (CONFIG_PAGE_OWNER)")
    if BOOTED not in module.read("/proc/cmdline").split():
        raise Skip(f"not booted with {BOOTED}, as `make soak` does")
    ours = books.Books({})
    cpus = os.cpu_count()
    with module.loaded(pool_cache=CACHE, pool_reserve=RESERVE, prime=PRIMED):
        ours.learn()
        pages = PRIMED * cpus + RESERVE
        module.wait_until(lambda: metrics.Metrics().cached() == PRIMED * cpus, "primed caches")
        metrics.wait_until_filled().check_idle().check_pool()
        found = (summed(ours), listed(ours))
        assert found == (pages, pages), f"{found} by page_owner, {pages} in caches and reserve"

        with module.running("timer_softirq", "spinlock", period_us=100_000, batch=BATCH,
                            hold_us=10_000_000, pool=1):
            module.wait_until(lambda: metrics.Metrics().in_flight() == BATCH * 3 * cpus,
                              "everybody to hold pages")
            now, held = metrics.wait_until_filled().check().check_pool(), summed(ours)
            ktap.note(f"{now.in_flight()} in flight, {now.cached()} cached, {now.reserved()} in "
                      f"reserve; page_owner says {held}")
            assert now.in_flight() == now.handed_out()
            assert held == now.in_flight() + now.cached() + now.reserved() == pages
        now = metrics.wait_until_filled().check_idle().check_pool()
        assert now.asked("buddy") == 0, "not all came from the caches"
    left = (summed(ours), listed(ours))
    assert left == (0, 0), f"{left} pages are left after unloading, by page_owner"


ktap.main(each_page_is_in_one_place)
