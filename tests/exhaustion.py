#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""No fault is injected here: memory is really full, GFP_ATOMIC really fails, and recovers.

With one CPU online and nothing held between cycles, each burst begins and ends with bottom halves
disabled: the failure is certain, since nothing can reclaim meanwhile, and hits nobody else, since
nobody else runs until all pages are back.
"""

import contextlib
import glob
import os
import tempfile
import time

from lib import ktap, metrics, module

PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1 << 20
# A burst asks for 16 MiB, and half of that is left free.
BATCH = 4096
LEAVE = BATCH * PAGE // 2
MIN_FREE = "/proc/sys/vm/min_free_kbytes"
INJECTED = "/sys/kernel/debug/fail_page_alloc/probability"


def memory(name):
    """A value of /proc/meminfo, in bytes."""
    for line in module.read("/proc/meminfo").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name} in /proc/meminfo")


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
def full_memory():
    """Fills all but LEAVE of the free memory with a file in a tmpfs of its own."""
    before = module.read(MIN_FREE).strip()
    score = module.read("/proc/self/oom_score_adj").strip()
    module.write("/proc/self/oom_score_adj", -1000)
    folder = tempfile.mkdtemp()
    assert os.system(f"mount -t tmpfs -o size=100% tmpfs {folder}") == 0, "no tmpfs"
    try:
        module.write(MIN_FREE, 1024)
        fd = os.open(folder + "/filler", os.O_CREAT | os.O_RDWR)
        size = 0
        try:
            while memory("MemFree") > LEAVE + MIB:
                step = min(memory("MemFree") - LEAVE, 64 * MIB) // PAGE * PAGE
                os.posix_fallocate(fd, size, step)
                size += step
        finally:
            os.close(fd)
        ktap.note(f"{size // MIB} MiB filled, {memory('MemFree') // MIB} MiB free, "
                  f"{memory('Cached') // MIB} MiB cached")
        yield
    finally:
        os.system(f"umount {folder}")
        os.rmdir(folder)
        module.write(MIN_FREE, before)
        module.write("/proc/self/oom_score_adj", score)


def exhaust(context):
    """Real failures while memory is full; none, and all pages back, once it is not."""
    if os.path.exists(INJECTED):
        assert module.read(INJECTED).strip() == "0", "faults are injected; failures prove nothing"
    with module.loaded():
        start = metrics.Metrics().check_idle()
        assert start.failed() == 0
        with one_cpu(), full_memory():
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
    """The timer bursts."""
    exhaust("timer_softirq")


def spinlock_runs_out_of_memory():
    """The kthread and the timer burst, one after the other."""
    exhaust("spinlock")


ktap.main(timer_softirq_runs_out_of_memory, spinlock_runs_out_of_memory)
