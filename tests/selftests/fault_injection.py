#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check check-debug soak-debug
# Covers: rust/pool rust/exercise rust/stats
# Takes: 8 s
"""Page allocations that fail on purpose are all counted, and none is lost or leaked."""

import math
import os

from lib import exercises, faults, ktap, metrics, module, pressure


def with_faults(context, probability, times, until, **settings):
    """Runs an exercise with faults until a condition holds, and returns the counters."""
    # The refill thread would get faults, too.
    with module.loaded(pool_reserve=0):
        metrics.wait_until_filled()
        with faults.failing(probability, times):
            with module.running(context, **settings):
                until()
            failing = metrics.Metrics().check_idle()
        with module.running(context, **settings):
            metrics.wait_for_cycles(context, 5)
        after = metrics.Metrics().check_idle()
        assert after.failed() == failing.failed(), "allocations fail though no fault is injected"
        assert after.allocated() > failing.allocated(), "no recovery"
    return failing


def everything_fails(context):
    """At 100 % there is no success and no page, and the exercise still runs."""
    got = with_faults(context, 100, -1, lambda: metrics.wait_for_cycles(context, 20),
                      period_us=2000, batch=16)
    assert got.allocated() == 0, f"{got.allocated()} allocations succeeded at 100 %"
    assert got.failed(context=context) >= got.cycles(context) - os.cpu_count(), \
        f"{got.failed(context=context)} failures in {got.cycles(context)} cycles"
    assert got.failed(context=context) == got.failed(), "another context failed"


def a_third_fails(context):
    """At 30 % there are both outcomes, in the right proportion, and every page is freed."""
    def enough():
        now = metrics.Metrics().check()
        return now.allocated() + now.failed() >= 2000

    got = with_faults(context, 30, -1, lambda: module.wait_until(enough, "2000 attempts"),
                      period_us=2000, batch=64)
    attempts = got.allocated() + got.failed()
    expected, spread = 0.3 * attempts, 6 * math.sqrt(0.3 * 0.7 * attempts)
    ktap.note(f"{context}: {got.failed()} of {attempts} failed, {expected:.0f} expected")
    assert abs(got.failed() - expected) <= spread, \
        f"{got.failed()} of {attempts} failed; {expected:.0f} ± {spread:.0f} expected"


def exactly_so_many_fail(context, times):
    """The kernel injects exactly this many faults, and labyrinth counts as many."""
    # The kernel decrements `times` without a lock, which is exact only on one CPU.
    with pressure.one_cpu():
        got = with_faults(context, 50, times,
                          lambda: module.wait_until(lambda: faults.times_left() == 0,
                                                    "all faults injected"),
                          period_us=2000, batch=16)
    assert got.failed() == times, f"{times} faults injected, {got.failed()} counted"
    assert got.failed(context=context) == times, "faults counted for another context"


def cases():
    """Yields each check in each context, under a name of its own."""
    for context in exercises.PLAIN:
        for check, arguments in ((everything_fails, ()), (a_third_fails, ()),
                                 (exactly_so_many_fail, (137,))):
            def case(check=check, context=context, arguments=arguments):
                check(context, *arguments)
            case.__name__ = f"{context}_{check.__name__}"
            yield case


ktap.main(*cases())
