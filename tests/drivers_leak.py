#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: drivers
# Covers: rust/ffi/unload tests/modules/leaks
# Takes: 10 s
"""Drivers that leak what the kernel may call, by safe code.

Each driver stays, and so does labyrinth, for the rest of this machine's life. So nothing can run
after this program.
"""

import contextlib
import errno
import os
import re
import time

from lib import drivers, kmsg, ktap, module

NAME = "labyrinth_leaks_x"
# As in tests/modules/leaks.
KINDS = ("timer", "hard_timer", "thread", "cpu_dead", "each_cpu", "shrinker", "bad_memory",
         "map_device", "debugfs")
DEVICE = "/dev/labyrinth_leaks"
FILE = "/sys/kernel/debug/labyrinth_leaks/file"
CPU = "/sys/devices/system/cpu/cpu1/online"


def name_of(kind):
    """The name of the driver that leaks it."""
    return NAME[:-1] + str(KINDS.index(kind))


def leave(kind):
    """Loads a driver that leaks something, and has another process unload it."""
    if not module.is_loaded():
        module.load()
    name = name_of(kind)
    with drivers.changed(NAME, NAME.encode(), name.encode()) as file:
        module.insert(file, kind=KINDS.index(kind))
    pid = os.fork()
    if not pid:
        # It never ends, and the test runner waits for the other end of its output.
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        with contextlib.suppress(OSError):
            module.remove(name)
        os._exit(0)
    return pid


def called_after(log, kind, provoke):
    """How often the driver was called since, of which there has to be some."""
    text = f"{name_of(kind)}: {kind} called"
    count = lambda: sum(text == record[1] for record in log.records())
    before = count()
    provoke()
    module.wait_until(lambda: count() > before, f"'{text}' in the log", 10)


def stays(kind, provoke):
    """The driver stays after a leak. What it has leaked is called, and works."""
    with kmsg.Provoked() as log:
        pid = leave(kind)
        message = re.compile(rf"labyrinth: {name_of(kind)}: 1 owner\(s\) of callbacks leaked")
        module.wait_until(lambda: log.expect(message), "a message that names the driver", 10)
        if provoke:
            called_after(log, kind, provoke)
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), "the driver is gone"
        assert f"{name_of(kind)} " in module.read("/proc/modules")
        log.errors()


def off_and_on():
    """Takes a CPU offline and back."""
    module.write(CPU, 0)
    module.write(CPU, 1)


def cannot_be_opened(path, *expected):
    """A file of a module that is being unloaded is there, but no longer to be had."""
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError as error:
        assert error.errno in expected, error
    else:
        raise AssertionError(f"{path} was opened")


def timer():
    """A timer goes on expiring."""
    stays("timer", lambda: None)


def hard_timer():
    """So does one in hard interrupts."""
    stays("hard_timer", lambda: None)


def thread():
    """A thread goes on."""
    stays("thread", lambda: None)


def cpu_dead():
    """A CPU dies."""
    stays("cpu_dead", off_and_on)


def each_cpu():
    """A CPU leaves and arrives."""
    stays("each_cpu", off_and_on)


def shrinker():
    """Memory is wanted back."""
    stays("shrinker", lambda: module.write("/proc/sys/vm/drop_caches", 2))


def bad_memory():
    """Memory goes bad."""
    stays("bad_memory", None)


def map_device():
    """A device that pages can be mapped from."""
    stays("map_device", None)
    cannot_be_opened(DEVICE, errno.ENODEV, errno.ENXIO)


def debugfs():
    """A file in debugfs."""
    stays("debugfs", None)
    cannot_be_opened(FILE, errno.ENXIO)


def other_drivers_come_and_go():
    """The rest of the machine works on."""
    for _ in range(3):
        with drivers.loaded("rust_pool"):
            time.sleep(0.1)
    off_and_on()
    loaded = module.read("/proc/modules")
    assert all(f"{name_of(kind)} " in loaded for kind in KINDS)
    assert module.is_loaded()


ktap.main(timer, hard_timer, thread, cpu_dead, each_cpu, shrinker, bad_memory, map_device, debugfs,
          other_drivers_come_and_go, stays=True)
