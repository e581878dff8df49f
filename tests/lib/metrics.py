# SPDX-License-Identifier: GPL-2.0
"""The numbers in `metrics`, and what must hold among them at every read."""

import re

from lib import module

ROOMS = ("cache", "buddy", "reserve", "emergency")

_SAMPLE = re.compile(r"^labyrinth_(\w+)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Metrics:
    """One read of `metrics`."""

    def __init__(self, text=None):
        if text is None:
            text = module.read(module.file("metrics"))
        assert text.endswith("# EOF\n"), f"metrics is cut off: {text[-80:]!r}"
        self.samples = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            match = _SAMPLE.match(line)
            assert match, f"no sample: {line!r}"
            name, labels, value = match.groups()
            key = (name, tuple(sorted(_LABEL.findall(labels or ""))))
            assert key not in self.samples, f"twice: {line!r}"
            self.samples[key] = float(value) if "." in value or "e" in value else int(value)

    def total(self, name, **labels):
        """The sum of the samples with this name and these labels; there has to be one."""
        wanted = set(labels.items())
        found = [value for (sample, has), value in self.samples.items()
                 if sample == name and wanted <= set(has)]
        assert found, f"no sample {name} {labels}"
        return sum(found)

    def allocated(self, **labels):
        """Pages allocated."""
        return self.total("page_alloc_total", outcome="success", **labels)

    def failed(self, **labels):
        """Allocations that failed."""
        return self.total("page_alloc_total", outcome="failure", **labels)

    def freed(self, **labels):
        """Pages freed."""
        return self.total("page_free_total", **labels)

    def in_flight(self):
        """Pages allocated and not freed."""
        return self.total("pages_in_flight")

    def cycles(self, context):
        """Batches begun."""
        return self.total("exercise_cycles_total", context=context)

    def check(self):
        """What holds at every read, whatever goes on meanwhile."""
        assert self.allocated() == self.freed() + self.in_flight(), \
            f"{self.allocated()} allocated, {self.freed()} freed, {self.in_flight()} in flight"
        assert self.in_flight() >= 0, f"{self.in_flight()} in flight"
        assert self.total("exercise_corruptions_total") == 0, "pages were corrupted"
        return self

    def check_idle(self):
        """What holds when no exercise runs."""
        self.check()
        assert self.in_flight() == 0, f"{self.in_flight()} pages in flight at rest"
        assert self.total("exercise_running") == 0, "something still runs"
        return self

    def served(self, room, **labels):
        """Requests that a room of the pool served."""
        return self.total("pool_requests_total", room=room, outcome="hit", **labels)

    def missed(self, room, **labels):
        """Requests that a room of the pool was asked for and could not serve."""
        return self.total("pool_requests_total", room=room, outcome="miss", **labels)

    def asked(self, room, **labels):
        """Requests that a room of the pool was asked for."""
        return self.served(room, **labels) + self.missed(room, **labels)

    def cached(self):
        """Pages in the per-CPU caches."""
        return self.total("pool_cached")

    def reserved(self):
        """Pages in the reserve."""
        return self.total("pool_reserved")

    def handed_out(self):
        """Pages that the pool handed out, less those that it took back."""
        return sum(self.served(room) for room in ROOMS) - sum(
            self.total(f"pool_{way}_total")
            for way in ("recycle_cached", "recycle_reserve", "released"))

    def check_pool(self):
        """What holds of the pool whenever nobody is inside: what came, less what went, is there."""
        cached = self.total("pool_recycle_cached_total") \
            + self.total("pool_cache_refill_pages_total") \
            - self.total("pool_cache_drain_pages_total") - self.served("cache")
        assert self.cached() == cached, f"{self.cached()} cached; the counters say {cached}"
        reserved = self.total("pool_recycle_reserve_total") \
            + self.total("pool_reserve_refill_pages_total") - self.served("reserve")
        assert self.reserved() == reserved, \
            f"{self.reserved()} in reserve; the counters say {reserved}"
        assert self.reserved() <= self.total("pool_reserve_target"), "the reserve overflows"
        # A request goes on to the next room exactly when this one had nothing.
        asked = sum(self.served(room) for room in ROOMS) + self.total("pool_failures_total")
        assert self.asked("cache") == asked, f"{self.asked('cache')} requests, {asked} ends"
        return self

    def counters(self):
        """The samples that must never go backwards."""
        return {key: value for key, value in self.samples.items()
                if key[0].endswith(("_total", "_count", "_sum", "_bucket"))}

    def check_after(self, earlier):
        """No counter went backwards since an earlier read."""
        old, new = earlier.counters(), self.counters()
        assert old.keys() == new.keys(), f"samples came or went: {old.keys() ^ new.keys()}"
        for key, value in old.items():
            assert new[key] >= value, f"{key} went from {value} to {new[key]}"
        return self


def _cycles():
    """Batches begun, by context. Under emulation, understanding all the rest takes as long as
    reading it, which those who wait do over and over."""
    found = re.findall(r'^labyrinth_exercise_cycles_total{context="(\w+)"} (\d+)$',
                       module.read(module.file("metrics")), re.M)
    return {context: int(count) for context, count in found}


def wait_for_all():
    """Waits until every exercise has begun a batch since the module was loaded."""
    module.wait_until(lambda: min(_cycles().values()) > 0, "a batch of every exercise")


def wait_for_cycles(context, count=1, seconds=60):
    """Waits until an exercise has begun that many batches more than now."""
    goal = _cycles()[context] + count
    module.wait_until(lambda: _cycles()[context] >= goal,
                      f"{count} cycles of {context}", seconds)


def wait_until_filled(seconds=60):
    """Waits until the reserve is full, nothing waits to be freed, and the thread that sees to it
    has gone to sleep."""
    def filled():
        now = Metrics()
        return now.reserved() == now.total("pool_reserve_target") \
            and now.total("pool_returning") == 0 and module.refill_sleeps()

    module.wait_until(filled, "a full reserve and a keeper at rest", seconds)
    return Metrics()
