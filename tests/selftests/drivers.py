#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: drivers
# Covers: rust/lib.rs rust/import.rs rust/exported.c include samples
# Takes: 6 s
"""Drivers in Rust are linked to labyrinth, and are refused if they were built against another
one."""

import errno

from lib import drivers, ktap, metrics, module

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
    drivers.refused(drivers.path(POOL), (errno.ENOENT,), r"rust_pool: Unknown symbol \w+ \(err -2\)")


def other_than(name):
    """A name of the same length."""
    return name[:-1] + (b"0" if name[-1:] != b"0" else b"1")


def stale_driver_is_refused():
    """A driver that imports another labyrinth's symbols is not loaded, not even by force. Two
    checks refuse it, and each is enough."""
    ours = drivers.namespace(POOL)
    with module.loaded():
        with drivers.changed(POOL, ours, other_than(ours)) as stale:
            for by_force in (False, True):
                drivers.refused(stale, (errno.EINVAL,), drivers.not_imported(ours), by_force=by_force)
        symbol = drivers.build_symbol(POOL)
        with drivers.changed(POOL, symbol, symbol.replace(b"import", b"export")) as stale:
            for by_force in (False, True):
                drivers.refused(stale, (errno.ENOENT,), drivers.OTHER_BUILD, by_force=by_force)


def refusals_are_explained():
    """The kernel log says why a pool or a statistic of a driver is refused. The module loader turns
    an EEXIST of a driver into EBUSY."""
    with module.loaded():
        # In the order of tests/modules/leaks.
        for kind, (wanted, text) in enumerate((
                ((errno.EINVAL,), "statistics: row 'Bad-Name': its name or its labels"),
                ((errno.EEXIST, errno.EBUSY), "statistics: row 'leaked': .* is registered already"),
                ((errno.EEXIST, errno.EBUSY), "there is a pool 'leaks' already"),
                ((errno.ERANGE,), f"pool 'leaks': reserve={1 << 40} is out of bounds: 0 to "),
                ((errno.EINVAL,), "the name of a pool is 1 to 31 .*, not 'two words'")), start=14):
            drivers.refused(drivers.path("labyrinth_leaks_x"), wanted, "labyrinth: " + text,
                            kind=kind)


ktap.main(pages_in_a_softirq, pages_in_a_softirq_in_c, labyrinth_stays, stale_driver_is_refused,
          refusals_are_explained)
