#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check check-debug soak soak-debug
# Covers: rust/exercise rust/stats rust/pool
# Takes: 9 s
"""All exercises run at once with the hardest settings, and the counts are consistent at each
read."""

import os
import random
import time

from lib import faults, ktap, metrics, module

SECONDS = ktap.soak(8, 300)
# A debug kernel under this load answers slowly.
READS = 5 if os.path.isdir(faults.FOLDER) else 10


def books_balance_under_load():
    """The numbers agree at each of many reads while settings change."""
    rng = random.Random(1)
    reads = 0
    with module.loaded():
        with module.running(*module.CONTEXTS, period_us=100, batch=64, hold_us=0):
            end = time.monotonic() + SECONDS
            before = metrics.Metrics().check()
            # Read this many times, even on a slow machine.
            while time.monotonic() < end or reads < READS:
                module.tune(rng.choice(module.CONTEXTS), batch=rng.choice((1, 16, 256, 4096)),
                            hold_us=rng.choice((0, 50, 2000, 50_000)),
                            period_us=rng.choice((100, 1000, 5000)))
                before = metrics.Metrics().check().check_after(before)
                reads += 1
        after = metrics.Metrics().check_idle()
    ktap.note(f"{after.allocated()} pages on {os.cpu_count()} CPUs, {reads} reads")
    for context in module.CONTEXTS:
        assert after.allocated(context=context) > 0, f"{context} did nothing"


ktap.main(books_balance_under_load)
