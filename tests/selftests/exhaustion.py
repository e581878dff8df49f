#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak-debug
# Covers: rust/exercise rust/stats
# Takes: 13 s
"""Memory is really full, without any injected fault. GFP_ATOMIC really fails, and recovers.

With one CPU online and nothing held between cycles, each burst begins and ends with bottom
halves disabled. So the failure is certain, because nothing can reclaim memory meanwhile. It
affects nobody else, because nothing else runs until all pages are back.
"""

import os
import time

from lib import ktap, metrics, module, pressure

# A burst requests 16 MiB, and half of that is left free.
BATCH = 4096
LEAVE = BATCH * pressure.PAGE // 2
INJECTED = "/sys/kernel/debug/fail_page_alloc/probability"


def exhaust(context):
    """Checks that requests fail while memory is full. Afterwards none fails, and all pages are
    freed."""
    if os.path.exists(INJECTED):
        assert module.read(INJECTED).strip() == "0", "faults are injected; failures prove nothing"
    with module.loaded():
        start = metrics.Metrics().check_idle()
        assert start.failed() == 0
        with pressure.one_cpu(), pressure.full_memory(LEAVE):
            with module.running(context, period_us=100_000, batch=BATCH, hold_us=0):
                module.wait_until(lambda: metrics.Metrics().check().failed(context=context) > 0,
                                  "a real failure of GFP_ATOMIC", 20)
        full = metrics.Metrics().check_idle()
        ktap.note(f"{context}: {full.failed()} of {full.failed() + full.allocated()} "
                  "allocations failed")
        assert full.failed(context=context, gfp="GFP_ATOMIC") > 0

        time.sleep(0.2)
        with module.running(context, period_us=20_000, batch=64, hold_us=0):
            metrics.wait_for_cycles(context, 10)
        after = metrics.Metrics().check_idle()
        assert after.failed() == full.failed(), "still failing with memory free again"
        assert after.allocated() > full.allocated(), "no success with memory free again"


def timer_softirq_runs_out_of_memory():
    """The timer takes all memory."""
    exhaust("timer_softirq")


def spinlock_runs_out_of_memory():
    """The kthread and the timer take all memory, one after the other."""
    exhaust("spinlock")


ktap.main(timer_softirq_runs_out_of_memory, spinlock_runs_out_of_memory)
