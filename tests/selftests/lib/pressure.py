# SPDX-License-Identifier: GPL-2.0
"""Makes machines with one CPU, with a busy CPU, and with full memory."""

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
# The memory of the process that is there to be killed by the OOM killer.
SPARE = 8 * MIB
MIN_FREE = "/proc/sys/vm/min_free_kbytes"
# The allocator's per-CPU lists hold at most this fraction of the memory, or four batches.
LISTS = "/proc/sys/vm/percpu_pagelist_high_fraction"
if not os.path.exists(LISTS):
    # The name before Linux 5.14.
    LISTS = "/proc/sys/vm/percpu_pagelist_fraction"
# Sets how far the allocator raises its watermarks when memory is fragmented.
BOOST = "/proc/sys/vm/watermark_boost_factor"
# How readily the kernel reclaims inodes.
CACHE_PRESSURE = "/proc/sys/vm/vfs_cache_pressure"
# Limits the time of real-time tasks, so that other tasks can run.
RT_LIMIT = "/proc/sys/kernel/sched_rt_runtime_us"
OTHERS_SHARE = "/sys/kernel/debug/sched/fair_server/cpu{}/runtime"


def memory(name):
    """A value of /proc/meminfo, in bytes."""
    for line in module.read("/proc/meminfo").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name} in /proc/meminfo")


def free():
    """The free memory for ordinary requests, in bytes. Zones with low addresses keep a part of
    their memory for requests that need such addresses. This part grows with the memory of the
    machine."""
    pages = 0
    for zone in module.read("/proc/zoneinfo").split("Node ")[1:]:
        in_zone = int(re.search(r"pages free +(\d+)", zone).group(1))
        kept = re.search(r"protection: \((.*)\)", zone).group(1).split(",")
        pages += max(0, in_zone - max(map(int, kept)))
    return max(0, pages - _reserved()) * PAGE


def _reserved():
    """The pages that old kernels reserve for atomic requests of high orders. Newer kernels, which
    show the reserve in zoneinfo, release it in time."""
    if "reserved_highatomic" in module.read("/proc/zoneinfo"):
        return 0
    text = module.read("/proc/pagetypeinfo")
    size = int(re.search(r"Pages per block: +(\d+)", text).group(1))
    kinds, *zones = text.partition("Number of blocks type")[2].strip().splitlines()
    column = kinds.split().index("HighAtomic") - len(kinds.split())
    return size * sum(int(zone.split()[column]) for zone in zones)


def used(*names):
    """Values of /proc/meminfo, in bytes. Waits for counts that CPUs have not reported yet. Skips
    the case if the kernel keeps freed memory in use."""
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
def unlimited(cpu):
    """Lets real-time tasks keep other tasks off a CPU for any time."""
    limits = {path: module.read(path).strip() for path in (RT_LIMIT, OTHERS_SHARE.format(cpu))
              if os.path.exists(path)}
    try:
        for path in limits:
            module.write(path, -1 if path == RT_LIMIT else 0)
        yield
    finally:
        for path, before in limits.items():
            module.write(path, before)


@contextlib.contextmanager
def hogged(cpu, seconds=5):
    """Runs a real-time task that lets nothing else run on a CPU, for some seconds or until the
    block ends. Yields a function that returns whether the task still runs. The caller moves to
    other CPUs."""
    affinity = os.sched_getaffinity(0)
    os.sched_setaffinity(0, affinity - {cpu})
    reader, writer = os.pipe()
    try:
        with unlimited(cpu):
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
                yield lambda: os.waitid(os.P_PID, pid,
                                        os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
            finally:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    finally:
        os.close(reader)
        os.close(writer)
        os.sched_setaffinity(0, affinity)


@contextlib.contextmanager
def short_lists():
    """Keeps the allocator's per-CPU lists as short as possible. Pages on these lists do not count
    as free, and filling a list can take all free memory at once, including the emergency
    reserve."""
    before = module.read(LISTS).strip()
    try:
        module.write(LISTS, 1_000_000)
        yield
    finally:
        module.write(LISTS, before)


@contextlib.contextmanager
def low_watermarks():
    """Sets low watermarks, so that a machine without free memory needs little page cache. The
    kernel does not boost them. It also does not reclaim inodes: to drop an inode of virtiofs,
    kswapd would make requests that must not fail, and the kernel warns of these."""
    settings = {MIN_FREE: 8192, BOOST: 0, CACHE_PRESSURE: 0}
    before = {path: module.read(path).strip() for path in settings}
    try:
        for path, value in settings.items():
            module.write(path, value)
        yield
    finally:
        for path, value in before.items():
            module.write(path, value)


@contextlib.contextmanager
def full_memory(leave, min_free_kb=1024):
    """Fills all but `leave` bytes of the free memory with a file in a tmpfs. Sets the min
    watermarks to `min_free_kb` KiB. It is an error if the machine then needs the OOM killer."""
    before, boost = module.read(MIN_FREE).strip(), module.read(BOOST).strip()
    score = module.read("/proc/self/oom_score_adj").strip()
    module.write("/proc/self/oom_score_adj", -1000)
    folder = f"/tmp/filled-{os.getpid()}"
    os.mkdir(folder)
    assert os.system(f"mount -t tmpfs -o size=100% tmpfs {folder}") == 0, "no tmpfs"
    try:
        # Raised watermarks would stop the file before memory is full. Setting them lowers them.
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
    """Runs a process that the OOM killer kills before all others. If it killed the shell or the
    test runner, there would be no report. It is an error if the process was killed."""
    ready, ready_writer = os.pipe()
    end, end_writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(end_writer)
            module.write("/proc/self/oom_score_adj", 1000)
            with mmap.mmap(-1, SPARE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE):
                os.write(ready_writer, b"!")
                # Nothing is ever written. This returns when all writers have ended.
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
    """Makes a file grow until at most `leave` bytes are free. Returns its size."""
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


@contextlib.contextmanager
def greedy(size, score=0):
    """Yields a function with which another process takes so many bytes of memory, as fast as it
    can. It returns whether the process got them. `score` is the `oom_score_adj` of the process."""
    begin, begin_writer = os.pipe()
    done, done_writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(begin_writer)
            module.write("/proc/self/oom_score_adj", score)
            os.read(begin, 1)
            with mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE):
                pages = int(module.read("/proc/self/statm").split()[1])
                os.write(done_writer, b"!" if pages >= size // PAGE else b"?")
        finally:
            os._exit(0)
    os.close(begin)
    os.close(done_writer)

    def take():
        os.write(begin_writer, b"!")
        return os.read(done, 1) == b"!"

    try:
        yield take
    finally:
        os.close(begin_writer)
        os.close(done)
        os.waitpid(pid, 0)


def killed():
    """How many processes the OOM killer has killed."""
    return int(re.search(r"^oom_kill (\d+)", module.read("/proc/vmstat"), re.MULTILINE).group(1))
