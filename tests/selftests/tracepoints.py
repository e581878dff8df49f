#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check
# Covers: rust/ffi/trace rust/ffi/trace/labyrinth_trace.h rust/pool/events.rs
# Takes: 33 s
"""The tracepoints labyrinth:* agree with our counters, through the tools that people use."""

import contextlib
import ctypes
import fcntl
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile

from lib import exercises, ktap, metrics, module, pressure, tracing
from lib.ktap import Skip

# The context of each exercise in the tracepoints, by name and number.
CONTEXTS = {name: (shape.context, shape.number) for name, shape in exercises.SHAPES.items()}
NONE, CACHE, BUDDY, RESERVE = "none", "cache", "buddy", "reserve"
# More pages than are free when memory is full.
BURST = 4096
# With these sizes, neither buffers nor maps lose events.
BUFFER_KB = 4096


@contextlib.contextmanager
def tool(name):
    """Skips the case if a tool is not installed, and yields a folder to work in."""
    if not shutil.which(name):
        raise Skip(f"{name} is not installed: install the package {name}")
    if not os.path.isdir(tracing.TRACING + "/events/kmem"):
        raise Skip("the kernel has no trace events (CONFIG_EVENT_TRACING)")
    with tempfile.TemporaryDirectory() as folder:
        yield folder


def call(*command):
    """Runs a tool and returns what it printed. If it fails, the AssertionError has all of that."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    text = done.stdout + done.stderr
    assert done.returncode == 0, f"{' '.join(command)}: status {done.returncode}\n{text}"
    return done.stdout


def script(folder, *contexts, finish="true"):
    """Returns a command that runs exercises for a moment, for tools that trace a command."""
    name = folder + "/exercise.sh"
    lines = [f"echo {run} >{module.control(context, 'run')}"
             for run in (1, 0) for context in contexts]
    lines.insert(len(contexts), "sleep 1")
    with open(name, "w", encoding="ascii") as f:
        f.write("\n".join(["#!/bin/sh", "set -e"] + lines + [finish]) + "\n")
    os.chmod(name, 0o755)
    return name


def agree(tool_name, seen, ours, contexts, missed=0):
    """Checks that the events are what we counted: {context: pages allocated}, requests without a
    page, and pages freed. Events may be missing if the kernel reports that it has not delivered
    them to the tool."""
    allocated, failed, freed = seen
    unseen = 0
    for context in contexts:
        name, _ = CONTEXTS[context]
        theirs, mine = allocated.pop(name, 0), ours.allocated(context=context)
        ktap.note(f"{tool_name}: {context}: {theirs} page_alloc, we count {mine}")
        assert mine > 0, f"{context}: nothing was allocated"
        assert mine - missed <= theirs <= mine, \
            f"{context}: {tool_name} has {theirs} page_alloc, we count {mine}"
        unseen += mine - theirs
    assert not allocated, f"{tool_name} has allocations in contexts that did not run: {allocated}"
    for what, theirs, mine in (("page_alloc without a page", failed, ours.failed()),
                               ("page_free", freed, ours.freed())):
        ktap.note(f"{tool_name}: {theirs} {what}, we count {mine}")
        assert mine - missed <= theirs <= mine, f"{tool_name} has {theirs} {what}, we count {mine}"
        unseen += mine - theirs
    assert unseen == missed, f"{tool_name} lacks {unseen} events, of which {missed} were missed"


def settings():
    """Sets periods with which there is much to count, and no event is lost."""
    for context in CONTEXTS:
        module.tune(context, period_us=10_000, batch=8)


def word(field, keys):
    """Returns the value of a key of a histogram's entry, as text."""
    return re.search(rf"\b{field}:\s*(\w+)", keys).group(1)


def number(field, keys):
    """Returns the value of a key of a histogram's entry, as a number."""
    return int(word(field, keys))


def counts_by_histograms():
    """tracefs counts allocations by context and source, and frees by destination, for each
    exercise."""
    with module.loaded():
        watched = {"alloc": ("labyrinth/page_alloc", "context,source,order"),
                   "free": ("labyrinth/page_free", "to,order")}
        before = metrics.Metrics()
        for context in CONTEXTS:
            with tracing.histograms(**watched) as kernel:
                with module.running(context, period_us=5000, batch=16):
                    metrics.wait_for_cycles(context, 10)
                ours = metrics.Metrics().check_idle()
                allocs, frees = kernel["alloc"].entries(), kernel["free"].entries()
            for keys, _ in allocs + frees:
                assert number("order", keys) == 0, f"an order that nobody asked for: {keys}"
            where = {number("context", keys) for keys, _ in allocs}
            assert where == {CONTEXTS[context][1]}, f"{context}: {allocs}"
            by_source = {source: sum(hits for keys, hits in allocs
                                     if word("source", keys) == source)
                         for source in (BUDDY, NONE)}
            assert sum(by_source.values()) == tracing.count(allocs), f"{context}: {allocs}"
            if context in exercises.PLAIN:
                assert by_source[NONE] == 0, f"{context}: {allocs}"
            assert {word("to", keys) for keys, _ in frees} == {BUDDY}, f"{context}: {frees}"
            pairs = [("page_alloc", by_source[BUDDY],
                      ours.allocated(context=context) - before.allocated(context=context)),
                     ("page_alloc without a page", by_source[NONE],
                      ours.failed(context=context) - before.failed(context=context)),
                     ("page_free", tracing.count(frees),
                      ours.freed(context=context) - before.freed(context=context))]
            for what, theirs, mine in pairs:
                ktap.note(f"{context}: {theirs} {what}, we count {mine}")
                assert theirs == mine, f"{context}: {theirs} {what}, we count {mine}"
            assert by_source[BUDDY] > 0, f"{context}: nothing was allocated"


def failures_by_histograms():
    """A request that fails, because memory is full, is reported without a source and without a page
    frame."""
    watched = {"alloc": ("labyrinth/page_alloc", "source,pfn", "pfn == 0")}
    with module.loaded(), tracing.histograms(**watched) as kernel:
        with pressure.one_cpu(), pressure.full_memory(BURST * pressure.PAGE // 2):
            with module.running("spinlock", period_us=100_000, batch=BURST):
                module.wait_until(lambda: metrics.Metrics().failed() > 0, "failures")
        ours = metrics.Metrics().check_idle()
        failures = kernel["alloc"].entries()
    assert all(word("source", keys) == NONE for keys, _ in failures), f"{failures}"
    theirs, mine = tracing.count(failures), ours.failed(context="spinlock")
    ktap.note(f"{theirs} page_alloc without a page, we count {mine} failures")
    assert theirs == mine > 0, f"{theirs} page_alloc without a page, we count {mine}"


def same_page_comes_and_goes():
    """Each page frame in the trace is allocated, then freed, and has no owner in between."""
    line = re.compile(r": (page_alloc|page_free): .*pfn=0x([1-9a-f][0-9a-f]*)")
    lost = re.compile(r"(?:overrun|dropped events): (\d+)")
    with module.loaded():
        settings()
        folder = tracing.INSTANCE
        os.mkdir(folder)
        try:
            module.write(folder + "/buffer_size_kb", BUFFER_KB)
            module.write(folder + "/events/labyrinth/enable", 1)
            with module.running(*CONTEXTS):
                for context in CONTEXTS:
                    metrics.wait_for_cycles(context, 10)
            module.write(folder + "/events/labyrinth/enable", 0)
            text = module.read(folder + "/trace")
            for cpu in os.listdir(folder + "/per_cpu"):
                stats = module.read(f"{folder}/per_cpu/{cpu}/stats")
                assert set(lost.findall(stats)) == {"0"}, f"{cpu} lost events: {stats}"
        finally:
            os.rmdir(folder)
    out, pages = set(), 0
    for event, frame in line.findall(text):
        if event == "page_alloc":
            assert frame not in out, f"page frame {frame} was allocated while it was allocated"
            out.add(frame)
            pages += 1
        else:
            assert frame in out, f"page frame {frame} was freed, but not allocated"
            out.remove(frame)
    assert pages > 0 and not out, f"{pages} pages, of which {len(out)} were never freed"
    ktap.note(f"{pages} pages came and went")


def tiers_of_the_pool():
    """The trace shows from which tier pages come, to which tier they go, each fallback, and the
    refills."""
    watched = {"alloc": ("labyrinth/page_alloc", "source,pool", 'pool != "none"'),
               "free": ("labyrinth/page_free", "to,pool", 'pool != "none"'),
               "step": ("labyrinth/fallback", "from,to"),
               "refill": ("labyrinth/refill", "tier,got")}
    hits = {"outcome": "hit"}
    with module.loaded(pool_cache=8, pool_reserve=16):
        module.wait_until(lambda: metrics.Metrics().total("pool_reserved") == 16, "a full reserve")
        before = metrics.Metrics()
        with tracing.histograms(**watched) as kernel:
            module.write(module.file("pool", "prime"), 8)
            with module.running("timer_softirq", "spinlock", pool=1, period_us=10_000, batch=32):
                metrics.wait_for_cycles("timer_softirq", 10)
                metrics.wait_for_cycles("spinlock", 10)
            # The refill thread continues for a moment.
            module.wait_until(lambda: metrics.Metrics().total("pool_reserved") == 16, "a reserve")
            seen = {name: histogram.entries() for name, histogram in kernel.items()}
            ours = metrics.Metrics().check_idle()

    def grown(name, **labels):
        return ours.total(name, **labels) - before.total(name, **labels)

    def by(event, field, wanted):
        return sum(count for keys, count in seen[event] if word(field, keys) == wanted)

    def refilled(tier):
        return sum(number("got", keys) * count for keys, count in seen["refill"]
                   if word("tier", keys) == tier)

    pairs = [
        ("from the cache", by("alloc", "source", CACHE),
         grown("pool_requests_total", tier="cache", **hits)),
        ("from the allocator", by("alloc", "source", BUDDY),
         grown("pool_requests_total", tier="buddy", **hits)),
        ("from the reserve", by("alloc", "source", RESERVE),
         grown("pool_requests_total", tier="reserve", **hits)),
        ("not at all", by("alloc", "source", NONE), grown("pool_failures_total")),
        ("beyond the cache", by("step", "from", CACHE),
         grown("pool_requests_total", tier="cache", outcome="miss")),
        ("to the cache", by("free", "to", CACHE), grown("pool_recycle_cached_total")),
        ("to the reserve", by("free", "to", RESERVE), grown("pool_recycle_reserve_total")),
        ("to the allocator", by("free", "to", BUDDY), grown("pool_released_total")),
        ("refilled into caches", refilled(CACHE), grown("pool_cache_refill_pages_total")),
        ("refilled into the reserve", refilled(RESERVE), grown("pool_reserve_refill_pages_total")),
    ]
    for what, theirs, mine in pairs:
        ktap.note(f"{what}: {theirs} in the trace, we count {mine}")
    for what, theirs, mine in pairs:
        assert theirs == mine, f"{what}: {theirs} in the trace, we count {mine}"
    for what, theirs, _ in pairs[:2] + pairs[4:6] + pairs[7:9]:
        assert theirs > 0, f"{what}: nothing; the case is of no use"


def counts_by_trace_cmd():
    """trace-cmd record and report count what we count, while all exercises run."""
    report_line = re.compile(r"(page_alloc|page_free):\s+(.*)")
    with tool("trace-cmd") as folder, module.loaded():
        settings()
        data = folder + "/trace.dat"
        call("trace-cmd", "record", "-q", "-b", str(BUFFER_KB), "-o", data,
             "-e", "labyrinth:page_alloc", "-e", "labyrinth:page_free",
             script(folder, *CONTEXTS))
        ours = metrics.Metrics().check_idle()
        text = call("trace-cmd", "report", "-i", data)
    assert "DROPPED" not in text and "FAILED TO PARSE" not in text, text[:2000]
    allocated, failed, freed = {}, 0, 0
    for event, fields in report_line.findall(text):
        if event == "page_free":
            assert "to=buddy" in fields and "order=0" in fields, fields
            freed += 1
            continue
        context = re.search(r"context=(\w+)", fields).group(1)
        if context == "irqs_off" and "source=none" in fields:
            failed += 1
            continue
        flags = "gfp_flags=none" if context == "irqs_off" else "GFP_"
        assert "source=buddy" in fields and flags in fields, fields
        allocated[context] = allocated.get(context, 0) + 1
    agree("trace-cmd", (allocated, failed, freed), ours, CONTEXTS)


def counts_by_bpftrace():
    """bpftrace counts in the kernel, by the names of our fields. The kernel does not call it on
    a CPU that is busy with another BPF program or with the maps of one, but counts those events."""
    # Each count is a map of its own, because a map with keys loses a count if two CPUs insert the
    # same key. Each event has one program, because the kernel counts a missed call for each
    # program. Missed events can be of any kind, so all kinds are counted.
    counts = "".join(f"if (args.source == \"{BUDDY}\" && args.context == {value}) "
                     f"{{ @{context} = count(); }} " for context, (_, value) in CONTEXTS.items())
    program = "tracepoint:labyrinth:page_alloc /args.pool == \"none\"/ " \
              f"{{ {counts} if (args.source == \"{NONE}\") {{ @failed = count(); }} }} " \
              "tracepoint:labyrinth:page_free " \
              f"/args.to == \"{BUDDY}\" && args.pool == \"none\"/ {{ @free = count(); }}"
    if not os.path.exists("/proc/sys/kernel/unprivileged_bpf_disabled"):
        raise Skip("the kernel has no BPF (CONFIG_BPF_SYSCALL, CONFIG_BPF_EVENTS)")
    with tool("bpftrace") as folder, module.loaded():
        settings()
        finish = f"cat /proc/$PPID/fdinfo/* >{folder}/fdinfo"
        text = call("bpftrace", "-q", "-f", "json", "-e", program,
                    "-c", "/bin/sh " + script(folder, *CONTEXTS, finish=finish))
        ours = metrics.Metrics().check_idle()
        misses = re.findall(r"^recursion_misses:\s*(\d+)$", module.read(folder + "/fdinfo"), re.M)
    assert misses, "the kernel does not say how many events bpftrace has missed"
    missed = sum(map(int, misses))
    ktap.note(f"bpftrace: {missed} events missed, says the kernel")
    maps = {}
    for line in text.splitlines():
        record = json.loads(line) if line.startswith("{") else {}
        if record.get("type") == "map":
            maps.update(record["data"])
        assert record.get("type") != "lost_events", line
    allocated = {name: maps["@" + context] for context, (name, _) in CONTEXTS.items()}
    # bpftrace does not print a map that counted nothing.
    agree("bpftrace", (allocated, maps.get("@failed", 0), maps["@free"]), ours, CONTEXTS, missed)


# The numbers of perf_event_open(), of the ioctl that sets a filter, and of the event type.
SYS_PERF_EVENT_OPEN, SET_FILTER, TRACEPOINT = 298, 0x4008_2406, 2


class Counter:
    """Counts an event on all CPUs, as `perf stat` does."""

    def __init__(self, event, condition=""):
        number = int(module.read(f"{tracing.TRACING}/events/labyrinth/{event}/id"))
        # struct perf_event_attr in its first version begins with type, size and event.
        attributes = struct.pack("=IIQ48x", TRACEPOINT, 64, number)
        self._files = []
        for cpu in range(os.cpu_count()):
            fd = module.libc.syscall(SYS_PERF_EVENT_OPEN, attributes, -1, cpu, -1, 0)
            assert fd >= 0, f"perf_event_open() of {event}: {os.strerror(ctypes.get_errno())}"
            self._files.append(os.fdopen(fd, "rb", buffering=0))
            if condition:
                fcntl.ioctl(fd, SET_FILTER, condition.encode() + b"\0")

    def read(self):
        """Returns the count so far."""
        return sum(int.from_bytes(file.read(8), "little") for file in self._files)

    def close(self):
        """Stops counting."""
        for file in self._files:
            file.close()


def counts_by_perf_events():
    """perf counts what we count, with one counter for each CPU and condition, and without a
    buffer."""
    if not os.path.exists("/proc/sys/kernel/perf_event_paranoid"):
        raise Skip("the kernel has no performance events (CONFIG_PERF_EVENTS)")
    with module.loaded(), contextlib.ExitStack() as open_counters:
        settings()

        def counter(*arguments):
            return open_counters.enter_context(contextlib.closing(Counter(*arguments)))

        alloc = {name: counter("page_alloc", f'context == {number} && source == "{BUDDY}"')
                 for name, number in CONTEXTS.values()}
        failed = counter("page_alloc", f'source == "{NONE}"')
        free, none = counter("page_free"), counter("fallback")
        with module.running(*CONTEXTS):
            for context in CONTEXTS:
                metrics.wait_for_cycles(context, 10)
        ours = metrics.Metrics().check_idle()
        seen = ({name: one.read() for name, one in alloc.items()}, failed.read(), free.read())
        assert none.read() == 0, "steps between tiers, without a pool"
    agree("perf", seen, ours, CONTEXTS)


ktap.main(counts_by_histograms, failures_by_histograms, same_page_comes_and_goes,
          tiers_of_the_pool, counts_by_perf_events, counts_by_trace_cmd, counts_by_bpftrace)
