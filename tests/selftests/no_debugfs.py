#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: runner
"""On a machine that was booted with debugfs=off or no-mount there are no reports, and everything
else works. tests/runner boots such machines."""

import mmap
import os
import time

from lib import books, consumer, cpus, kmsg, ktap, module
from lib.ktap import Skip

DEVICE = "/dev/labyrinth"
WORDS = ("debugfs=off", "debugfs=no-mount")
ROUNDS = 3


def the_c_interface_works():
    """A module in C gets blocks in all contexts, and all of them are freed."""
    with consumer.loaded(consumer.C):
        module.write(consumer.parameter("run"), 1)
        for name in ("softirq_blocks", "softirq_bulk", "task_blocks", "spinlock_blocks"):
            module.wait_until(lambda: consumer.tally(name) > 0, name)
        module.write(consumer.parameter("run"), 0)
        assert consumer.tally("failures") == consumer.tally("corruptions") == 0


def the_device_works():
    """A process gets a page."""
    fd = os.open(DEVICE, os.O_RDWR)
    try:
        with mmap.mmap(fd, mmap.PAGESIZE) as page:
            assert page[:] == bytes(mmap.PAGESIZE)
            page[:] = b"x" * mmap.PAGESIZE
            assert page[-1:] == b"x"
    finally:
        os.close(fd)


def all_but_the_reports():
    """The module can be loaded, reports once why there are no files, and works otherwise. All pages
    are freed."""
    if not set(WORDS) & set(module.read("/proc/cmdline").split()):
        raise Skip(f"not booted with one of {', '.join(WORDS)}, as tests/runner does")
    start = {f"{context}_start": 1 for context in module.CONTEXTS}
    start |= {"timer_softirq_pool": 1, "prime": 16}
    with kmsg.Watch() as log, module.loaded(**start):
        said = [text for _, text in log.records()
                if "labyrinth: no reports and no control files" in text]
        assert len(said) == 1 and "debugfs is switched off" in said[0], said
        assert not os.path.exists(module.DEBUGFS)
        cpus.check_at_work(*module.CONTEXTS)
        the_c_interface_works()
        the_device_works()
    for _ in range(ROUNDS):
        with books.kept() as kernel:
            with module.loaded(**start):
                kernel.learn()
                time.sleep(0.1)
            allocated, freed = kernel.read()
            assert allocated == freed > 0, f"{allocated} allocated, {freed} freed after unloading"


ktap.main(all_but_the_reports)
