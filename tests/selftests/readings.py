#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak
# Covers: rust/stats rust/debugfs rust/ffi/percpu/counters.rs README.md
# Takes: 25 s
"""The numbers of one read belong together, whatever is recorded and reset meanwhile. The reports
count exactly the work that was done."""

import contextlib
import itertools
import mmap
import os
import pathlib
import re
import threading
import time

from lib import ktap, metrics, module
from lib.latency import Latency
from lib.table import PERCENTILES, Table

STORM_SECONDS = ktap.soak(10, 900)
# The least number of reads, even on a slow machine.
LEAST_READS = 30
RESET_MS = 2
GUARDS = ("guard", "sentinel_check")
USERS = ("map_user", "return_user")
USER_PAGES = 20
# The edges of the histograms in `metrics` are these powers of two.
POWERS = range(5, 37)


@contextlib.contextmanager
def repeated(action):
    """Repeats an action in a thread. An exception of the action is raised at the end of the
    block."""
    errors, over = [], threading.Event()

    def loop():
        try:
            while not over.is_set():
                action()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if errors:
        raise errors[0]


def reset():
    """Resets all counters."""
    module.write(module.file("reset"), 1)


def reset_now_and_then():
    """Resets all counters, and waits for the time of the next reset."""
    reset()
    time.sleep(RESET_MS / 1000)


def use_a_page():
    """Maps a page for a moment."""
    fd = os.open("/dev/labyrinth", os.O_RDWR | os.O_CLOEXEC)
    try:
        with mmap.mmap(fd, mmap.PAGESIZE):
            pass
    finally:
        os.close(fd)


@contextlib.contextmanager
def full_load():
    """Runs every exercise on every CPU, with the pool and without, with guards and without."""
    settings = {"period_us": 100, "batch": 16, "hold_us": 0}
    with module.running("timer_softirq", pool=1, guard=1, **settings), \
            module.running("spinlock", pool=0, **settings), \
            module.running("task", pool=1, guard=1, **settings), \
            module.running(*set(module.CONTEXTS) - {"timer_softirq", "spinlock", "task"}, pool=1,
                           **settings):
        metrics.wait_for_all()
        yield


def check_metrics():
    """Checks that the families with latencies agree with themselves and with the outcomes.
    Returns the metrics."""
    now = metrics.Metrics().check()
    samples = now.samples()
    by = {}
    for (name, labels), value in samples.items():
        by.setdefault(name, {})[labels] = value
    for family, counter in (("page_alloc", "page_alloc_total"), ("transfer", "transfer_total")):
        quantiles = by.get(f"{family}_latency_quantile_seconds", {})
        for labels, count in by[f"{family}_latency_seconds_count"].items():
            what = f"{family} {dict(labels)}"
            edges = [quantiles.get(tuple(sorted((*labels, ("quantile", quantile)))))
                     for quantile in ("0.0", "0.5", "0.9", "0.99", "0.999", "1.0")]
            total = by[f"{family}_latency_seconds_sum"][labels]
            outcomes = sum(by[counter][tuple(sorted((*labels, ("outcome", outcome))))]
                           for outcome in ("success", "failure"))
            if count:
                assert None not in edges and edges == sorted(edges), f"{what}: {edges}"
                # A float has only 53 bits.
                assert edges[0] * count * 0.999 <= total <= edges[-1] * count * 1.001, \
                    f"{what}: {count} of {edges}, {total} in all"
            else:
                assert not any(edges) and total == 0, f"{what}: {edges}, {total} in all"
            # Pages that were in flight at the last reset count as outcomes without a latency.
            if dict(labels).get("transfer") not in ("into_foreign", "from_foreign"):
                assert count <= outcomes, f"{what}: {count} latencies of {outcomes}"
    return now


def storm():
    """Under full load the numbers agree, with a reset every few milliseconds and one right before
    each read."""
    seen, reads = set(), 0
    with module.loaded(prime=64, pool_cache=64, pool_reserve=64):
        with full_load(), repeated(reset_now_and_then), repeated(use_a_page):
            end = time.monotonic() + STORM_SECONDS
            while time.monotonic() < end or reads < LEAST_READS:
                reset()
                now = Latency().check()
                for one in (now.series, now.tiers, now.transfers):
                    seen |= {name for name, histogram in one.items() if histogram.count}
                reset()
                Table().check()
                if reads % 4 == 0:
                    reset()
                    check_metrics()
                reads += 1
        # The counters of the pool begin at its last reset, so they do not add up to its level.
        metrics.Metrics().check_idle()
    ktap.note(f"{reads} rounds of resets and reads; samples of {sorted(map(str, seen))}")
    wanted = {("timer_softirq", "GFP_ATOMIC"), ("spinlock", "GFP_ATOMIC"), ("task", "GFP_ATOMIC"),
              ("task", "GFP_KERNEL"), ("hard_irq", "nolock"), "cache", "buddy", *GUARDS, *USERS}
    assert wanted <= seen, f"never had a sample: {wanted - seen}"


def without_resets():
    """Under full load each read has as many latencies as outcomes, and no counter decreases."""
    with module.loaded(prime=64):
        with full_load(), repeated(use_a_page):
            before = None
            for _ in range(10):
                now = check_metrics()
                for family in ("page_alloc", "transfer"):
                    counts = now.total(f"{family}_latency_seconds_count")
                    outcomes = now.total(f"{family}_total")
                    assert counts == outcomes, f"{family}: {counts} latencies of {outcomes}"
                if before:
                    now.check_after(before)
                before = now
                Latency().check()
                Table().check()
        metrics.Metrics().check_idle().check_pool()


def seconds(nanos):
    """Returns a number as `metrics` writes it."""
    return f"{nanos // 10**9}.{nanos % 10**9:09}"


def agree(text, family, labels, histogram, step, quantiles):
    """Checks that the lines of one histogram in `metrics` agree with `latency`."""
    name = f"labyrinth_{family}_latency"
    below = [f'{name}_seconds_bucket{{{labels},le="{seconds(2**power - 1)}"}} '
             f"{histogram.below(2**power)}\n" for power in POWERS[::step]]
    rest = [f'{name}_seconds_bucket{{{labels},le="+Inf"}} {histogram.count}\n',
            f"{name}_seconds_count{{{labels}}} {histogram.count}\n",
            f"{name}_seconds_sum{{{labels}}} {seconds(histogram.total)}\n"]
    assert "".join(below + rest) in text, f"{family} {labels}: not in metrics: {below + rest}"
    spans = {"0.0": histogram.least, "1.0": histogram.most} | {
        str(share / 10_000): histogram.percentile(share) for share in PERCENTILES.values()}
    for quantile, nanos in spans.items() if quantiles else ():
        line = f'{name}_quantile_seconds{{{labels},quantile="{quantile}"}}'
        assert nanos is None and line not in text or f"{line} {seconds(nanos)}\n" in text, \
            f"{line}: not {nanos} ns"


def all_reports_agree():
    """At rest `stats`, `latency` and `metrics` agree about the work that was done, in their
    units."""
    start = time.monotonic_ns()
    with module.loaded(prime=64, pool_reserve=64):
        with module.running(*module.CONTEXTS, period_us=1000, batch=16, pool=1, guard=1):
            metrics.wait_for_all()
            for _ in range(USER_PAGES):
                use_a_page()
            time.sleep(1)
        elapsed = time.monotonic_ns() - start
        table, latency, now = Table().check(), Latency().check(), check_metrics()
        text = now.check_idle().check_pool().text
        assert f"labyrinth_clock_read_seconds {seconds(table.clock_ns)}\n" in text
        assert len(latency.series) == len(table.series) == 5, f"{latency.series.keys()}"
        for (context, gfp), one in latency.series.items():
            line = table.series[context, gfp]
            labels = f'context="{context}",gfp="{gfp}"'
            assert one.count > 0, f"{context} {gfp} has not run"
            agree(text, "page_alloc", labels, one, 1, True)
            for outcome in ("success", "failure"):
                assert now.total("page_alloc_total", context=context, gfp=gfp, outcome=outcome) \
                    == line[outcome], f"{context} {gfp}: {outcome}"
            assert line["success"] + line["failure"] == one.count, f"{context} {gfp}: {line}"
            compare(line, one)
            # Each latency includes a clock read, and their sum is at most the time that has passed.
            assert one.total >= one.count * table.clock_ns // 2, f"{one.name}: {one.total} ns"
            assert one.total <= elapsed * 2 * os.cpu_count(), f"{one.name}: {one.total} ns"
        for tier, one in latency.tiers.items():
            agree(text, "page_alloc_tier", f'tier="{tier}"', one, 1, False)
            # All other requests went to the pool. A latency counts for the tier that was tried
            # last.
            others = latency.series["task", "GFP_KERNEL"].count if tier == "buddy" else 0
            assert now.served(tier, pool="default") <= one.count - others \
                <= now.asked(tier, pool="default"), f"{tier}: {one.count} latencies"
        assert latency.transfers.keys() == table.transfers.keys() == {*GUARDS, "unguard", *USERS}, \
            f"{latency.transfers.keys()}, {table.transfers.keys()}"
        for kind, one in latency.transfers.items():
            agree(text, "transfer", f'transfer="{kind}"', one, 2, True)
            compare(table.transfers[kind], one)
            assert now.total("transfer_total", transfer=kind, outcome="success") == one.count, kind
        # Each page of an exercise was guarded once, and checked once, when it was freed.
        guarded = now.allocated() - USER_PAGES
        for kind in GUARDS:
            assert latency.transfers[kind].count == guarded, f"{kind}: not {guarded}"
        for kind in USERS:
            assert latency.transfers[kind].count == USER_PAGES, f"{kind}: not {USER_PAGES}"
        reset()
        now, table = check_metrics(), Table().check()
        assert not any(one.count for one in Latency().check().series.values())
        assert not any(line["max"] for line in table.series.values()) and not table.transfers
        assert now.total("page_alloc_latency_seconds_count") == now.allocated() == 0


def compare(line, histogram):
    """Checks a line of `stats` against `latency`."""
    extremes = histogram.least, histogram.most
    assert (line["min"], line["max"]) == extremes, f"{line}, {vars(histogram)}"
    for name, share in PERCENTILES.items():
        assert line[name] == histogram.percentile(share), f"{name}: {line}, {vars(histogram)}"


def outcomes_only():
    """While the clock is not read there are outcomes and no latencies. This holds for transfers,
    too."""
    with module.loaded():
        module.write(module.file("recording"), 2)
        with module.running(*module.CONTEXTS, period_us=1000, batch=16, pool=1, guard=1):
            metrics.wait_for_all()
        now = check_metrics().check_idle()
        assert now.total("transfer_total", transfer="guard") == now.allocated() > 0
        for name in ("page_alloc", "transfer"):
            for end in ("count", "sum"):
                assert now.total(f"{name}_latency_seconds_{end}") == 0, f"{name}: {end}"
        module.write(module.file("recording"), 0)
        with module.running(*module.CONTEXTS, period_us=1000, batch=16, guard=1):
            time.sleep(0.3)
        assert metrics.Metrics().allocated() == now.allocated(), "counted while recording is off"


def shape(line):
    """Returns a line with all numbers replaced, to compare its shape."""
    return re.sub(r"#+", "#", re.sub(r" +", " ", re.sub(r"\d+(?:\.\d+)?", "0", line)))


def readme_shows_what_is_printed():
    """The example in README.md has the lines and columns of `stats` and `latency`."""
    text = pathlib.Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    stats, latency = re.search(r"^stats after .*:\n\n((?:.*\n)+?)\nthe first lines of latency:\n\n"
                               r"((?:.*\n)+?) *\.\.\.\n", text, re.M).groups()
    with module.loaded():
        with module.running(*module.CONTEXTS):
            metrics.wait_for_all()
            # So many cycles fill several buckets.
            metrics.wait_for_cycles("timer_softirq", 30)
        printed = [module.read(module.file(name)).splitlines() for name in ("stats", "latency")]
    for shown, now in zip((stats.splitlines(), latency.splitlines()), printed):
        # Text without numbers must be at the same place, too.
        for line, other in itertools.zip_longest(shown, now[:len(shown)], fillvalue=""):
            assert shape(line) == shape(other), f"{line!r} in README.md, {other!r} is printed"
            if not re.search(r"(?<![\w.])\d", line):
                assert line == other, f"{line!r} in README.md, {other!r} is printed"
    assert len(stats.splitlines()) == len(printed[0]), f"not all in README.md: {printed[0]}"


ktap.main(readme_shows_what_is_printed, storm, without_resets, all_reports_agree, outcomes_only)
