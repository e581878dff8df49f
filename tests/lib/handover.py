# SPDX-License-Identifier: GPL-2.0
"""The module that tries hand-overs of pages."""

import collections
import contextlib
import os

from lib import module

NAME = "labyrinth_handover"

# Of one kind of hand-over.
Counts = collections.namedtuple("Counts", "successes failures samples nanos", defaults=(0, 0))


@contextlib.contextmanager
def loaded():
    """The module, for the length of a block. It needs no other."""
    module.insert(os.path.join(os.path.dirname(module.path()), NAME + ".ko"))
    try:
        yield
    finally:
        module.remove(NAME)


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
    """The hand-overs so far, by kind."""
    lines = (line.split() for line in module.read(file("handovers")).splitlines())
    return {kind: Counts(*map(int, numbers)) for kind, *numbers in lines}
