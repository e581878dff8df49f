#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check
# Covers: rust/debugfs/metrics.rs rust/stats tests/modules/consumer_rust
# Takes: 15 s
"""Another project's OpenMetrics parser reads `metrics` while everything runs."""

from lib import consumer, ktap, metrics, module
from lib.ktap import Skip

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
except ImportError:
    text_string_to_metric_families = None

READS = 15
LATENCY = "labyrinth_page_alloc_latency_seconds"
TIER_LATENCY = "labyrinth_page_alloc_tier_latency_seconds"
TRANSFER_LATENCY = "labyrinth_transfer_latency_seconds"
TRANSFERS = 28
FAMILIES = {
    "labyrinth_page_alloc": "counter", "labyrinth_page_free": "counter",
    "labyrinth_pages_in_flight": "gauge", LATENCY: "histogram",
    "labyrinth_exercise_cycles": "counter", "labyrinth_exercise_corruptions": "counter",
    "labyrinth_exercise_running": "gauge", "labyrinth_recording": "gauge",
    "labyrinth_clock_read_seconds": "gauge",
    "labyrinth_guard_corruptions": "counter", "labyrinth_guard_corruption_bytes": "counter",
    "labyrinth_sentinel": "gauge",
    TIER_LATENCY: "histogram",
    "labyrinth_transfer": "counter", TRANSFER_LATENCY: "histogram",
    "labyrinth_pool_requests": "counter", "labyrinth_pool_failures": "counter",
    "labyrinth_pool_recycle_cached": "counter", "labyrinth_pool_recycle_reserve": "counter",
    "labyrinth_pool_released": "counter", "labyrinth_pool_cache_refill_pages": "counter",
    "labyrinth_pool_cache_drain_pages": "counter",
    "labyrinth_pool_reserve_refill_pages": "counter",
    "labyrinth_pool_emergency_pages": "counter", "labyrinth_pool_emergency_budget": "gauge",
    "labyrinth_pool_cached": "gauge", "labyrinth_pool_reserved": "gauge",
    "labyrinth_pool_reserve_target": "gauge", "labyrinth_pool_returning": "gauge",
    "labyrinth_pool_returning_limit": "gauge", "labyrinth_pool_held_back": "counter",
    "labyrinth_user_pages": "gauge", "labyrinth_user_pages_limit": "gauge",
}


def parse(text):
    """Returns the families of a text, by name."""
    if text_string_to_metric_families is None:
        raise Skip("prometheus_client is not installed (package python3-prometheus-client)")
    return {family.name: family for family in text_string_to_metric_families(text)}


def series(families):
    """Returns how many series of allocations there are, and checks that each exercise has one."""
    labels = {(sample.labels["context"], sample.labels["gfp"])
              for sample in families["labyrinth_page_alloc"].samples}
    assert {context for context, _ in labels} == set(module.CONTEXTS), labels
    assert ("task", "GFP_KERNEL") in labels, labels
    return len(labels)


def check_histograms(family, count, allocs=None):
    """Checks that buckets grow and that the last one is the count. At rest the count must be
    that of the allocations."""
    histograms = {}
    for sample in family.samples:
        labels = dict(sample.labels)
        edge = labels.pop("le", None)
        one = histograms.setdefault(tuple(sorted(labels.items())), {"buckets": []})
        if sample.name.endswith("_bucket"):
            one["buckets"].append((float(edge), sample.value))
        else:
            one[sample.name.rsplit("_", 1)[1]] = sample.value
    assert len(histograms) == count, f"{sorted(histograms)}"
    for labels, one in histograms.items():
        edges, counts = zip(*one["buckets"])
        assert list(edges) == sorted(set(edges)), f"{labels}: edges out of order"
        assert list(counts) == sorted(counts), f"{labels}: not cumulative: {counts}"
        assert edges[-1] == float("inf") and counts[-1] == one["count"], f"{labels}: +Inf"
        assert (one["count"] == 0) == (one["sum"] == 0), f"{labels}: sum {one['sum']}"
        if allocs is None:
            continue
        attempts = sum(sample.value for sample in allocs.samples
                       if set(labels) <= set(sample.labels.items()))
        assert one["count"] == attempts, \
            f"{labels}: {one['count']} latencies of {attempts} allocations"


def parsed_under_load():
    """The parser accepts each read. Reads are complete and consistent, and counters never
    decrease."""
    with module.loaded():
        with module.running(*module.CONTEXTS, period_us=1000, batch=32, hold_us=500, pool=1):
            metrics.wait_for_all()
            before = None
            for _ in range(READS):
                text = module.read(module.file("metrics"))
                families = parse(text)
                for name, kind in FAMILIES.items():
                    assert name in families, f"{name} is missing"
                    assert families[name].type == kind, f"{name} is a {families[name].type}"
                    assert families[name].documentation, f"{name} has no HELP"
                check_histograms(families[LATENCY], series(families))
                check_histograms(families[TIER_LATENCY], len(metrics.TIERS))
                check_histograms(families[TRANSFER_LATENCY], TRANSFERS)
                now = metrics.Metrics(text).check()
                assert now.total("exercise_running") == len(module.CONTEXTS)
                if before:
                    now.check_after(before)
                before = now
            assert before.allocated() > 0
        text = module.read(module.file("metrics"))
        metrics.Metrics(text).check_idle().check_pool().check_after(before)
        families = parse(text)
        check_histograms(families[LATENCY], series(families), families["labyrinth_page_alloc"])
        check_histograms(families[TRANSFER_LATENCY], TRANSFERS, families["labyrinth_transfer"])


def histogram_of_a_driver():
    """The parser accepts the histogram of a driver, also after a reset."""
    name = f"labyrinth_{consumer.RUST}_request_seconds"
    with module.loaded(), consumer.loaded(consumer.RUST):
        for _ in range(2):
            family = parse(module.read(module.file("metrics")))[name]
            assert (family.type, family.unit) == ("histogram", "seconds"), family
            check_histograms(family, 2)
            module.write(module.file("reset"), 1)


def parser_refuses_broken_text():
    """The parser refuses broken texts, so its acceptance above means something."""
    with module.loaded():
        text = module.read(module.file("metrics"))
    parse(text)
    counter = "labyrinth_page_free_total{"
    broken = {
        "no EOF": text.replace("# EOF\n", ""),
        "text after EOF": text + "more\n",
        "a label without quotes": text.replace('context="task"', "context=task", 1),
        "a counter without _total": text.replace(counter, "labyrinth_page_free{", 1),
        "a family twice": text.replace("# EOF\n", "") + text,
        "a negative counter": text.replace(f'{counter}context="task"}} 0',
                                           f'{counter}context="task"}} -1'),
        "no value": text.replace("labyrinth_pages_in_flight 0", "labyrinth_pages_in_flight"),
    }
    for what, variant in broken.items():
        assert variant != text, f"{what}: the text to break was not found"
        try:
            parse(variant)
        except ValueError:
            continue
        raise AssertionError(f"the parser accepts {what}")


ktap.main(parsed_under_load, histogram_of_a_driver, parser_refuses_broken_text)
