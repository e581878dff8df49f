#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: stale
# Covers: rust/import.rs rust/exported.c scripts/build/library-id.sh
# Takes: 10 s
"""Drivers that were built against another labyrinth are not loaded, not even by force.

tests/stale builds them. They differ from the driver `rust_pool` in nothing else."""

import errno

from lib import drivers, ktap, module

POOL = "rust_pool"


def refused(name):
    """Checks that the driver is refused, for both reasons, and that labyrinth works on."""
    stale = drivers.path("stale_" + name)
    ours = drivers.namespace(POOL)
    assert drivers.namespace("stale_" + name) != ours
    with module.loaded():
        for by_force in (False, True):
            # The errno is that of the last symbol.
            drivers.refused(stale, (errno.EINVAL, errno.ENOENT), drivers.OTHER_BUILD,
                            drivers.not_imported(ours), by_force=by_force)
        with drivers.by_force(stale, POOL) as commands:
            for command in commands:
                drivers.program_is_refused(POOL, command, drivers.OTHER_BUILD,
                                           drivers.not_imported(ours))
        with drivers.loaded(POOL):
            pass


def another_field():
    """A type of that labyrinth has one more field."""
    refused("field")


def another_flag():
    """That labyrinth was built with another flag of rustc."""
    refused("flag")


def another_rustc():
    """That labyrinth was built by another rustc."""
    refused("rustc")


def another_kernel_crate():
    """That labyrinth was built against another crate `kernel`."""
    refused("kernel_crate")


def our_build_by_force():
    """The programs that cannot load the other drivers can load ours, and do so by force."""
    with module.loaded(), drivers.by_force(drivers.path(POOL), POOL) as commands:
        for command in commands:
            drivers.program_loads(POOL, command)


ktap.main(another_field, another_flag, another_rustc, another_kernel_crate,
          our_build_by_force)
