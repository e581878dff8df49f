# SPDX-License-Identifier: GPL-2.0
"""Finds and loads drivers that use labyrinth."""

import contextlib
import errno
import os
import re
import shutil
import subprocess
import tempfile
import time

from lib import kmsg, ktap, module

_NAMESPACE = re.compile(rb"import_ns=(LABYRINTH_[0-9a-f]+)\0")
_BUILD = re.compile(rb"\0(_RN\w+BUILT_AGAINST_ANOTHER_LABYRINTH)\0")

# The message of the kernel about a driver that was built against another labyrinth.
OTHER_BUILD = r"\w+: Unknown symbol _RN\w+BUILT_AGAINST_ANOTHER_LABYRINTH \(err -2\)"

# How insmod and modprobe print ENOEXEC.
_LOADS_NOTHING_BY_FORCE = re.compile("Invalid module format|Exec format error")


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


def refused(file, expected, *messages, by_force=False, **parameters):
    """Checks that a module is refused, with one of the errnos and with all messages."""
    with kmsg.Provoked() as log:
        try:
            module.insert(file, by_force=by_force, **parameters)
        except OSError as error:
            if error.errno == errno.ENOEXEC and by_force:
                ktap.note("this kernel loads nothing by force (CONFIG_MODULE_FORCE_LOAD)")
                return
            assert error.errno in expected, error
        else:
            raise AssertionError("it was loaded")
        _check(log, messages)


def _check(log, messages):
    """Checks that the kernel log says all of this. Other messages about symbols are expected."""
    time.sleep(0.1)
    for message in messages:
        assert log.expect(re.compile(message)), f"{log.records()} does not say {message}"
    # More symbols may be unknown. A forced load prints messages of its own, and with
    # CONFIG_MODVERSIONS a message about the first symbol that has no version.
    log.expect(re.compile(r"\w+: (Unknown symbol|module uses symbol|bad vermagic)"
                          r"|\w+: \w+: kernel tainted|Disabling lock debugging"))


@contextlib.contextmanager
def by_force(file, name):
    """The commands by which a user loads a driver's file by force. insmod takes the file. modprobe
    takes the driver's name, and finds the file in a folder of modules that depmod has indexed."""
    with tempfile.TemporaryDirectory() as folder:
        release = os.uname().release
        modules = os.path.join(folder, "usr/lib/modules", release)
        os.makedirs(modules)
        # Distributions differ in where their kmod looks.
        os.symlink("usr/lib", os.path.join(folder, "lib"))
        shutil.copy(module.path(), modules)
        shutil.copy(file, os.path.join(modules, name + ".ko"))
        for index in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
            open(os.path.join(modules, index), "wb").close()
        assert (done := _run("depmod", "--basedir", folder, release)).returncode == 0, done.stderr
        yield (("insmod", "--force", file),
               ("modprobe", "--dirname", folder, "--force", name))


def _run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def program_loads(name, command):
    """Checks that a program loads a module by force, and unloads the module. Skips the case on a
    kernel that loads nothing by force."""
    with kmsg.Provoked() as log:
        done = _run(*command)
        if _LOADS_NOTHING_BY_FORCE.search(done.stderr):
            raise ktap.Skip("this kernel loads nothing by force (CONFIG_MODULE_FORCE_LOAD)")
        assert done.returncode == 0, f"{command}: {done.stderr}"
        try:
            taint = module.read(f"/sys/module/{name}/taint")
        finally:
            module.remove(name)
        _check(log, ())
    # Without force, the kernel would not have set this flag.
    assert "F" in taint, f"{command[0]} did not use force: {taint}"


def program_is_refused(name, command, *messages):
    """Checks that a program cannot load a module by force, and that the kernel log says why."""
    with kmsg.Provoked() as log:
        done = _run(*command)
        if os.path.exists(f"/sys/module/{name}"):
            module.remove(name)
            raise AssertionError(f"{command[0]} loaded it")
        assert done.returncode, f"{command[0]} says that it has loaded it"
        if _LOADS_NOTHING_BY_FORCE.search(done.stderr):
            ktap.note("this kernel loads nothing by force (CONFIG_MODULE_FORCE_LOAD)")
            return
        # These are EINVAL and ENOENT.
        assert re.search("could not insert .*: (Invalid (parameters|argument)|Unknown symbol)",
                         done.stderr), done.stderr
        _check(log, messages)
