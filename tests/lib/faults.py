# SPDX-License-Identifier: GPL-2.0
"""fail_page_alloc, aimed at nothing but the module's own allocations."""

import contextlib
import os

from lib import module
from lib.ktap import Skip

FOLDER = "/sys/kernel/debug/fail_page_alloc"
FUNCTION = "labyrinth_alloc_pages"


def function_ranges(*names):
    """Where functions of the module begin and end."""
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
    """How many more failures there will be."""
    return int(module.read(FOLDER + "/times"))


@contextlib.contextmanager
def failing(probability, times=-1, spare_sleepers=False):
    """Fails this percentage of the module's page allocations, or of those that may not sleep. The
    module must be loaded."""
    if not os.path.isdir(FOLDER):
        raise Skip("the kernel has no fault injection (CONFIG_FAIL_PAGE_ALLOC)")
    if not os.path.exists(FOLDER + "/require-start"):
        raise Skip("faults cannot be aimed (CONFIG_FAULT_INJECTION_STACKTRACE_FILTER)")
    start, end = function_ranges(FUNCTION)[FUNCTION]
    wanted = {
            "task-filter": "N", "verbose": 0, "space": 0, "interval": 1, "min-order": 0,
            "ignore-gfp-wait": "Y" if spare_sleepers else "N", "ignore-gfp-highmem": "N", "stacktrace-depth": 32,
            "require-start": f"{start:#x}", "require-end": f"{end:#x}",
            "times": times, "probability": probability}
    # The probability is the last to be set, and the first to be set back.
    before = {name: module.read(f"{FOLDER}/{name}").strip() for name in wanted}
    try:
        for name, value in wanted.items():
            module.write(f"{FOLDER}/{name}", value)
        yield
    finally:
        for name in reversed(wanted):
            module.write(f"{FOLDER}/{name}", before[name])
