#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests that each judgement of verdict.py fails for the fault that it is meant to find. Needs no
kernel."""

import copy
import sys

import verdict


def _total(dropped, emergency, reserve):
    return {"asked": 100, "dropped": dropped, "emergency": emergency, "bursts": 1,
            "reserve": reserve, "not_recovered": 0}


def _seed(number):
    return {"seed": number, "pages": 100, "bound": 1000, "most": 600,
            "same": [70, 0, 0], "larger": [250, 0, 0, 0],
            "calm": {"before": 150, "after": 20},
            "tight": {"bound": 50, "most": 50, "level": 50},
            "scarce": {"free_before": 1000, "reclaimable": 100, "level": 750, "target": 3000,
                       "total_before": 1100, "total_after": 350}}


GOOD = {
    "burst": 100,
    "bursts": [{"name": "atomic", "dropped": 5, "clean_cache": 400},
               {"name": "labyrinth", "dropped": 0, "clean_cache": 400}],
    "contestants": {"atomic": _total(5, 2, 0), "labyrinth": _total(0, 1, 100),
                    "labyrinth_consumed": _total(0, 1, 100)},
    "sized": [_seed(1), _seed(2)],
}


def failing(run):
    """The names of the failed judgements."""
    return [name for name, problem in [*verdict.validity(run), *verdict.requirements(run)]
            if problem]


def spoilt(name, change):
    """Whether a change to a good run fails exactly this judgement."""
    run = copy.deepcopy(GOOD)
    change(run)
    return name, failing(run) == [name]


def _set(value, *path):
    def change(run):
        for key in path[:-1]:
            run = run[key]
        run[path[-1]] = value
    return change


CASES = (
    ("a_good_run_passes", failing(GOOD) == []),
    spoilt("atomic_fails", _set(0, "bursts", 0, "dropped")),
    spoilt("clean_page_cache_fills_memory", _set(399, "bursts", 1, "clean_cache")),
    *(case for name in verdict.OURS for case in (
        spoilt(f"{name}_drops_nothing", _set(1, "contestants", name, "dropped")),
        spoilt(f"{name}_recovers_on_its_own", _set(1, "contestants", name, "not_recovered")),
        spoilt(f"{name}_recovers_on_its_own", _set(99, "contestants", name, "reserve")),
        spoilt(f"{name}_spares_the_emergency_reserve",
               _set(2, "contestants", name, "emergency")))),
    spoilt("sized_first_burst_fails", _set(0, "sized", 1, "same", 0)),
    spoilt("sized_third_burst_drops_nothing", _set(1, "sized", 1, "same", 2)),
    spoilt("sized_larger_bursts_are_covered", _set(1, "sized", 0, "larger", 3)),
    spoilt("sized_calm_gives_back", _set(38, "sized", 1, "calm", "after")),
    spoilt("sized_calm_gives_back", _set(20, "sized", 1, "calm", "before")),
    spoilt("sized_bound_is_kept", _set(1001, "sized", 1, "most")),
    spoilt("sized_bound_is_kept", _set(51, "sized", 0, "tight", "most")),
    spoilt("sized_bound_is_kept", _set(49, "sized", 0, "tight", "level")),
    spoilt("sized_leaves_a_quarter", _set(800, "sized", 1, "scarce", "level")),
    spoilt("sized_leaves_a_quarter", _set(400, "sized", 1, "scarce", "level")),
    spoilt("sized_leaves_a_quarter", _set(900, "sized", 1, "scarce", "target")),
    spoilt("sized_leaves_a_quarter", _set(274, "sized", 1, "scarce", "total_after")),
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
