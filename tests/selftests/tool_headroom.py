#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak numa old
# Covers: tools/labyrinth/src/headroom tools/labyrinth/src/memory
# Takes: 12 s
"""The headroom that the tool predicts is what a burst of requests gets, in many states of memory.

One CPU is online, and the burst has a real-time priority and disables bottom halves. So nobody
frees memory during the burst, and the prediction must hold: the served requests are within the
bounds, and differ from the estimate by at most a tenth, or by less than a list of the CPU holds."""

import contextlib
import functools
import glob
import json
import mmap
import os
import re
import subprocess
import time

from lib import consumer, ktap, module, pressure, tool

MODULE = "labyrinth_burst"
PARAMETERS = f"/sys/module/{MODULE}/parameters/"
VM = "/proc/sys/vm/"
PAGE = pressure.PAGE
MOST = 1 << 20
TIMES = ktap.soak(1, 4)
# The error of the estimate that is allowed in any case.
SHARE = 0.1

rows = []


class Watching:
    """The tool while it watches. It keeps its memory, which would be free after its end."""

    def __init__(self, *arguments):
        # pylint: disable=consider-using-with
        self._process = subprocess.Popen(
            [tool.path(), "headroom", "--json", "--watch", "--interval", "3600000", *arguments],
            stdout=subprocess.PIPE, bufsize=0)
        self._descriptor = self._process.stdout.fileno()

    def then(self, burst, text):
        """Waits for the prediction, makes a burst at once, and returns the prediction."""
        answer = b""
        while not answer.endswith(b"\n"):
            part = os.read(self._descriptor, 65536)
            assert part, "the tool has ended"
            answer += part
        os.write(burst, text)
        return json.loads(answer)

    def end(self):
        """Ends the tool."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


@contextlib.contextmanager
def first():
    """Lets this process run before all others on this CPU."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def number(name):
    """A parameter of the module, as a number."""
    return int(module.read(PARAMETERS + name))


def measure(state, gfp="atomic", order=0, node=-1):
    """Compares a prediction with a burst, and keeps the result."""
    arguments = ["--gfp", gfp, "--order", str(order), "--cpu", "0"]
    if node >= 0:
        arguments += ["--node", str(node)]
    burst = os.open(PARAMETERS + "burst", os.O_WRONLY)
    # Brings the tool's code into the page cache. Reading it would take pages after the prediction.
    assert tool.run("headroom", "--json", *arguments).returncode == 0
    watching = Watching(*arguments)
    try:
        with first():
            answer = watching.then(burst, f"{gfp} {order} {node} {MOST}".encode())
    finally:
        watching.end()
        os.close(burst)
    served = number("served")
    assert module.read(PARAMETERS + "failed").strip() == "Y", "the burst did not fail"
    lists, above = (sum(zone["arithmetic"][name] for zone in answer["zones"])
                    for name in ("in_list", "above"))
    error = answer["requests"] - served
    row = {"state": state, "gfp": gfp, "order": order, "predicted": answer["requests"],
           "least": answer["at_least"], "most": answer["at_most"], "served": served,
           "error": error, "zones": answer["zones"]}
    rows.append(row)
    ktap.note(f"{state}: {gfp}, order {order}: predicted {answer['requests']} "
              f"({answer['at_least']} to {answer['at_most']}), served {served}, "
              f"error {error} ({100 * error / max(served, 1):+.1f} %), {above} above, "
              f"{lists} in lists")
    return row


def judge():
    """Requires that all predictions since the last call were right."""
    wrong = []
    for row in rows:
        swallowed = refill(row)
        if not row["least"] <= row["served"] <= row["most"]:
            wrong.append(("out of bounds", row))
        elif abs(row["error"]) > max(SHARE * row["served"], swallowed):
            wrong.append((f"lists of at most {swallowed} do not explain the error", row))
    rows.clear()
    assert not wrong, "\n".join(f"{what}: {row}" for what, row in wrong)


def refill(row):
    """The most requests whose pages the lists of the CPU can swallow or have in advance."""
    pages = 0
    for zone in module.read("/proc/zoneinfo").split("Node ")[1:]:
        match = re.search(r"cpu: 0\s+count: +\d+\s+high: +(\d+)\s+batch: +(\d+)", zone)
        if match:
            high, batch = map(int, match.groups())
            in_list = sum(one["arithmetic"]["in_list"] for one in row["zones"]
                          if zone.startswith(f"{one['node']}, zone {one['zone']:>8}\n"))
            pages += max(high - batch, batch) + in_list
    return pages >> row["order"]


@contextlib.contextmanager
def setting(name, value):
    """Changes a setting of the memory management for the length of a block."""
    before = module.read(VM + name).strip()
    module.write(VM + name, value)
    try:
        yield
    finally:
        module.write(VM + name, before)


def drop_caches():
    """Frees page cache."""
    module.write(VM + "drop_caches", 3)


@contextlib.contextmanager
def anonymous(leave, keep_out=0):
    """Fills memory with anonymous pages, except for `leave` bytes and `keep_out` bytes."""
    maps = []
    try:
        # The kernel may free page cache meanwhile, but not without end.
        while (step := min(pressure.free() - leave - keep_out, 64 << 20) // PAGE * PAGE) > 0 \
                and len(maps) < 100:
            maps.append(mmap.mmap(-1, step, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
                                  | mmap.MAP_POPULATE))
        yield
    finally:
        for one in maps:
            one.close()


@functools.cache
def large_files():
    """Large files of the machine, the largest first."""
    names = glob.glob("/usr/lib/x86_64-linux-gnu/*") + glob.glob("/usr/bin/*")
    sizes = {name: os.path.getsize(name) for name in names if os.path.isfile(name)}
    return sorted(sizes, key=sizes.get, reverse=True)


def fill_page_cache(most=512 << 20):
    """Reads files until the page cache has nearly all memory."""
    buffer = bytearray(1 << 20)
    total, full = 0, 0
    for name in large_files():
        if full > 2 or total > most:
            break
        with open(name, "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                total += count
        full += pressure.memory("MemFree") < 1.5 * low_mark() * PAGE


def low_mark():
    """The sum of all low watermarks, in pages."""
    return sum(map(int, re.findall(r"\n +low +(\d+)", module.read("/proc/zoneinfo"))))


@contextlib.contextmanager
def fragmented(keep_free):
    """Keeps each second page of most of the free memory."""
    count = (pressure.free() - keep_free) // PAGE
    module.write(PARAMETERS + "every", 2)
    module.write(PARAMETERS + "hold", max(count, 0))
    try:
        yield
    finally:
        module.write(PARAMETERS + "hold", 0)


@contextlib.contextmanager
def prepared():
    """One CPU, the module of the test, and no boost of the watermarks."""
    tool.path()
    score = module.read("/proc/self/oom_score_adj").strip()
    with consumer.loaded(MODULE), pressure.one_cpu(), setting("watermark_boost_factor", 0):
        module.write("/proc/self/oom_score_adj", -1000)
        try:
            drop_caches()
            yield
        finally:
            module.write("/proc/self/oom_score_adj", score)


def min_free():
    """The setting vm.min_free_kbytes."""
    return int(module.read(VM + "min_free_kbytes"))


def room(factor=1.5):
    """So many times the high watermarks, in bytes."""
    return int(factor * low_mark()) * PAGE


def fresh():
    """Free memory is plenty."""
    with prepared():
        for _ in range(TIMES):
            measure("fresh")
            measure("fresh", gfp="nowait")
            measure("fresh", order=2)
            measure("fresh", order=3)
        judge()


def full_of_page_cache():
    """The page cache has all memory that kswapd leaves to it."""
    with prepared(), anonymous(room() + (128 << 20)):
        for _ in range(TIMES):
            fill_page_cache()
            measure("page cache")
            measure("page cache", gfp="nowait")
            fill_page_cache()
            measure("page cache", order=2)
        judge()


def full_of_anonymous_memory():
    """A process has most of the memory."""
    with prepared():
        for factor in (2, 1.2)[:ktap.soak(1, 2)]:
            with anonymous(room(factor)):
                for _ in range(TIMES):
                    measure(f"anonymous memory, {factor} x low is free")
                    measure(f"anonymous memory, {factor} x low is free", order=2)
                    measure(f"anonymous memory, {factor} x low is free", gfp="nowait")
        judge()


def fragmented_memory():
    """Each second page is taken, so that there are few large blocks."""
    with prepared():
        with fragmented(32 << 20):
            for _ in range(TIMES):
                measure("fragmented")
                measure("fragmented", order=2)
                measure("fragmented", order=3)
        judge()


def boosted_watermarks():
    """The kernel may boost its watermarks, and does so in the burst."""
    with prepared(), setting("watermark_boost_factor", 15000):
        with fragmented(32 << 20):
            for _ in range(TIMES):
                measure("boost, fragmented", order=2)
                measure("boost, fragmented")
        with anonymous(room(2)):
            for _ in range(TIMES):
                measure("boost, anonymous memory", order=2)
                measure("boost, anonymous memory", gfp="nowait")
        judge()


def other_watermarks():
    """vm.min_free_kbytes is a quarter of what it was, or four times as much."""
    with prepared():
        usual = min_free()
        for factor in (0.25, 4):
            with setting("min_free_kbytes", int(usual * factor)), anonymous(room(1.5)):
                for _ in range(TIMES):
                    measure(f"min_free_kbytes x {factor}")
                    measure(f"min_free_kbytes x {factor}", order=2)
        judge()


def other_protection():
    """The zones keep less, or more, from requests that could use higher zones."""
    with prepared():
        count = len(module.read(VM + "lowmem_reserve_ratio").split())
        for ratio in (0, 1, 32):
            text = "\t".join([str(ratio)] * count)
            with setting("lowmem_reserve_ratio", text):
                if TIMES > 1:
                    measure(f"lowmem_reserve_ratio {ratio}")
                with anonymous(room(1.5)):
                    measure(f"lowmem_reserve_ratio {ratio}, anonymous memory")
        judge()


def a_zone_is_nearly_empty():
    """All but the lowest zone are nearly empty, and nothing protects the lowest."""
    with prepared():
        count = len(module.read(VM + "lowmem_reserve_ratio").split())
        with setting("lowmem_reserve_ratio", "\t".join(["0"] * count)):
            # ZONE_DMA has 15 MiB at most.
            with anonymous(room(1.1), keep_out=15 << 20):
                for _ in range(TIMES):
                    measure("one zone nearly empty")
                    measure("one zone nearly empty", order=2)
        judge()


def nodes():
    """The NUMA nodes."""
    return sorted(int(path.rsplit("node", 1)[1]) for path in
                  glob.glob("/sys/devices/system/node/node[0-9]*"))


def nodes_have_their_own():
    """A request for one node gets what is predicted for this node."""
    with prepared():
        for node in nodes():
            if f"Node {node}, zone" not in module.read("/proc/buddyinfo"):
                continue
            measure(f"node {node}", node=node)
            measure(f"node {node}", order=2, node=node)
        measure("all nodes")
        judge()


def bursts_are_measured():
    """--bursts finds a burst with its size and its caller, and says what to set."""
    # An emulated machine records some 30 pages in a millisecond.
    pages = 200
    with prepared():
        with subprocess.Popen([tool.path(), "headroom", "--bursts", "--json", "--duration", "2"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            line = process.stderr.readline()
            assert "measuring" in line, line
            time.sleep(0.5)
            with first():
                module.write(PARAMETERS + "burst", f"atomic 0 -1 {pages}")
            answer, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        answer = json.loads(answer)
    assert answer["lost"] == 0 and answer["pages"] >= pages, answer
    in_10_ms = 0
    for length in answer["lengths"]:
        largest = length["bursts"][0]
        if length["milliseconds"] == 10:
            in_10_ms = largest["pages"]
        ktap.note(f"{largest['pages']} pages in {length['milliseconds']} ms")
        # The machine may be too slow to take all of the burst in a shorter time.
        if length["milliseconds"] < 100:
            assert 0 < largest["pages"] < pages * 1.5, length
            continue
        assert pages <= largest["pages"] < pages * 1.5, length
        share = largest["callers"][0]
        assert share["pages"] == pages, length
        assert share["caller"]["module"] == MODULE and share["context"] == "task", length
    advice = answer["advice"]
    ktap.note(f"advice: {advice}")
    assert advice["needed"] == 2 * in_10_ms > 0 and advice["reasoning"], advice
    if advice["guaranteed"] < advice["needed"]:
        assert advice["min_free_kbytes"] > min_free(), advice


CASES = (fresh, full_of_page_cache, full_of_anonymous_memory, fragmented_memory,
         boosted_watermarks, other_watermarks, other_protection, a_zone_is_nearly_empty)
if len(nodes()) < 2:
    SLOW = CASES[1:]
    ktap.main(fresh, bursts_are_measured, *ktap.soak((), SLOW), by_name=SLOW)
else:
    ktap.main(nodes_have_their_own, *ktap.soak((), CASES), by_name=CASES)
