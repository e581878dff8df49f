#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: drivers
# Covers: rust/ffi/unload tests/modules/leaks
# Takes: 17 s
# Runs last
"""Drivers leak, in safe code, objects with callbacks that the kernel may call.

Each driver stays loaded, and so does labyrinth, until the machine is switched off. So no other
program can run after this one.
"""

import contextlib
import errno
import os
import re
import time

from lib import drivers, kmsg, ktap, module

NAME = "labyrinth_leaks_x"
# In the order of tests/modules/leaks.
KINDS = ("timer", "hard_timer", "thread", "cpu_dead", "each_cpu", "shrinker", "bad_memory",
         "map_device", "debugfs", "timer_without_memory", "statistics", "open_file", "pci_driver",
         "pool")
PCI = "/sys/bus/pci"
DEVICE = "/dev/labyrinth_leaks"
FILE = "/sys/kernel/debug/labyrinth_leaks/file"
CPU = "/sys/devices/system/cpu/cpu1/online"


def name_of(kind):
    """Returns the name of the driver that leaks this kind."""
    return NAME[:-1] + "0123456789abcd"[KINDS.index(kind)]


def detach():
    """Closes the output, because the test runner waits until all writers have closed it."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)


def leave(kind):
    """Loads a driver that leaks something, lets another process unload it, and returns the
    process."""
    if not module.is_loaded():
        module.load()
    name = name_of(kind)
    with drivers.changed(NAME, NAME.encode(), name.encode()) as file:
        module.insert(file, kind=KINDS.index(kind))
    pid = os.fork()
    if not pid:
        # This process never ends, so it must not keep the output open.
        detach()
        with contextlib.suppress(OSError):
            module.remove(name)
        os._exit(0)
    return pid


def called_after(log, kind, says, provoke):
    """Checks that the driver is called after `provoke`."""
    text = f"{name_of(kind)}: {says} called"
    count = lambda: sum(text == record[1] for record in log.records())
    before = count()
    provoke()
    module.wait_until(lambda: count() > before, f"'{text}' in the log", 10)


def stays(kind, provoke, says=None):
    """Checks that a driver stays after a leak, and that what it has leaked is called and works."""
    with kmsg.Provoked() as log:
        pid = leave(kind)
        name = name_of(kind)
        message = re.compile(rf"labyrinth: {name}: 1 owner\(s\) of callbacks or pools leaked")
        module.wait_until(lambda: log.expect(message), "a message that names the driver", 10)
        if provoke:
            called_after(log, kind, says or kind, provoke)
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), "the driver is gone"
        assert f"{name_of(kind)} " in module.read("/proc/modules")
        log.errors()


def off_and_on():
    """Takes a CPU offline and back."""
    module.write(CPU, 0)
    module.write(CPU, 1)


def cannot_be_opened(path, *expected):
    """Checks that a file of a module that is being unloaded exists, but cannot be opened."""
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError as error:
        assert error.errno in expected, error
    else:
        raise AssertionError(f"{path} was opened")


def timer():
    """A leaked timer continues to expire."""
    stays("timer", lambda: None)


def hard_timer():
    """A leaked timer in hard interrupts continues to expire."""
    stays("hard_timer", lambda: None)


def thread():
    """A leaked thread continues to run."""
    stays("thread", lambda: None)


def cpu_dead():
    """A leaked callback is called when a CPU has died."""
    stays("cpu_dead", off_and_on)


def each_cpu():
    """Leaked callbacks are called when a CPU leaves and arrives."""
    stays("each_cpu", off_and_on)


def shrinker():
    """A leaked shrinker is asked for memory."""
    stays("shrinker", lambda: module.write("/proc/sys/vm/drop_caches", 2))


def bad_memory():
    """A leaked listener is called when memory goes bad."""
    stays("bad_memory", None)


def map_device():
    """A leaked device can no longer be opened."""
    stays("map_device", None)
    cannot_be_opened(DEVICE, errno.ENODEV, errno.ENXIO)


def debugfs():
    """A leaked debugfs file can no longer be opened."""
    stays("debugfs", None)
    cannot_be_opened(FILE, errno.ENXIO)


def probe_a_device():
    """Has the kernel probe a PCI device that has no driver."""
    devices = os.listdir(f"{PCI}/devices")
    idle = [name for name in devices if not os.path.exists(f"{PCI}/devices/{name}/driver")]
    assert idle, f"each device has a driver: {devices}"
    module.write(f"{PCI}/devices/{min(idle)}/driver_override", "labyrinth_leaks")
    module.write(f"{PCI}/drivers_probe", min(idle))


def pci_driver():
    """A leaked driver of PCI devices is asked to probe a device."""
    stays("pci_driver", probe_a_device)


def pool():
    """A driver that leaks a pool stays, too, or labyrinth would stay without saying whose pool is
    left."""
    stays("pool", None)
    assert 'pool="leaks"' in module.read(module.file("metrics"))


def timer_without_memory():
    """A driver frees the memory of a timer without dropping the timer, which continues to expire.
    Its state is in memory of its own."""
    stays("timer_without_memory", lambda: None, says="timer")


def statistics():
    """A leaked statistic is shown in each report, with the name of its driver."""
    name = f"labyrinth_{name_of('statistics')}_leaked"

    def read():
        assert f"\n{name} 7\n" in module.read(module.file("metrics")), f"there is no {name}"

    stays("statistics", read)


def open_file():
    """The init function of a driver fails while a process has one of its files open. The driver
    stays until the process closes the file."""
    if not module.is_loaded():
        module.load()
    name = name_of("open_file")
    with drivers.changed(NAME, NAME.encode(), name.encode()) as file:
        pid = os.fork()
        if not pid:
            detach()
            try:
                module.insert(file, kind=KINDS.index("open_file"))
            except OSError as error:
                os._exit(error.errno)
            os._exit(0)
        module.wait_until(lambda: os.access(FILE, os.R_OK), "a file of the driver", 10)
        fd = os.open(FILE, os.O_RDONLY)
        time.sleep(4)
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), "the driver is gone under an open file"
        os.close(fd)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == errno.EXDEV
    assert f"{name} " not in module.read("/proc/modules")


def other_drivers_come_and_go():
    """Other drivers, and the rest of the machine, continue to work."""
    for _ in range(3):
        with drivers.loaded("rust_pool"):
            time.sleep(0.1)
    off_and_on()
    loaded = module.read("/proc/modules")
    assert all(f"{name_of(kind)} " in loaded for kind in KINDS if kind != "open_file")
    assert module.is_loaded()


ktap.main(open_file, timer, hard_timer, thread, cpu_dead, each_cpu, shrinker, bad_memory, map_device,
          debugfs, pci_driver, pool, timer_without_memory, statistics, other_drivers_come_and_go,
          stays=True)
