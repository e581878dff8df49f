# SPDX-License-Identifier: GPL-2.0
"""Finds the page frames that the pool of the exercises hands out."""

import contextlib
import re

from lib import ktap, metrics, module, tracing

# The pool is so small that requests go to all tiers.
SIZES = {"pool_cache": 8, "pool_reserve": 16, "pool_emergency": 64}
# A result needs this number of requests.
REQUESTS = 2000


class Handed:
    """The page frames that were handed out, by tier."""

    def __init__(self, entries):
        self.count, self.frames = 0, {}
        for keys, hits in entries:
            tier, pfn = re.search(r"source:\s*(\w+).*pfn:\s*([0-9a-f]+)", keys, re.S).groups()
            self.frames.setdefault(tier, set()).add(int(pfn, 16))
            self.count += hits

    def all(self):
        """The frames of all tiers."""
        return sorted(set().union(*self.frames.values()))


@contextlib.contextmanager
def requests(**parameters):
    """All contexts request pages in the block. Yields an object that has the result when the block
    ends."""
    result = {}
    with module.loaded(**{**SIZES, **parameters}):
        with tracing.histograms(handed=("labyrinth/page_alloc", "source,pfn.hex",
                                        'pool == "default"', 65536)) as histograms:
            with module.running(*module.CONTEXTS, period_us=2000, batch=48, pool=1):
                yield result
            entries = [(keys, hits) for keys, hits in histograms["handed"].entries()
                       if not re.search(r"pfn:\s*0\s", keys + " ")]
        result["handed"] = Handed(entries)
        result["metrics"] = metrics.Metrics().check_idle().check_pool()


def served():
    """The number of requests that were served so far."""
    now = metrics.Metrics()
    return sum(now.served(tier) for tier in metrics.TIERS)


def handed_with(**parameters):
    """The frames of thousands of requests."""
    with requests(**parameters) as result:
        module.wait_until(lambda: served() >= REQUESTS, f"{REQUESTS} pages", 120)
    handed, now = result["handed"], result["metrics"]
    excluded = now.total("pool_excluded_pages_total")
    ktap.note(f"{parameters}: {handed.count} pages from {len(handed.all())} frames, {excluded} excluded")
    assert handed.count >= REQUESTS
    return handed, excluded
