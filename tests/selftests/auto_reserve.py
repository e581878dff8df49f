#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak soak-debug
# Covers: rust/pool rust/capi rust/ffi/trace rust/page/usable.rs
# Takes: 12 s
"""A reserve that sizes itself: its target follows the bursts, within its bounds, and reports say
why. `make wall` has the cases that need full memory."""

import contextlib
import errno
import os
import random
import re
import time

from lib import consumer, kmsg, ktap, metrics, module, tracing
from lib.consumer import pool, script

NAME = "sized"
MOST = 16_384
# The most blocks of the reserve that a CPU keeps.
SHARE = 16
# A window is a sixteenth of it. No window ends during a case.
LONG_MS = 3600 * 1000
REASONS = ("near_end", "refused", "calm", "kept")


@contextlib.contextmanager
def consumers():
    """Loads labyrinth and the consumer in C, on one CPU, for the length of a block."""
    affinity = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(affinity)})
    try:
        with module.loaded(pool_cache=0, pool_reserve=0), consumer.loaded(consumer.C):
            yield
    finally:
        os.sched_setaffinity(0, affinity)


def settled():
    """The metrics once the reserve has its target."""
    return metrics.wait_until_filled().check_pool()


def burst(blocks):
    """A burst that the allocator refuses. Returns how many blocks it got, and the metrics when the
    reserve has its target again."""
    _, got, _ = script("marks below", f"get 0 softirq single {blocks}", "marks usual")
    assert got == 0 or script(f"put 0 softirq single {got}") == [got]
    # Before the refill thread has seen the burst, the reserve may look as if it were full.
    settled()
    time.sleep(0.2)
    return got, settled()


def numbers(now):
    """The target, the high-water mark of the current window, and the decisions by reason."""
    return (now.total("pool_reserve_target", pool=NAME),
            now.total("pool_reserve_high_water", pool=NAME, window="current"),
            {reason: now.total("pool_reserve_resizes_total", pool=NAME, reason=reason)
             for reason in REASONS})


def changed_last(now):
    """The reason of the last change of the target."""
    found = [reason for reason in REASONS
             if now.total("pool_reserve_last_resize", pool=NAME, reason=reason)]
    assert len(found) <= 1, found
    return found[0] if found else None


def grows_after_bursts():
    """From nothing, the second burst is served, and so is a larger one when it comes again. Events
    and metrics have each decision."""
    watched = {"resize": ("labyrinth/resize", "from,to,high_water", f'pool == "{NAME}"')}
    for order in (0, 1):
        with consumers(), tracing.histograms(**watched) as kernel:
            assert script(pool(0, NAME, order, auto=(MOST, LONG_MS))) == [0]
            now = settled()
            assert numbers(now)[0] == 0 and changed_last(now) is None
            got = []
            for blocks in (500, 500, 600, 2000, 2000):
                count, now = burst(blocks)
                got.append(count)
            target, high_water, reasons = numbers(now)
            events = kernel["resize"].entries()
            script("destroy 0")
        ktap.note(f"order {order}: {got} blocks, target {target}, {reasons}")
        # A CPU takes blocks out of the reserve in batches, so a demand is up to a batch too large,
        # or smaller by the blocks that the CPU still had. The thread may see a burst several times,
        # and changes nothing for a last small step.
        assert got[:3] == [0, 500, 600] and 840 <= got[3] <= 930 and got[4] == 2000, got
        assert 2000 - SHARE <= high_water <= 2020, (high_water, target)
        assert 2820 - 2 * SHARE <= target <= 3030, (high_water, target)
        assert reasons["near_end"] >= 1 and reasons["refused"] >= 2, reasons
        assert reasons["calm"] == reasons["kept"] == 0, reasons
        seen = sorted((*map(int, re.findall(r": +(\d+)", keys)), hits) for keys, hits in events)
        assert sum(hits for *_, hits in seen) == sum(reasons.values()), (seen, reasons)
        # Each event begins with the target of the one before.
        assert [0, *(to for _, to, *_ in seen)] == [*(begin for begin, *_ in seen), target], seen


def never_above_the_bound():
    """The bounds hold, however large the bursts are."""
    with consumers():
        assert script(pool(0, NAME, reserve=16, auto=(700, LONG_MS))) == [0]
        assert numbers(settled())[0] == 16
        for blocks in (10, 5000, 5000):
            got, now = burst(blocks)
            assert now.total("pool_reserved", pool=NAME) <= 700
        assert got == 700 and numbers(now)[0] == 700, (got, numbers(now))
        script("destroy 0")


def smaller_in_calm():
    """What stands for an hour of calm gives back three quarters, down to the least size. The pages
    are counted."""
    half_life_ms = 800
    with consumers():
        assert script(pool(0, NAME, reserve=32, auto=(MOST, half_life_ms))) == [0]
        settled()
        # The reserve can become smaller before it is full, so the trace has the largest target.
        watched = {"resize": ("labyrinth/resize", "to,reason", f'pool == "{NAME}"')}
        with tracing.histograms(**watched) as kernel:
            assert script("marks below", "get 0 softirq single 3000", "marks usual")[1] == 32
            script("put 0 softirq single 32")
            time.sleep(3 * half_life_ms / 1000)
            after = metrics.Metrics()
            module.wait_until(lambda: numbers(settled())[0] == 32, "the least size")
            events = kernel["resize"].entries()
        largest = max(int(re.search(r"to: +(\d+)", keys).group(1)) for keys, _ in events)
        left = after.total("pool_reserved", pool=NAME)
        now = settled()
        ktap.note(f"{left} of {largest} blocks are left; {numbers(now)[2]}")
        assert largest >= 3000 and left <= largest // 4, (largest, left)
        assert changed_last(now) == "calm" and numbers(now)[2]["calm"] > 5
        assert now.total("pool_reserved", pool=NAME) == 32
        assert now.total("pool_reserve_drain_pages_total", pool=NAME) > 0
        script("destroy 0")


def bursts_of_any_size():
    """For random sizes, the third burst of one size and the fourth of a larger one are served."""
    for _ in range(ktap.soak(2, 20)):
        blocks, factor = random.randint(1, 1900), random.randint(1, 4)
        with consumers():
            assert script(pool(0, NAME, auto=(MOST, LONG_MS))) == [0]
            same = [burst(blocks)[0] for _ in range(3)]
            larger = [burst(factor * blocks)[0] for _ in range(4)]
            script("destroy 0")
        ktap.note(f"{blocks}: {same}, {factor} times: {larger}")
        assert same[0] == 0 and same[2] == blocks
        assert larger[3] == factor * blocks


def refuses_bad_bounds():
    """Bounds that make no sense are refused, and the log says what would be right."""
    with consumers(), kmsg.Provoked() as log:
        for reserve, auto, wanted, said in (
                (0, (0, 0), errno.ERANGE, "out of bounds: 1 to 262144"),
                (17, (16, 0), errno.ERANGE, "out of bounds: 17 to 262144"),
                (0, (262_145, 0), errno.ERANGE, "out of bounds: 1 to 262144"),
                (0, (16, 99), errno.ERANGE, "half_life_ms=99 is out of bounds: 100 or more")):
            assert script(pool(0, NAME, reserve=reserve, auto=auto)) == [-wanted]
            assert any(said in line for line in log.errors()), log.errors()
        assert script(pool(0, NAME, auto=(16, 0)), "destroy 0") == [0, 0]


ktap.main(grows_after_bursts, never_above_the_bound, smaller_in_calm, bursts_of_any_size,
          refuses_bad_bounds)
