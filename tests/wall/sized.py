# SPDX-License-Identifier: GPL-2.0
"""The part of the experiment about a reserve that sizes itself, for one seed after the other."""

import mmap
import random
import time

import kernel

# The target is half as much again as the largest burst.
LARGEST_TARGET = 1.5
FACTOR = 4
# Bursts of one size, and bursts FACTOR times as large. The last one of each must drop nothing.
SAME, LARGER = 3, 4
HALF_LIFE_MS = 20 * 60 * 1000
# The half-life for the part about calm, where it stands for that of 20 minutes.
SHORT_HALF_LIFE_MS = 1000
HOUR_MS = 3600 * 1000 * SHORT_HALF_LIFE_MS // HALF_LIFE_MS
# The reserve is at rest if it does not change for this long, in seconds, and for this many looks. On
# a busy host, seconds can pass before the refill thread has a turn. Before its first turn after a
# burst, even an empty reserve has its target. A reserve that has its share of the memory tries again
# after a second.
FULL, LOOKS_FULL = 0.1, 20
SHORT, LOOKS_SHORT = 1.5, 100
PATIENCE = 30


class Pool:
    """A pool of the module, with the largest level that was seen."""

    def __init__(self, bound, half_life_ms=HALF_LIFE_MS):
        kernel.write(kernel.WALL + "sized/half_life_ms", half_life_ms)
        kernel.write(kernel.WALL + "sized/bound", bound)
        self.bound, self.most = bound, 0

    def state(self):
        """The state of the reserve and of its bursts."""
        state = kernel.sized_state()
        self.most = max(self.most, state["level"], state["target"])
        return state

    def burst(self, pages):
        """Runs a burst, and returns how many requests failed."""
        kernel.write(kernel.WALL + "sized/burst", pages)
        return self.state()["last_dropped"]

    def settle(self):
        """Waits until the reserve does not change any more."""
        begin = changed = time.monotonic()
        last, looks = None, 0
        while True:
            state = self.state()
            now = time.monotonic()
            if (state["level"], state["target"]) != last:
                last, changed, looks = (state["level"], state["target"]), now, 0
            looks += 1
            full = state["level"] == state["target"]
            needed, times = (FULL, LOOKS_FULL) if full else (SHORT, LOOKS_SHORT)
            if now - changed > needed and looks > times:
                return state
            if now - begin > PATIENCE:
                raise RuntimeError(f"the reserve does not come to rest: {state}")
            time.sleep(0.005)

    @staticmethod
    def remove():
        """Removes the pool."""
        kernel.write(kernel.WALL + "sized/bound", 0)


def bursts(pool, pages, count, fill):
    """Runs bursts against full memory, and returns how many requests of each failed."""
    dropped = []
    for _ in range(count):
        fill()
        dropped.append(pool.burst(pages))
        pool.settle()
    return dropped


def grown(pages, most, fill):
    """Bursts of one size, then larger ones."""
    pool = Pool(min(most, int(2 * LARGEST_TARGET * FACTOR * pages)))
    same = bursts(pool, pages, SAME, fill)
    larger = bursts(pool, FACTOR * pages, LARGER, fill)
    counts = kernel.sized_resizes()
    pool.remove()
    return {"bound": pool.bound, "most": pool.most, "same": same, "larger": larger,
            "resizes": counts}


def calm(pages, most, fill):
    """A burst, then what stands for an hour without any."""
    pool = Pool(most, SHORT_HALF_LIFE_MS)
    fill()
    pool.burst(pages)
    # The reserve may become smaller before it is full, so look at the largest target, too.
    end = time.monotonic() + HOUR_MS / 1000
    while time.monotonic() < end:
        pool.state()
        time.sleep(0.02)
    after = pool.state()
    pool.remove()
    return {"before": pool.most, "after": after["level"], "ms": HOUR_MS}


def tight(pages, fill):
    """Bursts of twice the bound."""
    pool = Pool(pages // 2)
    dropped = bursts(pool, pages, 3, fill)
    level = pool.settle()["level"]
    pool.remove()
    return {"bound": pool.bound, "most": pool.most, "level": level, "dropped": dropped}


def scarce(spare, most):
    """A burst of three times the memory that is free, with hardly any page cache."""
    kernel.drop_page_cache()
    hogs = []
    while kernel.usable()[0] > spare:
        # All memory of this program is locked, so this takes the pages at once.
        step = min(kernel.usable()[0] - spare, 2048)
        hogs.append(mmap.mmap(-1, max(step, 16) * kernel.PAGE))
    kernel.drop_page_cache()
    total_before = kernel.memory()["free"]
    before, reclaimable = kernel.usable()
    pool = Pool(min(most, 8 * spare))
    pool.burst(3 * spare)
    level = pool.settle()["level"]
    after, _ = kernel.usable()
    total_after = kernel.memory()["free"]
    target = pool.state()["target"]
    pool.remove()
    for hog in hogs:
        hog.close()
    return {"free_before": before, "reclaimable": reclaimable, "level": level, "target": target,
            "free_after": after, "total_before": total_before, "total_after": total_after}


def measure(seed, burst, most, filler, slack):
    """Runs all parts for one seed."""
    numbers = random.Random(seed)
    pages = numbers.randint(burst // 2, burst)
    spare = numbers.randint(burst, 3 * burst)

    def fill():
        filler.fill(slack)

    return {"seed": seed, "pages": pages, **grown(pages, most, fill),
            "calm": calm(pages, most, fill), "tight": tight(pages, fill),
            "scarce": scarce(spare, most)}
