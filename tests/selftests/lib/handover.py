# SPDX-License-Identifier: GPL-2.0
"""The driver that tries hand-overs of pages."""

import contextlib

from lib import drivers, metrics, module

NAME = "labyrinth_handover"


@contextlib.contextmanager
def loaded():
    """labyrinth and the driver, for the length of a block."""
    with module.loaded(), drivers.loaded(NAME):
        yield


def file(name):
    """The path of one of its files."""
    return f"/sys/kernel/debug/{NAME}/{name}"


def cases():
    """The names of its cases."""
    return module.read(file("cases")).split()


def run(name, times=1):
    """Runs a case `times` times; OSError if it fails. The kernel log says what is wrong."""
    module.write(file("run"), f"{name} {times}" if times > 1 else name)


def counts():
    """The hand-overs that labyrinth has counted, by kind."""
    return metrics.Metrics().handovers()
