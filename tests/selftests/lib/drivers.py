# SPDX-License-Identifier: GPL-2.0
"""Finds and loads drivers that use labyrinth."""

import contextlib
import errno
import os
import re
import tempfile
import time

from lib import kmsg, ktap, module

_NAMESPACE = re.compile(rb"import_ns=(LABYRINTH_[0-9a-f]+)\0")
_BUILD = re.compile(rb"\0(_RN\w+BUILT_AGAINST_ANOTHER_LABYRINTH)\0")

# The message of the kernel about a driver that was built against another labyrinth.
OTHER_BUILD = r"\w+: Unknown symbol _RN\w+BUILT_AGAINST_ANOTHER_LABYRINTH \(err -2\)"


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


def _found(pattern, name):
    """What a pattern matches in the file of a driver, once."""
    with open(path(name), "rb") as file:
        found = set(pattern.findall(file.read()))
    assert len(found) == 1, f"{name} has {found}"
    return found.pop()


def namespace(name):
    """The namespace that a driver imports."""
    return _found(_NAMESPACE, name)


def build_symbol(name):
    """The symbol of a driver whose name depends on the build of labyrinth."""
    return _found(_BUILD, name)


def not_imported(name):
    """What the kernel log says of a driver that does not import this namespace."""
    return (rf"\w+: module uses symbol \(\w+\) from namespace {name.decode()}, "
            "but does not import it")


def refused(file, expected, *messages, by_force=False):
    """Checks that a module is refused, with one of the errnos and with all messages."""
    with kmsg.Provoked() as log:
        try:
            module.insert(file, by_force=by_force)
        except OSError as error:
            if error.errno == errno.ENOEXEC and by_force:
                ktap.note("this kernel loads nothing by force (CONFIG_MODULE_FORCE_LOAD)")
                return
            assert error.errno in expected, error
        else:
            raise AssertionError("it was loaded")
        time.sleep(0.1)
        for message in messages:
            assert log.expect(re.compile(message)), f"{log.records()} does not say {message}"
        # More symbols may be unknown. Loading by force prints messages of its own.
        log.expect(re.compile(r"\w+: (Unknown symbol|module uses symbol|bad vermagic)"
                              "|Disabling lock debugging"))
