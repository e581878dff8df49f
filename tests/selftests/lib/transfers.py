# SPDX-License-Identifier: GPL-2.0
"""Controls the test module that transfers pages."""

import contextlib

from lib import drivers, metrics, module

NAME = "labyrinth_transfers"


@contextlib.contextmanager
def loaded():
    """Loads labyrinth and the test module for the length of a block."""
    with module.loaded(), drivers.loaded(NAME):
        yield


def file(name):
    """The path of one of its files."""
    return f"/sys/kernel/debug/{NAME}/{name}"


def cases():
    """The names of its cases."""
    return module.read(file("cases")).split()


def run(name, times=1):
    """Runs a case `times` times. OSError if it fails; then the kernel log says why."""
    module.write(file("run"), f"{name} {times}" if times > 1 else name)


def counts():
    """The transfers that labyrinth has counted, by kind."""
    return metrics.Metrics().transfers()
