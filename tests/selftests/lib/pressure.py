# SPDX-License-Identifier: GPL-2.0
"""Machines with one CPU, with a CPU that is too busy, and without memory."""

import contextlib
import glob
import mmap
import os
import re
import signal
import time

from lib import module, symbols
from lib.ktap import Skip, note

PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1 << 20
# What the process holds that is there for the OOM killer to take.
SPARE = 8 * MIB
MIN_FREE = "/proc/sys/vm/min_free_kbytes"
# The allocator's per-CPU lists hold at most one part in so many of the memory, or four batches.
LISTS = "/proc/sys/vm/percpu_pagelist_high_fraction"
# How far the allocator may raise its watermarks when memory is fragmented.
BOOST = "/proc/sys/vm/watermark_boost_factor"
# What of a CPU the scheduler keeps from real-time tasks, for all others.
RT_LIMIT = "/proc/sys/kernel/sched_rt_runtime_us"
OTHERS_SHARE = "/sys/kernel/debug/sched/fair_server/cpu{}/runtime"


def memory(name):
    """A value of /proc/meminfo, in bytes."""
    for line in module.read("/proc/meminfo").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name} in /proc/meminfo")


def free():
    """The free memory that any request may get, in bytes. Zones with low addresses keep a part of
    theirs for those who need such addresses: the more, the more memory the machine has."""
    pages = 0
    for zone in module.read("/proc/zoneinfo").split("Node ")[1:]:
        in_zone = int(re.search(r"pages free +(\d+)", zone).group(1))
        kept = re.search(r"protection: \((.*)\)", zone).group(1).split(",")
        pages += max(0, in_zone - max(map(int, kept)))
    return pages * PAGE


def used(*names):
    """Values of /proc/meminfo, in bytes, with the counts that CPUs have not reported yet. Skips if
    freed memory stays in use."""
    if symbols.has("kasan_report"):
        raise Skip("KASAN keeps freed objects in quarantine (CONFIG_KASAN)")
    module.write("/proc/sys/vm/stat_refresh", 1)
    return tuple(map(memory, names))


@contextlib.contextmanager
def one_cpu():
    """Takes all CPUs but one offline."""
    switches = [path for path in glob.glob("/sys/devices/system/cpu/cpu[0-9]*/online")
                if module.read(path).strip() == "1" and "/cpu0/" not in path]
    try:
        for path in switches:
            module.write(path, 0)
        online = module.read("/sys/devices/system/cpu/online").strip()
        assert online == "0", f"CPUs {online} are online, not just one"
        yield
    finally:
        for path in switches:
            module.write(path, 1)


@contextlib.contextmanager
def hogged(cpu, seconds=5):
    """A real-time task lets nothing else run on a CPU, for so long or for the length of the block.
    Yields a function that says whether it still does. The caller keeps off that CPU."""
    limits = {path: module.read(path).strip() for path in (RT_LIMIT, OTHERS_SHARE.format(cpu))
              if os.path.exists(path)}
    affinity = os.sched_getaffinity(0)
    os.sched_setaffinity(0, affinity - {cpu})
    reader, writer = os.pipe()
    try:
        for path in limits:
            module.write(path, -1 if path == RT_LIMIT else 0)
        pid = os.fork()
        if not pid:
            os.sched_setaffinity(0, {cpu})
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
            end = time.monotonic() + seconds
            os.write(writer, b"!")
            while time.monotonic() < end:
                pass
            os._exit(0)
        assert os.read(reader, 1) == b"!"
        try:
            yield lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    finally:
        os.close(reader)
        os.close(writer)
        for path, before in limits.items():
            module.write(path, before)
        os.sched_setaffinity(0, affinity)


@contextlib.contextmanager
def short_lists():
    """Keeps the allocator's per-CPU lists as short as can be. What is on them counts as free nowhere,
    and filling them may take all that is left in one go, and with it the emergency reserve."""
    before = module.read(LISTS).strip()
    try:
        module.write(LISTS, 1_000_000)
        yield
    finally:
        module.write(LISTS, before)


@contextlib.contextmanager
def full_memory(leave, min_free_kb=1024):
    """Fills all but `leave` bytes of the free memory with a file in a tmpfs of its own, the min
    watermarks being `min_free_kb` KiB. It is an error if that leaves the machine too little to live
    on."""
    before, boost = module.read(MIN_FREE).strip(), module.read(BOOST).strip()
    score = module.read("/proc/self/oom_score_adj").strip()
    module.write("/proc/self/oom_score_adj", -1000)
    folder = f"/tmp/filled-{os.getpid()}"
    os.mkdir(folder)
    assert os.system(f"mount -t tmpfs -o size=100% tmpfs {folder}") == 0, "no tmpfs"
    try:
        # Raised watermarks would stop the file before memory is full. Setting them lowers them again.
        module.write(BOOST, 0)
        module.write(MIN_FREE, min_free_kb)
        with short_lists(), _spare_process():
            size = _fill(folder + "/filler", leave)
            kept = memory("MemFree") - free()
            note(f"{size // MIB} MiB filled, {free() // MIB} MiB free, {kept // MIB} MiB kept, "
                 f"{memory('Cached') // MIB} MiB cached")
            yield
    finally:
        os.system(f"umount {folder}")
        os.rmdir(folder)
        module.write(BOOST, boost)
        module.write(MIN_FREE, before)
        module.write("/proc/self/oom_score_adj", score)


@contextlib.contextmanager
def _spare_process():
    """A process that the OOM killer takes before any other: a machine that has lost its shell or
    the runner of its tests could not say what happened. It is an error if it was taken."""
    ready, ready_writer = os.pipe()
    end, end_writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(end_writer)
            module.write("/proc/self/oom_score_adj", 1000)
            with mmap.mmap(-1, SPARE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE):
                os.write(ready_writer, b"!")
                # Nothing ever comes, but the end of those who could write.
                os.read(end, 1)
        finally:
            os._exit(0)
    os.close(ready_writer)
    os.close(end)
    try:
        assert os.read(ready, 1) == b"!", "the spare process did not begin"
        yield
    finally:
        os.close(ready)
        os.close(end_writer)
        _, status = os.waitpid(pid, 0)
        assert status == 0, "the OOM killer took the spare process: too little memory was left free"


def _fill(name, leave):
    """Makes a file grow until no more than that is free; its size."""
    fd = os.open(name, os.O_CREAT | os.O_RDWR)
    size = 0
    try:
        while free() > leave + MIB:
            step = min(free() - leave, 64 * MIB) // PAGE * PAGE
            os.posix_fallocate(fd, size, step)
            size += step
    finally:
        os.close(fd)
    return size
