#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak-debug
# Covers: rust/source
# Takes: 27 s
"""Memory that was barred is never handed out, from whatever room and in whatever context."""

import contextlib
import errno
import os
import re
import time

from lib import faults, kmsg, ktap, metrics, module, tracing

PAGE = os.sysconf("SC_PAGE_SIZE")
# So small that all rooms are asked.
SIZES = {"pool_cache": 8, "pool_reserve": 16, "pool_emergency": 64}
# Pages handed out before it is believed.
REQUESTS = 2000
# The kinds of zones by what they end at, in page frames.
DMA, DMA32 = (16 << 20) // PAGE, (4 << 30) // PAGE


class Handed:
    """The page frames that were handed out, by room."""

    def __init__(self, entries):
        self.count, self.frames = 0, {}
        for keys, hits in entries:
            room, pfn = re.search(r"source:\s*(\d+).*pfn:\s*([0-9a-f]+)", keys, re.S).groups()
            self.frames.setdefault(int(room), set()).add(int(pfn, 16))
            self.count += hits

    def all(self):
        """The frames of all rooms."""
        return sorted(set().union(*self.frames.values()))


@contextlib.contextmanager
def requests(**parameters):
    """All contexts ask the pool; gives what there is to look at when the block ends."""
    result = {}
    with module.loaded(**{**SIZES, **parameters}):
        with tracing.histograms(handed=("labyrinth/page_alloc", "source,pfn.hex",
                                        'pool == "default"', 65536)) as histograms:
            with module.running(*module.CONTEXTS, period_us=2000, batch=48, pool=1):
                yield result
            entries = [(keys, hits) for keys, hits in histograms["handed"].entries()
                       if not re.search(r"pfn:\s*0\s", keys + " ")]
        result["handed"] = Handed(entries)
        result["metrics"] = metrics.Metrics().check_idle().check_pool()


def served():
    """Requests that were served so far."""
    now = metrics.Metrics()
    return sum(now.served(room) for room in metrics.ROOMS)


def handed_with(**parameters):
    """What thousands of requests get."""
    with requests(**parameters) as result:
        module.wait_until(lambda: served() >= REQUESTS, f"{REQUESTS} pages", 120)
    handed, now = result["handed"], result["metrics"]
    barred = now.total("pool_barred_pages_total")
    ktap.note(f"{parameters}: {handed.count} pages from {len(handed.all())} frames, {barred} barred")
    assert handed.count >= REQUESTS
    return handed, barred


def never_from_a_range():
    """Half of the frames that would be used otherwise; rooms 1 to 3 are cache, buddy and reserve."""
    free, barred = handed_with()
    assert barred == 0
    frames = free.all()
    low, high = frames[len(frames) // 4], frames[len(frames) * 3 // 4]
    handed, barred = handed_with(pool_barred_start=low * PAGE, pool_barred_end=(high + 1) * PAGE)
    within = [pfn for pfn in handed.all() if low <= pfn <= high]
    assert not within, f"{len(within)} frames of {low:#x} to {high:#x}, such as {within[:5]}"
    assert barred > 0, "nothing barred was ever offered"
    for room in (1, 2, 3):
        assert handed.frames.get(room), f"nothing from room {room}"
    # A range bars a page that it has but one byte of.
    handed, _ = handed_with(pool_barred_start=(low + 1) * PAGE - 1, pool_barred_end=high * PAGE + 1)
    within = [pfn for pfn in handed.all() if low <= pfn <= high]
    assert not within, f"{len(within)} frames of {low:#x} to {high:#x}, such as {within[:5]}"


def never_above_a_limit():
    """A device's: of 24 bits, and an odd one."""
    frames = handed_with()[0].all()
    for most in ((16 << 20) - 1, frames[len(frames) // 2] * PAGE + PAGE - 1):
        handed, _ = handed_with(pool_highest=most)
        above = [pfn for pfn in handed.all() if (pfn + 1) * PAGE - 1 > most]
        assert not above, f"{len(above)} frames above {most:#x}, such as {above[:5]}"


def never_from_a_zone():
    """The lowest kind, and the upper ones. Without the middle one a small machine has next to nothing."""
    kinds = (lambda pfn: pfn < DMA, lambda pfn: DMA <= pfn < DMA32, lambda pfn: pfn >= DMA32)
    for zones in (1, 4, 6):
        handed, _ = handed_with(pool_barred_zones=zones)
        for bit, is_in in enumerate(kinds):
            if zones >> bit & 1:
                wrong = [pfn for pfn in handed.all() if is_in(pfn)]
                assert not wrong, f"zones {zones}: {wrong[:5]}"


def dead_end(**parameters):
    """Nothing is handed out, and nothing is kept; requests fail, and say so."""
    with requests(**parameters) as result:
        for context in ("task", "softirq", "spinlock", "irqs_off"):
            module.wait_until(lambda c=context: metrics.Metrics().total(
                "pool_failures_total", context=c) >= 100, f"failures in {context}")
        # The keeper does not look for what is not there with all its might.
        start = keeper_seconds()
        time.sleep(2)
        busy = (keeper_seconds() - start) / 2
    assert result["handed"].count == 0, f"{parameters}: {result['handed'].all()[:5]}"
    now = result["metrics"]
    assert now.cached() == now.reserved() == 0 and sum(now.served(r) for r in metrics.ROOMS) == 0
    assert now.total("pool_barred_pages_total") > 0
    ktap.note(f"{parameters}: the keeper works {busy:.0%} of the time")
    # To look through 16 MiB takes a kernel that checks everything longer than a pool ever rests.
    assert busy < 0.5 or os.path.isdir(faults.FOLDER), \
        f"{parameters}: the keeper works {busy:.0%} of the time"


def keeper_seconds():
    """The time that the refilling thread has worked."""
    for process in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if process.isdigit() and "labyrinth/refil" in module.read(f"/proc/{process}/comm"):
                # utime and stime. Not every kernel has schedstat.
                times = module.read(f"/proc/{process}/stat").rpartition(")")[2].split()[11:13]
                return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
    raise AssertionError("there is no thread labyrinth/refill")


def dead_ends():
    """All memory is barred: by addresses, by nodes, by a limit."""
    for parameters in ({"pool_barred_start": 0, "pool_barred_end": (1 << 64) - 1},
                       {"pool_barred_nodes": (1 << 64) - 1}, {"pool_highest": PAGE - 1}):
        dead_end(**parameters)


def another_node():
    """That is barred, and nobody misses it."""
    used = module.read("/sys/devices/system/node/online").strip()
    if used != "0":
        raise ktap.Skip(f"there are nodes {used}")
    handed_with(pool_barred_nodes=(1 << 64) - 2)


def refused():
    """What makes no sense, with a reason in the log."""
    for parameters, wanted, says in (
            ({"pool_barred_start": 8192, "pool_barred_end": 4096}, errno.EINVAL,
             "pool_barred_end=4096 is not above pool_barred_start=8192"),
            ({"pool_barred_start": 4096, "pool_barred_end": 4096}, errno.EINVAL,
             "pool_barred_end=4096 is not above pool_barred_start=4096"),
            ({"pool_barred_start": 1}, errno.EINVAL,
             "pool_barred_end=0 is not above pool_barred_start=1"),
            ({"pool_highest": PAGE - 2}, errno.ERANGE, f"pool_highest={PAGE - 2} is out of bounds"),
            ({"pool_barred_zones": 7}, errno.ERANGE, "pool_barred_zones=7 is out of bounds: 0 to 6"),
            ({"pool_barred_zones": 8}, errno.ERANGE, "pool_barred_zones=8 is out of bounds: 0 to 6"),
            ({"pool_node": 0, "pool_node_only": 1, "pool_barred_nodes": 1}, errno.EINVAL,
             "node 0 is barred, and no other will do"),
            ({"pool_barred_end": -1}, errno.EINVAL, None),
            ({"pool_barred_end": 1 << 64}, errno.ERANGE, None)):
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


ktap.main(never_from_a_range, never_above_a_limit, never_from_a_zone, dead_ends, another_node,
          refused)
