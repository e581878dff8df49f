#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak-debug
# Covers: rust/pool rust/pool/exclusion.rs rust/pool/logic/excluded.rs
# Takes: 27 s
"""Excluded memory is never handed out, from any tier and in any context."""

import contextlib
import errno
import os
import re
import time

from lib import faults, kmsg, ktap, metrics, module
from lib.handed import handed_with, requests

PAGE = os.sysconf("SC_PAGE_SIZE")
# The kinds of zones in the order of their bits, with the page frames of each.
DMA, DMA32 = (16 << 20) // PAGE, (4 << 30) // PAGE
ZONES = {"DMA": range(DMA), "DMA32": range(DMA, DMA32), "Normal": range(DMA32, 1 << 52)}


def offered_again():
    """Finds frames that the allocator offers again and again: many frames of one load were also
    handed out in an earlier one. A machine that has just started needs a few loads for that."""
    seen = set()
    for _ in range(10):
        handed, excluded = handed_with()
        assert excluded == 0
        frames = set(handed.all())
        if len(frames & seen) > len(frames) // 2:
            return sorted(frames & seen)
        seen |= frames
    raise AssertionError("the allocator does not come back to any frames")


def never_from_a_range():
    """Excludes half of the frames that the pool would use otherwise. Tiers 1 to 3 are cache,
    buddy and reserve."""
    for _ in range(5):
        frames = offered_again()
        low, high = frames[len(frames) // 4], frames[len(frames) * 3 // 4]
        handed, excluded = handed_with(pool_excluded_start=low * PAGE, pool_excluded_end=(high + 1) * PAGE)
        within = [pfn for pfn in handed.all() if low <= pfn <= high]
        assert not within, f"{len(within)} frames of {low:#x} to {high:#x}, such as {within[:5]}"
        # Repeat until the frames are offered again, as other programs may have taken them.
        if excluded:
            break
    assert excluded > 0, "nothing excluded was ever offered"
    for tier in ("cache", "buddy", "reserve"):
        assert handed.frames.get(tier), f"nothing from tier {tier}"
    # A range excludes a page if it contains one byte of it.
    handed, _ = handed_with(pool_excluded_start=(low + 1) * PAGE - 1, pool_excluded_end=high * PAGE + 1)
    within = [pfn for pfn in handed.all() if low <= pfn <= high]
    assert not within, f"{len(within)} frames of {low:#x} to {high:#x}, such as {within[:5]}"


def never_above_a_limit():
    """Excludes what a device cannot reach, with a limit of 24 bits and with an odd one."""
    frames = handed_with()[0].all()
    for most in ((16 << 20) - 1, frames[len(frames) // 2] * PAGE + PAGE - 1):
        handed, _ = handed_with(pool_highest=most)
        above = [pfn for pfn in handed.all() if (pfn + 1) * PAGE - 1 > most]
        assert not above, f"{len(above)} frames above {most:#x}, such as {above[:5]}"


def managed():
    """Returns the pages of each kind of zone."""
    found = re.findall(r"zone +(\w+)$.*?managed +(\d+)$", module.read("/proc/zoneinfo"),
                       re.M | re.S)
    return {kind: sum(int(pages) for name, pages in found if name == kind) for kind in ZONES}


def never_from_a_zone():
    """Excludes every kind of zone, alone and with others. The allocator can be told to leave the
    highest kinds alone. It offers the other kinds, whose pages are turned away; if it begins
    with those, all requests fail."""
    there = managed()
    ktap.note(f"pages: {there}")
    for zones in (2, 3, 5, 6):
        allowed = [kind for bit, kind in enumerate(ZONES) if not zones >> bit & 1]
        # The allocator begins with the highest allowed kind, and continues with lower ones.
        kinds = list(ZONES)[:list(ZONES).index(allowed[-1]) + 1]
        if [kind for kind in kinds if there[kind]][-1] not in allowed:
            dead_end(pool_excluded_zones=zones)
            continue
        handed, _ = handed_with(pool_excluded_zones=zones)
        wrong = [pfn for pfn in handed.all() if not any(pfn in ZONES[kind] for kind in allowed)]
        assert not wrong, f"zones {zones}: {wrong[:5]}"
    # Such a device can reach only the lowest kind, so the pool rejects each page.
    dead_end(pool_excluded_zones=1, pool_highest=DMA * PAGE - 1)


def dead_end(seconds=0, **parameters):
    """Checks that nothing is handed out or kept, and that requests fail and are counted. Then
    checks for some seconds that the refill thread does not keep searching for memory that does
    not exist."""
    with requests(**parameters) as result:
        for context in ("task", "softirq", "spinlock", "irqs_off"):
            module.wait_until(lambda c=context: metrics.Metrics().total(
                "pool_failures_total", context=c) >= 100, f"failures in {context}")
        start = refill_seconds()
        time.sleep(seconds)
        busy = seconds and (refill_seconds() - start) / seconds
    assert result["handed"].count == 0, f"{parameters}: {result['handed'].all()[:5]}"
    now = result["metrics"]
    assert now.cached() == now.reserved() == 0 and sum(now.served(r) for r in metrics.TIERS) == 0
    assert now.total("pool_excluded_pages_total") > 0
    ktap.note(f"{parameters}: the refill thread works {busy:.0%} of the time")
    # A debug kernel needs more time to search 16 MiB than the refill thread ever waits.
    assert busy < 0.5 or os.path.isdir(faults.FOLDER), \
        f"{parameters}: the refill thread works {busy:.0%} of the time"


def refill_seconds():
    """Returns how long the refill thread has worked."""
    for process in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if process.isdigit() and "labyrinth/refil" in module.read(f"/proc/{process}/comm"):
                # These are utime and stime. Some kernels have no schedstat.
                times = module.read(f"/proc/{process}/stat").rpartition(")")[2].split()[11:13]
                return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
    raise AssertionError("there is no thread labyrinth/refill")


def dead_ends():
    """Excludes all memory, by addresses, by nodes and by a limit."""
    for parameters in ({"pool_excluded_start": 0, "pool_excluded_end": (1 << 64) - 1},
                       {"pool_excluded_nodes": (1 << 64) - 1}, {"pool_highest": PAGE - 1}):
        dead_end(2, **parameters)


def refused():
    """Settings that make no sense are refused, with a reason in the kernel log."""
    for parameters, wanted, says in (
            ({"pool_excluded_start": 8192, "pool_excluded_end": 4096}, errno.EINVAL,
             "pool_excluded_end=4096 is not above pool_excluded_start=8192"),
            ({"pool_excluded_start": 4096, "pool_excluded_end": 4096}, errno.EINVAL,
             "pool_excluded_end=4096 is not above pool_excluded_start=4096"),
            ({"pool_excluded_start": 1}, errno.EINVAL,
             "pool_excluded_end=0 is not above pool_excluded_start=1"),
            ({"pool_highest": PAGE - 2}, errno.ERANGE, f"pool_highest={PAGE - 2} is out of bounds"),
            ({"pool_excluded_zones": 7}, errno.ERANGE, "pool_excluded_zones=7 is out of bounds: 0 to 6"),
            ({"pool_excluded_zones": 8}, errno.ERANGE, "pool_excluded_zones=8 is out of bounds: 0 to 6"),
            ({"pool_node": 0, "pool_node_only": 1, "pool_excluded_nodes": 1}, errno.EINVAL,
             "node 0 is excluded, and no other will do"),
            ({"pool_excluded_end": -1}, errno.EINVAL, None),
            ({"pool_excluded_end": 1 << 64}, errno.ERANGE, None)):
        with kmsg.Provoked() as log:
            try:
                module.load(**parameters)
            except OSError as error:
                assert error.errno in (wanted, errno.EINVAL) if says is None else \
                    error.errno == wanted, f"{parameters}: {error}"
            else:
                module.unload()
                raise AssertionError(f"{parameters} was taken")
            errors = log.errors()
        assert says is None or any(says in text for text in errors), f"{parameters}: {errors}"


ktap.main(never_from_a_range, never_above_a_limit, never_from_a_zone, dead_ends, refused)
