# SPDX-License-Identifier: GPL-2.0
"""Reads the numbers in `metrics`, and checks that they are consistent, as they must be at each
read."""

import collections
import re

from lib import module

TIERS = ("cache", "buddy", "reserve", "emergency")
# The contexts of requests to pools.
CONTEXTS = ("task", "softirq", "spinlock", "irqs_off")

_SAMPLE = re.compile(r"^labyrinth_(\w+)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


# The transfers of one kind.
Transfers = collections.namedtuple("Transfers", "successes failures samples nanos", defaults=(0, 0))


def _number(text):
    return float(text) if "." in text or "e" in text else int(text)


class Metrics:
    """One read of `metrics`. Lines are parsed only on demand, because under emulation parsing all
    of them takes five times as long as reading the file."""

    def __init__(self, text=None):
        if text is None:
            text = module.read(module.file("metrics"))
        assert text.endswith("# EOF\n"), f"metrics is cut off: {text[-80:]!r}"
        self.text = text

    def samples(self):
        """All samples by name and labels."""
        samples = {}
        for line in self.text.splitlines():
            if line.startswith("#"):
                continue
            match = _SAMPLE.match(line)
            assert match, f"no sample: {line!r}"
            name, labels, value = match.groups()
            key = (name, tuple(sorted(_LABEL.findall(labels or ""))))
            assert key not in samples, f"twice: {line!r}"
            samples[key] = _number(value)
        return samples

    def total(self, name, **labels):
        """The sum of the samples with this name and these labels. There must be at least one."""
        wanted = set(labels.items())
        found = [_number(value) for has, value in self._named(name)
                 if not wanted or wanted <= set(_LABEL.findall(has))]
        assert found, f"no sample {name} {labels}"
        return sum(found)

    def _named(self, name):
        """The labels and the value of each sample with this name. They are consecutive lines,
        between comments."""
        start = f"\nlabyrinth_{name}"
        at, family_end = self.text.find(start), None
        while at >= 0:
            end = self.text.index("\n", at + 1)
            rest = self.text[at + len(start):end]
            # If not, the line has a longer name.
            if rest[0] in "{ ":
                labels, _, value = rest.rpartition(" ")
                yield labels, value
                family_end = family_end or self.text.index("\n#", at)
            at = self.text.find(start, end, family_end)

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

    def transfers(self):
        """The transfers so far, by kind."""
        def by_kind(name):
            found = {}
            for labels, value in self._named(name):
                labels = dict(_LABEL.findall(labels))
                found[labels["transfer"], labels.get("outcome")] = _number(value)
            return found

        total, count, seconds = map(by_kind, ("transfer_total", "transfer_latency_seconds_count",
                                              "transfer_latency_seconds_sum"))
        return {kind: Transfers(successes, total[kind, "failure"], count[kind, None],
                                round(seconds[kind, None] * 1e9))
                for (kind, outcome), successes in total.items() if outcome == "success"}

    def cycles(self, context):
        """Batches begun."""
        return self.total("exercise_cycles_total", context=context)

    def check(self):
        """Checks what must be true at each read, even while exercises run."""
        assert self.allocated() == self.freed() + self.in_flight(), \
            f"{self.allocated()} allocated, {self.freed()} freed, {self.in_flight()} in flight"
        # A negative number would be shown as an unsigned one of 64 bits.
        assert 0 <= self.in_flight() < 1 << 40, f"{self.in_flight()} in flight"
        assert self.total("exercise_corruptions_total") == 0, "pages were corrupted"
        return self

    def check_idle(self):
        """Checks what must be true when no exercise runs."""
        self.check()
        assert self.in_flight() == 0, f"{self.in_flight()} pages in flight at rest"
        assert self.total("exercise_running") == 0, "something still runs"
        return self

    def served(self, tier, **labels):
        """Requests that a tier of the pool served."""
        return self.total("pool_requests_total", tier=tier, outcome="hit", **labels)

    def missed(self, tier, **labels):
        """Requests that a tier of the pool was asked for and could not serve."""
        return self.total("pool_requests_total", tier=tier, outcome="miss", **labels)

    def asked(self, tier, **labels):
        """Requests that a tier of the pool was asked for."""
        return self.served(tier, **labels) + self.missed(tier, **labels)

    def cached(self):
        """Pages in the per-CPU caches."""
        return self.total("pool_cached")

    def reserved(self):
        """Pages in the reserve."""
        return self.total("pool_reserved")

    def handed_out(self, **labels):
        """Pages that the pools have handed out, less those that they have taken back."""
        return sum(self.served(tier, **labels) for tier in TIERS) - sum(
            self.total(f"pool_{way}_total", **labels)
            for way in ("recycle_cached", "recycle_reserve", "released"))

    def pools(self):
        """The names of all pools."""
        return [dict(_LABEL.findall(labels))["pool"] for labels, _ in self._named("pool_reserved")]

    def check_pool(self):
        """Checks what must hold for each pool while no request is under way."""
        samples, pools = self.samples(), self.pools()
        assert pools, "there is no pool"
        for pool in pools:
            def value(name, **labels):
                return samples[name, tuple(sorted({"pool": pool, **labels}.items()))]

            self._check_levels(pool, value)
            for context in CONTEXTS:
                self._check_path(f"pool {pool}, {context}",
                                 lambda name, c=context, **labels: value(name, context=c, **labels),
                                 context != "irqs_off")
        return self

    @staticmethod
    def _check_levels(pool, value):
        """Checks that the pages that came to a tier of a pool, less those that went, are there."""
        def summed(name, **labels):
            return sum(value(name, context=context, **labels) for context in CONTEXTS)

        cached = summed("pool_recycle_cached_total") + value("pool_cache_refill_pages_total") \
            - value("pool_cache_drain_pages_total") \
            - summed("pool_requests_total", tier="cache", outcome="hit")
        assert value("pool_cached") == cached, \
            f"pool {pool}: {value('pool_cached')} cached; the counters say {cached}"
        reserved = summed("pool_recycle_reserve_total") + value("pool_reserve_refill_pages_total") \
            - value("pool_reserve_drain_pages_total") \
            - summed("pool_requests_total", tier="reserve", outcome="hit")
        assert value("pool_reserved") == reserved, \
            f"pool {pool}: {value('pool_reserved')} in reserve; the counters say {reserved}"
        assert reserved <= value("pool_reserve_target"), f"pool {pool}: the reserve overflows"

    @staticmethod
    def _check_path(what, value, asks_buddy):
        """Checks that each request that a tier missed was served by a later tier or failed, and
        that no tier was asked more often than that. `asks_buddy`: all requests that the cache
        cannot serve ask the allocator."""
        served, missed = ([value("pool_requests_total", tier=tier, outcome=outcome)
                           for tier in TIERS] for outcome in ("hit", "miss"))
        failures = value("pool_failures_total")
        assert missed[0] == sum(served[1:]) + failures, \
            f"{what}: the cache missed {missed[0]}, others served {served[1:]}, {failures} failed"
        on_their_way = missed[0]
        for tier, hits, misses in zip(TIERS[1:], served[1:], missed[1:]):
            assert hits + misses <= on_their_way, \
                f"{what}: {tier} was asked {hits + misses} times by {on_their_way}"
            if tier == "buddy" and asks_buddy:
                assert hits + misses == on_their_way, \
                    f"{what}: {tier} was asked {hits + misses} times by {on_their_way}"
            on_their_way -= hits
        assert on_their_way == failures, f"{what}: {on_their_way} unserved, {failures} failed"

    def counters(self):
        """The samples that must never decrease."""
        return {key: value for key, value in self.samples().items()
                if key[0].endswith(("_total", "_count", "_sum", "_bucket"))}

    def check_after(self, earlier):
        """Checks that no counter has decreased since an earlier read."""
        old, new = earlier.counters(), self.counters()
        assert old.keys() == new.keys(), f"samples came or went: {old.keys() ^ new.keys()}"
        for key, value in old.items():
            assert new[key] >= value, f"{key} went from {value} to {new[key]}"
        return self


def wait_for_all():
    """Waits until each exercise has begun a batch since the module was loaded."""
    def begun():
        now = Metrics()
        return all(now.cycles(context) for context in module.CONTEXTS)

    module.wait_until(begun, "a batch of every exercise")


def wait_for_cycles(context, count=1, seconds=60):
    """Waits until an exercise has begun this many more batches."""
    goal = Metrics().cycles(context) + count
    module.wait_until(lambda: Metrics().cycles(context) >= goal,
                      f"{count} cycles of {context}", seconds)


def wait_until_filled(seconds=60):
    """Waits until the reserve is full, no page waits to be freed, and the refill thread sleeps."""
    def filled():
        now = Metrics()
        return now.reserved() == now.total("pool_reserve_target") \
            and now.total("pool_returning") == 0 and module.refill_sleeps()

    module.wait_until(filled, "a full reserve and a sleeping refill thread", seconds)
    return Metrics()
