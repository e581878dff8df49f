#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests that each judgement of judge.py fails for the fault that it is meant to find. Needs no
kernel."""

import copy
import sys

import judge
import report


def _result(source, work, dropped, below_min):
    return {"source": source, "work": work, "clean_cache": 400, "sent": 100,
            "packets": 100 - dropped, "dropped": dropped, "alloc_fail": dropped, "no_page": dropped,
            "no_skb": 0, "missed": 0, "below_min": below_min}


GOOD = {"burst": 100, "results": [
    _result(source, work, dropped, below_min)
    for source, dropped, below_min in (("plain", 5, 9), ("page_pool", 3, 8), ("labyrinth", 0, 7))
    for work in judge.WORKS]}
LOG = "noise\nTRAFFIC-BEGIN\n" + "".join(
    f"{source} {work} {instructions} 10\n" for source in judge.SOURCES for work in judge.COUNTED
    for instructions in (2000, 1000)) + "TRAFFIC-END\n"
COUNTED = report.read_counted(LOG)


def failing(run, counted):
    """The names of the failed judgements."""
    return [name for name, problem in [*judge.validity(run), *judge.requirements(run, counted)]
            if problem]


def spoilt(name, source, work, **values):
    """Whether values in the result of a good run fail exactly this judgement."""
    run = copy.deepcopy(GOOD)
    judge.of(run, source, work)[0].update(values)
    return name, failing(run, COUNTED) == [name]


def slower(work, instructions):
    """Whether more instructions of labyrinth fail exactly the judgement of this work."""
    name = f"{work}_is_not_slower_than_with_page_pool"
    counted = [(source, kind, instructions if (source, kind) == ("labyrinth", work) else before, 10)
               for source, kind, before, _ in COUNTED]
    return name, failing(GOOD, counted) == [name]


CASES = (
    ("a_good_run_passes", failing(GOOD, COUNTED) == []),
    spoilt("plain_drops_packets", "plain", "pktgen", dropped=0, alloc_fail=0, no_page=0,
           packets=100),
    spoilt("page_cache_fills_memory", "page_pool", "tcp", clean_cache=399),
    spoilt("labyrinth_drops_nothing", "labyrinth", "tcp", dropped=1, alloc_fail=1, no_page=1),
    spoilt("labyrinth_drops_nothing", "labyrinth", "udp", dropped=1, alloc_fail=1, no_skb=1),
    spoilt("labyrinth_spares_the_emergency_reserve", "labyrinth", "pktgen", below_min=9),
    spoilt("each_packet_is_counted_once", "page_pool", "pktgen", packets=96),
    spoilt("each_packet_is_counted_once", "page_pool", "pktgen", missed=1),
    spoilt("each_drop_is_a_failed_allocation", "plain", "pktgen", alloc_fail=6),
    spoilt("each_drop_is_a_failed_allocation", "plain", "pktgen", no_skb=1),
    slower("pktgen", 1001), slower("udp", 1011), slower("tcp", 1011),
)

NAMES = sys.argv[1:]
if NAMES == ["--list"]:
    print(*dict(CASES), sep="\n")
    sys.exit()
CASES = [case for case in CASES if not NAMES or case[0] in NAMES]
print(f"KTAP version 1\n1..{len(CASES)}")
for number, (name, passed) in enumerate(CASES, 1):
    print(f"{'ok' if passed else 'not ok'} {number} {name}")
sys.exit(0 if all(passed for _, passed in CASES) else 1)
