# SPDX-License-Identifier: GPL-2.0
"""Finds and loads drivers that use labyrinth."""

import contextlib
import os
import re
import tempfile

from lib import module

_NAMESPACE = re.compile(rb"import_ns=(LABYRINTH_[0-9a-f]+)\0")


def path(name):
    """The file of a driver."""
    return os.path.join(os.path.dirname(module.path()), name + ".ko")


@contextlib.contextmanager
def loaded(name, **parameters):
    """Loads a driver for the length of a block."""
    module.insert(path(name), **parameters)
    try:
        yield
    finally:
        module.remove(name)


@contextlib.contextmanager
def changed(name, old, new):
    """The file of a driver, with some bytes replaced by others."""
    assert len(old) == len(new)
    with open(path(name), "rb") as file:
        data = file.read()
    assert old in data, f"{old} is not in {name}"
    # The kernel does not load a file that is open for writing.
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, name + ".ko")
        with open(copy, "wb") as file:
            file.write(data.replace(old, new))
        yield copy


def namespace(name):
    """The namespace that a driver imports."""
    with open(path(name), "rb") as file:
        found = _NAMESPACE.findall(file.read())
    assert len(found) == 1, f"{name} imports {found}"
    return found[0]
