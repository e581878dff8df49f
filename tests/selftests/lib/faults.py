# SPDX-License-Identifier: GPL-2.0
"""Uses fail_page_alloc to make only the module's own allocations fail."""

import contextlib
import os

from lib import module
from lib.ktap import Skip

FOLDER = "/sys/kernel/debug/fail_page_alloc"
FUNCTION = "labyrinth_alloc_pages"


def function_ranges(*names):
    """The addresses where functions of the module begin and end."""
    symbols = []
    with open("/proc/kallsyms", encoding="ascii") as table:
        for line in table:
            if line.endswith("[labyrinth]\n"):
                address, _, symbol, _ = line.split()
                symbols.append((int(address, 16), symbol))
    symbols.sort()

    def function_range(name):
        start = [address for address, symbol in symbols if symbol == name]
        assert len(start) == 1, f"{name} is in kallsyms {len(start)} times"
        later = [address for address, _ in symbols if address > start[0]]
        return start[0], (later[0] if later else start[0] + 4096)

    return {name: function_range(name) for name in names}


def times_left():
    """The number of failures yet to come."""
    return int(module.read(FOLDER + "/times"))


def _needed():
    """Skips the case if the kernel cannot inject faults by call stack."""
    if not os.path.isdir(FOLDER):
        raise Skip("the kernel has no fault injection (CONFIG_FAIL_PAGE_ALLOC)")
    if not os.path.exists(FOLDER + "/require-start"):
        raise Skip("faults cannot be aimed (CONFIG_FAULT_INJECTION_STACKTRACE_FILTER)")


@contextlib.contextmanager
def _aimed(start, end, **settings):
    """Injects faults for the length of a block, with these settings, and only if code at these
    addresses is on the stack."""
    # They are set in this order, and restored in reverse.
    wanted = {
            "task-filter": "N", "verbose": 0, "space": 0, "interval": 1, "min-order": 0,
            "ignore-gfp-wait": "N", "ignore-gfp-highmem": "N", "stacktrace-depth": 32,
            "require-start": f"{start:#x}", "require-end": f"{end:#x}", **settings}
    before = {name: module.read(f"{FOLDER}/{name}").strip() for name in wanted}
    try:
        for name, value in wanted.items():
            module.write(f"{FOLDER}/{name}", value)
        yield
    finally:
        for name in reversed(wanted):
            module.write(f"{FOLDER}/{name}", before[name])


@contextlib.contextmanager
def failing(probability, times=-1, spare_sleepers=False):
    """Makes this percentage of the module's page allocations fail, or of those that must not sleep.
    The module must be loaded."""
    _needed()
    with _aimed(*function_ranges(FUNCTION)[FUNCTION], times=times, probability=probability,
                **{"ignore-gfp-wait": "Y" if spare_sleepers else "N"}):
        yield


@contextlib.contextmanager
def one_at_a_time():
    """Yields a function(number, function, arguments…). It calls the other function while one
    allocation fails: the allocation of that number among those that the kernel makes for the module
    in this thread. It returns the result, and whether there was such an allocation. The module must
    be loaded."""
    _needed()
    with open("/proc/kallsyms", encoding="ascii") as table:
        code = [int(line.split()[0], 16) for line in table
                if line.endswith("[labyrinth]\n") and line.split()[1] in "tT"]
    switch = "/proc/thread-self/fail-nth"

    def call(number, function, *arguments, **keywords):
        fd = os.open(switch, os.O_RDWR)
        try:
            os.write(fd, str(number).encode())
            result = function(*arguments, **keywords)
            left = int(os.pread(fd, 16, 0))
            os.pwrite(fd, b"0", 0)
        finally:
            os.close(fd)
        return result, left == 0

    with _aimed(min(code), max(code) + 4096, times=-1, probability=0):
        yield call
