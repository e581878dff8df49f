#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: drivers
# Covers: rust/lib.rs rust/import.rs rust/exported.c include samples
# Takes: 6 s
"""Drivers in Rust are linked to labyrinth, and are refused if they were built against another
one."""

import errno
import re
import time

from lib import drivers, kmsg, ktap, metrics, module

POOL = "rust_pool"


def is_served(driver):
    """A sample gets pages in task context and in a softirq. Unloading it destroys its pool."""
    def requests(context):
        return metrics.Metrics().total("pool_requests_total", pool=driver, context=context,
                                       outcome="hit")
    with module.loaded():
        with drivers.loaded(driver):
            assert requests("task") == 1
            before = requests("softirq")
            module.wait_until(lambda: requests("softirq") > before + 100,
                              "100 requests in a softirq", 20)
        assert f'pool="{driver}"' not in module.read(module.file("metrics")), "the pool is still there"


def pages_in_a_softirq():
    """The sample in Rust gets pages."""
    is_served(POOL)


def pages_in_a_softirq_in_c():
    """The sample in C gets pages."""
    is_served("c_pool")


def labyrinth_stays():
    """labyrinth cannot be unloaded while a driver uses it, and no driver can be loaded without
    labyrinth."""
    with module.loaded(), drivers.loaded(POOL):
        try:
            module.unload()
        except OSError as error:
            assert error.errno == errno.EWOULDBLOCK, error
        else:
            raise AssertionError("labyrinth was unloaded under a driver")
    refused(drivers.path(POOL), errno.ENOENT, r"rust_pool: Unknown symbol \w+ \(err -2\)")


def refused(file, expected, message, **how):
    """Checks that a module is refused, with an errno and a message."""
    with kmsg.Provoked() as log:
        try:
            module.insert(file, **how)
        except OSError as error:
            if error.errno == errno.ENOEXEC and how.get("by_force"):
                ktap.note("this kernel loads nothing by force (CONFIG_MODULE_FORCE_LOAD)")
                return
            assert error.errno == expected, error
        else:
            raise AssertionError("it was loaded")
        time.sleep(0.1)
        assert log.expect(re.compile(message)), f"{log.records()} does not say why"
        # Loading by force prints more messages.
        log.expect(re.compile(r"rust_pool: (Unknown symbol|bad vermagic)|Disabling lock debugging"))


def stale_driver_is_refused():
    """A driver that was built against another labyrinth is not loaded, not even by force."""
    ours = drivers.namespace(POOL)
    other = ours[:-1] + (b"0" if ours[-1:] != b"0" else b"1")
    message = (rf"rust_pool: module uses symbol \(\w+\) from namespace {ours.decode()}, "
               "but does not import it")
    with module.loaded(), drivers.changed(POOL, ours, other) as stale:
        refused(stale, errno.EINVAL, message)
        refused(stale, errno.EINVAL, message, by_force=True)


ktap.main(pages_in_a_softirq, pages_in_a_softirq_in_c, labyrinth_stays, stale_driver_is_refused)
