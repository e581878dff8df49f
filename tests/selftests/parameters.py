#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak soak-debug
# Covers: rust/parameters.rs labyrinth_mod.rs
# Takes: 11 s
"""Module parameters are accepted within their bounds, and refused with a reason outside of them."""

import errno
import os
import re

from lib import kmsg, ktap, metrics, module
from lib.ktap import Skip

# The ends of two bounds are not tried together with start=1: 4096 pages on each CPU each 100 µs.
# stress.py tests that.
SETTINGS = {f"{context}_{name}": (context, name) for context in module.CONTEXTS
            for name in module.SETTINGS}
PAGES = {"pool_cache": (0, 1024), "pool_reserve": (0, 1 << 18),
         "pool_reserve_max": (0, 1 << 18), "prime": (0, 64),
         "user_pages": (0, 4096)}
SWITCHES = {**{f"{context}_start": "run" for context in module.CONTEXTS},
            "pool_node_only": "run", "recording": "recording",
            "sentinel": "sentinel"}
# Under emulation a load takes a tenth of a second, and more on a debug kernel. So an ordinary run
# tries only each seventh combination of values and parameters.
STRIDE = ktap.soak(7, 1)


def half_of_the_memory():
    """Returns half of the pages that the kernel manages."""
    total = re.search(r"^MemTotal:\s+(\d+) kB$", module.read("/proc/meminfo"), re.M)
    return int(total.group(1)) * 1024 // os.sysconf("SC_PAGE_SIZE") // 2


def both_ends():
    """Each parameter at each end of its bounds shows up in its file."""
    for end in (0, 1):
        values = {parameter: module.BOUNDS[name][end] for parameter, (_, name) in SETTINGS.items()}
        with module.loaded(**values):
            for parameter, (context, name) in SETTINGS.items():
                got = module.read(module.control(context, name))
                assert got == f"{values[parameter]}\n", f"{parameter}={values[parameter]}: {got!r}"
    for value in (0, 1, 2):
        with module.loaded(recording=value, sentinel=value):
            assert module.read(module.file("recording")) == f"{value}\n"
            assert metrics.Metrics().total("recording") == value
            assert module.read(module.file("sentinel")) == f"{value}\n"


def both_ends_of_the_pool():
    """A pool can have neither cache nor reserve, and it can be as large as the bounds allow."""
    with module.loaded(pool_cache=0, pool_reserve=0, pool_emergency=0, prime=0):
        now = metrics.wait_until_filled()
        assert now.total("pool_reserve_target") == 0 and now.cached() == 0
        assert module.read(module.file("pool", "emergency_budget")) == "0\n"
        module.write(module.file("pool", "prime"), 0)
        try:
            module.write(module.file("pool", "prime"), 1)
        except OSError as error:
            assert error.errno == errno.ERANGE, os.strerror(error.errno)
        else:
            raise AssertionError("a cache of 0 pages is primed with 1")
    with module.loaded(pool_cache=1024, pool_emergency=0xffff_ffff, prime=1024):
        wanted = 1024 * os.cpu_count()
        module.wait_until(lambda: metrics.Metrics().cached() == wanted, f"{wanted} pages cached")
        metrics.wait_until_filled().check_pool()
        assert module.read(module.file("pool", "emergency_budget")) == "4294967295\n"
    # The largest reserve that this machine allows. The module is unloaded before it is filled.
    most = min(PAGES["pool_reserve"][1], half_of_the_memory())
    with module.loaded(pool_reserve=most):
        assert metrics.Metrics().total("pool_reserve_target") == most


def started_at_load():
    """NAME_start=1 runs that exercise and no other, until the module is unloaded."""
    for context in module.CONTEXTS:
        with module.loaded(**{f"{context}_start": 1, f"{context}_period_us": 2000}):
            metrics.wait_for_cycles(context, 3)
            now = metrics.Metrics().check()
            for other in module.CONTEXTS:
                runs = int(other == context)
                assert now.total("exercise_running", context=other) == runs, other
                assert module.read(module.control(other, "run")) == f"{runs}\n"
                assert (now.cycles(other) > 0) == runs, other
        # The module was unloaded while it ran. A leak would be in the kernel log.


def refused(parameters):
    """Checks that the module is not loaded and leaves nothing. Returns the errno and the log."""
    with kmsg.Provoked() as log:
        try:
            module.load(**parameters)
        except OSError as error:
            assert not module.is_loaded(), f"{parameters}: refused, yet loaded"
            assert not os.path.exists(module.DEBUGFS), f"{parameters}: debugfs files left"
            return error.errno, log.errors()
    module.unload()
    raise AssertionError(f"{parameters} was taken")


def refusals(cases):
    """Runs refused loads, and yields the errors that each logged."""
    for parameter, value, wanted in cases[::STRIDE] if len(cases) > 10 else cases:
        got, errors = refused({parameter: value})
        assert got in wanted, \
            f"{parameter}={value}: {errno.errorcode[got]}, not {[errno.errorcode[w] for w in wanted]}"
        yield parameter, value, errors


def out_of_bounds():
    """A number out of bounds gives ERANGE. The log names the parameter, its value and its
    bounds."""
    cases = []
    for parameter, (_, name) in SETTINGS.items():
        low, high = module.BOUNDS[name]
        cases += [(parameter, value, (errno.ERANGE,))
                  for value in (low - 1, high + 1, 0xffff_ffff) if value >= 0]
    cases += [(parameter, value, (errno.ERANGE,)) for parameter, (_, high) in PAGES.items()
              for value in (high + 1, 0xffff_ffff)]
    cases += [(switch, value, (errno.ERANGE,)) for switch, name in SWITCHES.items()
              for value in (module.BOUNDS[name][1] + 1, 0xffff_ffff)]
    for parameter, value, errors in refusals(cases):
        _, name = SETTINGS.get(parameter, (None, SWITCHES.get(parameter)))
        low, high = PAGES.get(parameter) or module.BOUNDS[name]
        wanted = (parameter, str(value), str(low), str(high))
        assert any("labyrinth: " in line and all(part in line for part in wanted)
                   for line in errors), f"{parameter}={value}: the log only says {errors}"


def more_than_half_of_the_memory():
    """A reserve of more than half of the memory gives ENOMEM. The log names it and the largest
    possible reserve."""
    most = half_of_the_memory()
    if most >= PAGES["pool_reserve"][1]:
        raise Skip("the largest reserve is less than half of the memory")
    for name in ("pool_reserve", "pool_reserve_max"):
        for pages in (most + 1, PAGES[name][1]):
            got, errors = refused({name: pages})
            assert got == errno.ENOMEM, f"{name}={pages}: {errno.errorcode[got]}"
            assert any(f"a reserve of {pages} pages" in line and f"at most {most} pages" in line
                       for line in errors), f"{name}={pages}: the log only says {errors}"


def reserve_that_sizes_itself():
    """Bounds in the wrong order, and a half-life that is too short, are refused with the fix."""
    for parameters, said in (
            ({"pool_reserve": 100, "pool_reserve_max": 99},
             "pool_reserve_max=99 is below pool_reserve=100"),
            ({"pool_reserve_max": 300, "pool_reserve_half_life_ms": 99},
             "pool_reserve_half_life_ms=99 is out of bounds: 100 or more")):
        got, errors = refused(parameters)
        assert got == errno.ERANGE, f"{parameters}: {errno.errorcode[got]}"
        assert any(said in line for line in errors), f"{parameters}: the log only says {errors}"
    with module.loaded(pool_reserve=100, pool_reserve_max=100, pool_reserve_half_life_ms=100):
        assert metrics.wait_until_filled().total("pool_reserve_target") == 100


def no_such_node():
    """An unknown node gives ENODEV. The log names the parameter and its value."""
    cases = [("pool_node", value, (errno.ENODEV,)) for value in (-2, 1023, 1024, 1 << 30)]
    for parameter, value, errors in refusals(cases):
        assert any(f"{parameter}={value}" in line for line in errors), \
            f"{parameter}={value}: the log only says {errors}"


def not_a_number():
    """Text and negative numbers give EINVAL. A number that no u32 can hold is refused."""
    cases = []
    for parameter in [*SETTINGS, *SWITCHES, *PAGES, "pool_emergency"]:
        cases += [(parameter, value, (errno.EINVAL,)) for value in ("abc", "-1", "1x", "")]
        cases.append((parameter, 1 << 32, (errno.EINVAL, errno.ERANGE)))
    for _ in refusals(cases):
        pass


def nothing_left_after_a_refusal():
    """An exercise that was to start does not start if another one's parameter is refused."""
    refused({"timer_softirq_start": 1, "task_batch": 0})
    refused({"spinlock_start": 1, "task_start": 1, "recording": 7})
    with module.loaded():
        for context in module.CONTEXTS:
            for name, value in module.DEFAULTS.items():
                assert module.read(module.control(context, name)) == f"{value}\n"
        metrics.Metrics().check_idle()


ktap.main(both_ends, both_ends_of_the_pool, started_at_load, out_of_bounds,
          more_than_half_of_the_memory, reserve_that_sizes_itself, no_such_node, not_a_number, nothing_left_after_a_refusal)
