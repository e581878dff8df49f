#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak soak-debug
# Takes: 25 s
# Covers: rust/pool rust/capi rust/page/pages.rs rust/page/chain.rs rust/ffi/mm/bad_memory
"""A page that the kernel marks as bad leaves circulation, in whichever tier it is and to
whichever tier it comes back. No other page does."""

import contextlib
import ctypes
import os
import re

from lib import consumer, hwpoison, ktap, metrics, module, tracing
from lib.hwpoison import PAGE, hard_offline, hard_offline_used, said, soft_offline

CACHE, RESERVE = 64, 64
# The number of pages that each case marks.
MARKED = 4
CACHED, FROM_BUDDY, RESERVED = "cache", "buddy", "reserve"
# The number of pages in a part of the memory. After a report, the module checks the pages of that
# part.
PART = 1 << 10
# The pool of the consumer in C.
C_POOL = "consumer_c"


def handed_by(pool):
    """Returns the histogram of the frames that a pool hands out."""
    return "labyrinth/page_alloc", "source,pfn.hex", f'pool == "{pool}" && pfn != 0', 8192


@contextlib.contextmanager
def handed_out(pool="default"):
    """Gives a function that returns the frames that a pool handed out in the block, by tiers."""
    with tracing.histograms(handed=handed_by(pool)) as histograms:
        yield lambda: Frames(histograms["handed"])


class Frames:
    """Page frames by the tiers that they came from. Reading them halts the histogram."""

    def __init__(self, histogram):
        self.histogram = histogram
        self.tiers = {}
        for keys, _ in histogram.entries():
            tier, pfn = re.search(r"source:\s*(\w+).*pfn:\s*([0-9a-f]+)", keys, re.S).groups()
            self.tiers.setdefault(tier, set()).add(int(pfn, 16))

    def of(self, tier):
        """Returns the frames that came from a tier."""
        return sorted(self.tiers.get(tier, ()))

    def all(self):
        """Returns the frames of all tiers."""
        return set().union(*self.tiers.values()) if self.tiers else set()


def poisoned(pool="default"):
    """Returns how many pages a pool has taken out of circulation."""
    return metrics.Metrics().total("pool_poisoned_total", pool=pool)


def wait_for_poisoned(count, pool="default"):
    """Waits until a pool has taken out that many pages, and checks that it takes out no more."""
    module.wait_until(lambda: poisoned(pool) >= count, f"{count} pages to be taken out", 30)
    metrics.wait_until_filled()
    assert poisoned(pool) == count, f"{poisoned(pool)} pages taken out, not {count}"


def rest():
    """Returns the metrics when no page is out; they must agree with each other."""
    now = metrics.wait_until_filled().check_idle().check_pool()
    assert now.handed_out() == 0, f"{now.handed_out()} pages are out"
    return now


def serves(context, cycles, **settings):
    """Runs an exercise on the pool, and returns the frames that it was given."""
    with handed_out() as frames:
        with module.running(context, pool=1, hold_us=0, **settings):
            metrics.wait_for_cycles(context, cycles)
        return frames()


@contextlib.contextmanager
def in_use(context, batch, **settings):
    """Gives the frames that an exercise holds. The exercise frees them when the block ends."""
    with handed_out() as frames:
        # The callers check that this was long enough.
        module.start(context, pool=1, batch=batch, period_us=100_000, hold_us=1_000_000, **settings)
        module.wait_until(lambda: metrics.Metrics().in_flight() >= batch, "pages in use")
        # One cycle is enough.
        module.tune(context, period_us=10_000_000)
        yield sorted(frames().all())
        module.wait_until(lambda: metrics.Metrics().in_flight() == 0, "pages to come back")
        module.stop(context)


def mark_in_use(context, batch):
    """Marks pages while an exercise holds them, waits until it has given them back, and returns
    their frames."""
    count = poisoned()
    with in_use(context, batch) as frames:
        marked = frames[:MARKED]
        hard_offline(*marked)
        assert poisoned() == count, "taken out while they were in use"
        assert metrics.Metrics().in_flight() >= batch, "they were not held for long enough"
    return marked


def not_again(frames, marked, where):
    """Checks that none of the marked pages was handed out again."""
    again = frames.all() & set(marked)
    assert not again, f"{where}: handed out again: {sorted(map(hex, again))}"
    assert len(frames.all()) > 1, f"{where}: no pages to look at"


def while_cached():
    """A page that goes bad in the cache is not handed out by the next request."""
    with said(), module.loaded(pool_cache=CACHE, pool_reserve=0, prime=CACHE):
        full = CACHE * os.cpu_count()
        module.wait_until(lambda: metrics.Metrics().cached() == full, "full caches")
        before = serves("timer_softirq", 4 * os.cpu_count(), period_us=10_000, batch=CACHE)
        assert rest().cached() == full
        # Mark pages at the top, in the middle and at the bottom of the caches.
        marked = before.of(CACHED)[::max(1, len(before.of(CACHED)) // MARKED)][:MARKED]
        hard_offline(*marked)
        after = serves("timer_softirq", 20 * os.cpu_count(), period_us=5_000, batch=CACHE)
        not_again(after, marked, "cache")
        wait_for_poisoned(len(marked))
        now = rest()
        assert now.total("pool_cache_drain_pages_total") == len(marked)


def while_in_use():
    """Pages that go bad while they are in use are taken out when they come back, in any context."""
    with said(), module.loaded(pool_cache=CACHE, pool_reserve=RESERVE):
        count = 0
        for context in ktap.soak(("timer_softirq", "hard_irq"), module.CONTEXTS):
            released = rest().total("pool_released_total")
            marked = mark_in_use(context, 8)
            count += len(marked)
            wait_for_poisoned(count)
            now = rest().total("pool_released_total")
            assert now - released >= len(marked), f"{context}: {now - released} released"
            after = serves(context, 5, batch=4 * CACHE, period_us=20_000)
            not_again(after, marked, context)


def guards_are_left_alone():
    """The guards of a page that has gone bad are not looked at: memory that the hardware has given
    up must not be read. Those of all other pages are."""
    with said(), module.loaded(pool_cache=CACHE, pool_reserve=RESERVE):
        with in_use("timer_softirq", 8, guard=1) as frames:
            marked = frames[:MARKED]
            hard_offline(*marked)
        wait_for_poisoned(len(marked))
        now = rest()
        guarded, checked = (now.total("transfer_total", transfer=kind)
                            for kind in ("guard", "sentinel_check"))
        assert guarded == now.allocated() > len(marked), f"{guarded} pages were guarded"
        assert checked == guarded - len(marked), \
            f"{checked} of {guarded} pages were looked at, {len(marked)} of them are bad"


def while_all_run():
    """Pages that go bad at any time, wherever they are, are not handed out again."""
    settings = {"pool": 1, "batch": 32, "period_us": 5_000}
    # The caches have space for all pages that are out, so only bad pages go back to the allocator.
    with said(), module.loaded(pool_cache=1024, pool_reserve=32, prime=512):
        module.wait_until(lambda: metrics.Metrics().cached() == 512 * os.cpu_count(), "full caches")
        marked = set()
        with handed_out() as frames, module.running(*module.CONTEXTS, **settings):
            for _ in range(ktap.soak(4, 200)):
                metrics.wait_for_cycles("task", 4)
                found = frames()
                chosen = found.of(CACHED)[-1:]
                not_again(found, marked, "all at once")
                marked.update(chosen)
                found.histogram.forget()
                hard_offline(*chosen)
                # Immediately, before the thread that removes bad pages has searched everywhere.
                found.histogram.go_on()
            metrics.wait_for_cycles("task", 20)
            not_again(frames(), marked, "all at once")
        wait_for_poisoned(len(marked))
        assert len(marked) > 1
        rest()


def in_the_reserve():
    """Pages of the reserve that go bad are not handed out, and are replaced."""
    # With only pages of this node, an interrupt gets pages only from cache and reserve.
    with said(), module.loaded(pool_cache=0, pool_reserve=RESERVE, pool_node=0, pool_node_only=1):
        rest()
        settings = {"batch": RESERVE // (os.cpu_count() + 1), "period_us": 10_000}
        before = serves("hard_irq", 20, **settings)
        rest()
        # The reserve was refilled while pages were out, so some of them went to the allocator.
        marked = hard_offline_used(before.of(RESERVED), MARKED)
        after = serves("hard_irq", 40, **settings)
        not_again(after, marked, "reserve")
        wait_for_poisoned(MARKED)
        now = rest()
        assert now.total("pool_reserve_drain_pages_total") == MARKED
        assert now.reserved() == RESERVE
        # Pages can also go bad while they are out.
        marked = mark_in_use("hard_irq", MARKED)
        wait_for_poisoned(2 * MARKED)
        not_again(serves("hard_irq", 40, **settings), marked, "reserve")
        rest()


def left_to_the_refill_thread():
    """Bad pages that interrupts leave to the refill thread are taken out there."""
    with said(), module.loaded(pool_cache=0, pool_reserve=0):
        marked = mark_in_use("hard_irq", 8)
        wait_for_poisoned(MARKED)
        not_again(serves("hard_irq", 20, batch=64, period_us=10_000), marked, "refill thread")
        rest()


def put_after_the_search():
    """A bad page that came into the reserve unseen, after the last search, is not handed out. It is
    taken out when a request finds nothing else there."""
    settings = {"period_us": 10_000, "batch": RESERVE // (os.cpu_count() + 1)}
    with said(), module.loaded(pool_cache=0, pool_reserve=RESERVE, pool_node=0, pool_node_only=1), \
            consumer.loaded(consumer.C):
        rest()
        reported, unseen = of_one_part(in_reserve_after("hard_irq", 20, **settings))
        hard_offline(reported)
        wait_for_poisoned(1)
        rest()
        assert consumer.script(f"flag {unseen}") == [0]
        not_again(serves("hard_irq", 20, **settings), [unseen], "reserve")
        # Request all pages of the reserve, and more.
        after = serves("hard_irq", 5, batch=2 * RESERVE, period_us=100_000)
        not_again(after, [unseen], "empty reserve")
        wait_for_poisoned(2)
        rest()


def in_reserve_after(context, cycles, **settings):
    """Runs an exercise, and returns the frames that came back into the reserve each time that it
    handed them out."""
    with tracing.histograms(
            out=("labyrinth/page_alloc", "pfn.hex", f'source == "{RESERVED}"'),
            back=("labyrinth/page_free", "pfn.hex", f'to == "{RESERVED}"')) as histograms:
        with module.running(context, pool=1, hold_us=0, **settings):
            metrics.wait_for_cycles(context, cycles)
        out, back = ({int(re.search(r"pfn:\s*([0-9a-f]+)", keys).group(1), 16): hits
                      for keys, hits in histograms[name].entries()} for name in ("out", "back"))
    return sorted(pfn for pfn, times in out.items() if back.get(pfn) == times)


def of_one_part(frames):
    """Two frames that are so close that the module looks at both once one was reported."""
    for one, other in zip(frames, frames[1:]):
        if one // PART == other // PART:
            return one, other
    raise AssertionError(f"no two of {len(frames)} frames are in the same 4 MiB")


def blocks_of_c():
    """A block of a C pool with a bad page, whichever page it is, is never handed out again."""
    some = ((0, 0), (1, 1), (3, 0))
    for order, compound in ktap.soak(some, (*some, (1, 0), (3, 1), (6, 0))):
        with said(), module.loaded(), consumer.loaded(consumer.C, order=order, compound=compound):
            with handed_out(C_POOL) as frames:
                module.write(consumer.parameter("run"), 1)
                module.wait_until(lambda: consumer.tally("softirq_bulk") >= 1000, "blocks", 60)
                blocks = frames().of(CACHED)
            # Choose the last page of one block, the first of another, and pages in between.
            chosen = [base + (index * 5 + (1 << order) - 1) % (1 << order)
                      for index, base in enumerate(blocks[:4 * MARKED])]
            near = " || ".join(f"pfn >= {base} && pfn < {base + (1 << order)}"
                               for base in blocks[:4 * MARKED])
            with tracing.histograms(handed=handed_by(C_POOL),
                                    freed=("kmem/mm_page_free", "pfn.hex,order", near)) as counted:
                bad = hard_offline_used(chosen, MARKED)
                counted["handed"].forget()
                counted["handed"].go_on()
                start = consumer.tally("softirq_bulk")
                module.wait_until(lambda: consumer.tally("softirq_bulk") >= start + 3000,
                                  "blocks", 60)
                module.wait_until(lambda: poisoned(C_POOL) == MARKED, "blocks to be taken out",
                                  30)
                not_again(Frames(counted["handed"]), [pfn >> order << order for pfn in bad],
                          f"order {order}, compound {compound}")
                freed_around(bad, order, compound, counted["freed"].entries())
            module.write(consumer.parameter("run"), 0)
            assert consumer.tally("corruptions") == consumer.tally("misshapen") == 0
            metrics.Metrics().check_idle()


def freed_around(bad, order, compound, entries):
    """Checks that each page of a block with a bad page was freed by itself. No block that
    contains the bad page may be freed, because the kernel would hand it out again. Compound
    pages must not be freed at all."""
    freed = {(int(pfn, 16), int(of)) for pfn, of in (
        re.search(r"pfn:\s*([0-9a-f]+), order:\s*(\d+)", keys).groups() for keys, _ in entries)}
    for pfn in bad:
        whole = [(base, of) for base, of in freed if of and base <= pfn < base + (1 << of)]
        assert not whole, f"{pfn:#x} of order {order} is in free blocks: {whole}"
        pages = set(range(pfn >> order << order, (pfn >> order << order) + (1 << order)))
        singly = {page for page, of in freed if of == 0} & pages
        wanted = set() if compound and order else pages
        assert singly == wanted, f"{pfn:#x} of order {order}: {singly} are free, not {wanted}"


def soft_offline_changes_nothing():
    """The kernel refuses to soft-offline a page that is in use, so the pool keeps it."""
    with said(), module.loaded(pool_cache=CACHE, pool_reserve=0, prime=CACHE):
        full = CACHE * os.cpu_count()
        module.wait_until(lambda: metrics.Metrics().cached() == full, "full caches")
        settings = {"period_us": 10_000, "batch": CACHE}
        chosen = serves("timer_softirq", 4 * os.cpu_count(), **settings).of(CACHED)[:MARKED]
        soft_offline(*chosen)
        after = serves("timer_softirq", 20 * os.cpu_count(), **settings)
        assert set(chosen) <= after.all(), "pages are lost that are not bad"
        assert poisoned() == 0
        rest()


def other_peoples_pages():
    """When a page of a process goes bad, no pool counts a loss."""
    with said(), module.loaded(pool_cache=CACHE, pool_reserve=RESERVE, prime=CACHE):
        before = rest()
        area = bytearray(64 * PAGE)
        for at in range(0, len(area), PAGE):
            area[at] = 1
        with open("/proc/self/pagemap", "rb") as f:
            address = (id_of(area) + PAGE) // PAGE
            f.seek(address * 8)
            entry = int.from_bytes(f.read(8), "little")
        frame = entry & ((1 << 55) - 1)
        assert entry >> 63 and frame, "no frame"
        module.write(hwpoison.file("soft"), hex(frame * PAGE))
        module.write(module.file("pool", "prime"), CACHE)
        now = rest()
        assert now.total("pool_poisoned_total") == 0
        assert (now.cached(), now.reserved()) == (before.cached(), before.reserved())


def id_of(area):
    """Returns the address of the contents of a bytearray."""
    return ctypes.addressof(ctypes.c_char.from_buffer(area))


ktap.main(while_cached, while_in_use, guards_are_left_alone, while_all_run, in_the_reserve,
          left_to_the_refill_thread, put_after_the_search, blocks_of_c, soft_offline_changes_nothing,
          other_peoples_pages)
