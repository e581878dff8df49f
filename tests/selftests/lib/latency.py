# SPDX-License-Identifier: GPL-2.0
"""Reads the histograms in `latency`, and checks that each is consistent, as it must be at each
read."""

import re

from lib import module

# Each value below 32 has its own bucket. Above, each power of two has 16 buckets, up to 2^36.
BUCKETS = 32 + (36 - 5) * 16 + 1

_HEAD = re.compile(r"(?P<name>[\w :]+): (?P<count>\d+) (?:allocations|transfers), "
                   r"sum (?P<total>\d+) ns"
                   r"(?:, min (?P<least>\d+) ns, max (?P<most>\d+) ns)?")
_BUCKET = re.compile(r" *(?P<lower>\d+) +(?P<upper>\d+) +(?P<count>\d+) #+")


def bucket_of(value):
    """The number of a value's bucket, computed in another way than by the module."""
    if value < 32:
        return value
    octave = value.bit_length() - 5
    return min((value >> octave) + 16 * octave, BUCKETS - 1)


def lower_edge(bucket):
    """The smallest value of a bucket."""
    if bucket < 32:
        return bucket
    octave = bucket // 16 - 1
    return (bucket - 16 * octave) << octave


def upper_edge(bucket):
    """The largest value of a bucket."""
    return lower_edge(bucket + 1) - 1 if bucket + 1 < BUCKETS else (1 << 64) - 1


class Histogram:
    """The latencies of one kind, in ns. Those of a tier have no minimum and maximum."""

    def __init__(self, head):
        match = _HEAD.fullmatch(head)
        assert match, f"no head of a histogram: {head!r}"
        self.name = match["name"]
        self.count, self.total = int(match["count"]), int(match["total"])
        self.least, self.most = (match[key] and int(match[key]) for key in ("least", "most"))
        self.buckets = {}

    def add(self, line):
        """Adds a line, and checks the edges of its bucket."""
        match = _BUCKET.fullmatch(line)
        assert match, f"{self.name}: no bucket: {line!r}"
        lower, upper, count = map(int, match.groups())
        bucket = bucket_of(lower)
        assert lower == lower_edge(bucket) and bucket not in self.buckets, f"{self.name}: {line!r}"
        wanted = upper_edge(bucket) if self.most is None else min(upper_edge(bucket), self.most)
        assert upper == wanted, f"{self.name}: up to {wanted}: {line!r}"
        assert count > 0 and list(self.buckets) == sorted(self.buckets), f"{self.name}: {line!r}"
        self.buckets[bucket] = count

    def check(self, extremes=True):
        """Checks that the numbers agree with each other."""
        what = f"{self.name}: {vars(self)}"
        assert self.count == sum(self.buckets.values()), what
        assert self.total >= sum(lower_edge(b) * n for b, n in self.buckets.items()), what
        assert self.total <= sum(upper_edge(b) * n for b, n in self.buckets.items()), what
        if not extremes or not self.count:
            assert self.least is None and self.most is None, what
            return self
        assert self.least is not None and self.least <= self.most, what
        assert bucket_of(self.least) == min(self.buckets), what
        assert bucket_of(self.most) == max(self.buckets), what
        assert self.least * self.count <= self.total <= self.most * self.count, what
        return self

    def percentile(self, share):
        """The lowest edge that this share of the values (in ten-thousandths) does not exceed, but at
        most the largest value."""
        rank, seen = -(-self.count * share // 10_000), 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= rank:
                edge = upper_edge(bucket)
                return edge if self.most is None else min(edge, self.most)
        return None

    def below(self, edge):
        """How many values are less than a power of two."""
        return sum(count for bucket, count in self.buckets.items() if lower_edge(bucket) < edge)


class Latency:
    """One read of `latency`: histograms of the series, the tiers and the transfers by name."""

    def __init__(self):
        _, *sections = module.read(module.file("latency")).rstrip("\n").split("\n\n")
        self.series, self.tiers, self.transfers = {}, {}, {}
        for section in sections:
            head, *lines = section.splitlines()
            one = Histogram(head)
            for line in lines:
                one.add(line)
            if one.name.startswith("last asked: "):
                self.tiers[one.name.removeprefix("last asked: ")] = one
            elif " " in one.name:
                self.series[tuple(one.name.split())] = one
            else:
                self.transfers[one.name] = one

    def check(self):
        """Checks that each histogram agrees with itself, and the tiers with the series."""
        for one in (*self.series.values(), *self.transfers.values()):
            one.check()
        for one in self.tiers.values():
            one.check(extremes=False)
        for number in ("count", "total"):
            series, tiers = (sum(getattr(one, number) for one in all_of.values())
                             for all_of in (self.series, self.tiers))
            assert series == tiers, f"{number}: {series} by series, {tiers} by tier"
        return self
