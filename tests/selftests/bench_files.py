#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: soak soak-debug
# Covers: rust/lab
# Takes: 60 s
"""The benchmark behind `make bench` runs on every kernel, though only a machine of its own gives
figures that can be compared."""

import contextlib
import errno
import os
import queue
import threading

from lib import drivers, ktap, module, pressure, symbols

LAB = "labyrinth_lab"
BENCH = f"/sys/kernel/debug/{LAB}/bench/"
# Some of the peers: a page in C and in Rust, and the tiers of a pool.
PEERS = {"empty_c", "empty_rust", "alloc_pages", "exclusive_page", "pool_hit", "pool_reserve",
         "pool_miss", "pool_bulk_miss"}
# The operations that request many pages at once.
BULK = {"alloc_pages_bulk", "exclusive_bulk"}


def page_owner():
    """Whether the kernel records the owner of each page."""
    return os.path.exists("/sys/kernel/debug/page_owner")


def result_of(file):
    """Runs a benchmark. Returns the errno, or 0 if it was not refused."""
    try:
        module.read(BENCH + file)
    except OSError as error:
        return error.errno
    return 0


def lines_of(file):
    """Runs a benchmark. Returns the words of each line, by the first word."""
    found = {}
    for line in module.read(BENCH + file).splitlines():
        kind, *words = line.split()
        found.setdefault(kind, []).append(words)
    return found


# The plans `short` and `full` use up all memory for a moment, in a softirq. On one CPU nothing else
# runs meanwhile. On another CPU kswapd would free inodes of virtiofs, which allocates with
# __GFP_NOFAIL for that, and the kernel warns of such an allocation in kswapd.
@contextlib.contextmanager
def room_for_a_plan():
    """One CPU, and with KASAN, which makes each page slow, only a part of the memory: the kernel
    takes a softirq of a minute for a lockup."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(pressure.one_cpu())
        if symbols.has("kasan_report"):
            stack.enter_context(pressure.full_memory(leave=256 << 20))
        yield


def short_plan():
    """Each peer has its figures."""
    with module.loaded(), drivers.loaded(LAB), room_for_a_plan():
        found = lines_of("short")
        failed = {words[0] for words in found.get("failed", ())}
        # With page_owner, the allocator returns one page for a request for a batch.
        assert failed <= (BULK if page_owner() else set()), found["failed"]
        points = {(peer, int(order), int(batch)): tuple(map(int, figures))
                  for peer, order, batch, _, *figures in found["point"]}
        assert len(points) == len(found["point"]), "a point comes twice"
        missing = {(peer, 0, 1) for peer in PEERS} - set(points)
        assert not missing, f"no figures of {missing}"
        for point, (best, median, worst) in points.items():
            assert 0 < best <= median <= worst, f"{point}: {best} {median} {worst}"
        ktap.note(f"{len(points)} points")


def several_cpus():
    """So it is when several CPUs use a peer at once. PREEMPT_RT has no such benchmark."""
    with module.loaded(), drivers.loaded(LAB):
        if not os.path.exists(BENCH + "scaling"):
            raise ktap.Skip("this kernel has PREEMPT_RT")
        if symbols.has("kasan_report"):
            raise ktap.Skip("KASAN keeps freed objects in quarantine, so memory is used up")
        found = lines_of("scaling")
        cpus = {int(words[1]) for words in found["scale"]}
        assert {1, os.cpu_count()} <= cpus, cpus
        assert all(int(words[5]) > 0 for words in found["scale"])


def one_at_a_time():
    """Of two runs at a time one is refused, and so is another plan until the first run ends."""
    results = queue.Queue()
    with module.loaded(), drivers.loaded(LAB), room_for_a_plan():
        readers = [threading.Thread(target=lambda: results.put(result_of("short")))
                   for _ in range(2)]
        for reader in readers:
            reader.start()
        try:
            first = results.get()
            other_plan = result_of("full") if first == errno.EBUSY else None
        finally:
            for reader in readers:
                reader.join()
    assert (first, other_plan, results.get()) == (errno.EBUSY, errno.EBUSY, 0)


ktap.main(short_plan, several_cpus, one_at_a_time)
