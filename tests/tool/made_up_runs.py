#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""made_up_runs.py FOLDER: writes documents as `labyrinth run --json` does. FOLDER/one gets one
document. FOLDER/many gets more than a plot can show, with long names, large numbers, failures and
crossed bounds."""

import json
import pathlib
import random
import sys

EXERCISES = [("timer_softirq", "GFP_ATOMIC"), ("spinlock", "GFP_ATOMIC"), ("task", "GFP_ATOMIC"),
             ("task", "GFP_KERNEL"), ("hard_irq", "nolock")]
TIERS = ("cache", "buddy", "reserve", "emergency")
# Plots tell six runs apart.
MANY = 8


def series(context, gfp, scale):
    """The numbers of an exercise. With a larger scale, there are more and slower requests."""
    buckets, edge = [], 512
    while edge < 1000 * scale:
        step = max(edge // 16, 1)
        if random.random() < 0.7:
            buckets.append({"from_ns": edge, "to_ns": edge + step - 1,
                            "count": random.randrange(1, 1000 * scale)})
        edge += step
    count = sum(bucket["count"] for bucket in buckets)
    failures = count // 1000 if scale > 100 else 0
    return {"context": context, "gfp": gfp, "successes": count - failures, "failures": failures,
            "latency_sum_ns": sum(bucket["from_ns"] * bucket["count"] for bucket in buckets),
            "latency_min_ns": buckets[0]["from_ns"], "latency_max_ns": buckets[-1]["to_ns"],
            "buckets": buckets}


def sample(second, scale, pools):
    """The numbers at a time."""
    return {"seconds": second * 1.01, "successes": second * scale * 1000,
            "failures": second * scale, "headroom": 30_000 - 17 * second,
            "tiers": [{"pool": pool, "tier": tier, "pages": second * scale * (4 - index)}
                      for pool in pools for index, tier in enumerate(TIERS)]}


def document(scale, parameters, pools, offences):
    """A run."""
    return {"schema": "labyrinth/run/1", "kernel": "7.3.4+deb13-cloud-amd64", "cpus": 2,
            "seconds": 60.0, "architecture": "x86_64", "preemption": "lazy",
            "parameters": parameters, "verdict": "fail" if offences else "pass",
            "settings": [{"name": name, "value": value} for name, value in
                         (("period_us", 10_000), ("batch", 16), ("hold_us", 0), ("pool", 1))],
            "series": [series(*exercise, scale) for exercise in EXERCISES],
            "samples": [sample(second, scale, pools) for second in range(1, 61)],
            "offences": [{"context": context, "gfp": gfp, "what": "p99.9=50us was crossed: 1.2 ms"}
                         for context, gfp in offences]}


def main():
    random.seed(1)
    folder = pathlib.Path(sys.argv[1])
    for name in ("one", "many"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    runs = {"one/run.json": document(10, [], ["default"], [])}
    for number in range(MANY):
        name = f"many/2026-11-30-lazy-preemption-second-machine-{number}.json"
        runs[name] = document(10 ** (1 + number % 4), ["isolcpus=2-63,128-191", "mitigations=off"],
                              ["default", "a_driver_with_a_name_of_31_chars"], EXERCISES[:number])
    for name, run in runs.items():
        (folder / name).write_text(json.dumps(run), encoding="utf-8")


main()
