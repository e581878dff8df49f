#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check
# Covers: rust/lab
# Takes: 7 s
"""The control files of the experiment behind `make wall` work on a machine with free memory."""

import contextlib
import errno
import os
import stat

from lib import drivers, ktap, module, pressure

LAB = "labyrinth_lab"
DEBUGFS = "/sys/kernel/debug/" + LAB
MODES = {"prepare": 0o600, "burst": 0o200, "hold": 0o200, "release": 0o200, "results": 0o400,
         "memory": 0o400, "sized/half_life_ms": 0o600, "sized/bound": 0o600,
         "sized/burst": 0o200, "sized/state": 0o400}

NAMES = ("kernel", "nowait", "atomic", "bulk", "mempool", "labyrinth", "labyrinth_consumed")
RESERVED = ("mempool", "labyrinth", "labyrinth_consumed")
PAGES = 256
MOST = 32768


def wall(name):
    """Returns the path of a file."""
    return os.path.join(DEBUGFS, "wall", name)


@contextlib.contextmanager
def loaded():
    """Loads labyrinth and the lab for the length of a block."""
    with module.loaded(), drivers.loaded(LAB):
        yield


def results():
    """Returns the lines of `results` as dicts, by name."""
    lines = (dict(field.split("=") for field in line.split())
             for line in module.read(wall("results")).splitlines())
    return {line["name"]: line for line in lines}


def refused(file, value, wanted):
    """Checks that a write fails with this errno."""
    try:
        module.write(wall(file), value)
    except OSError as error:
        assert error.errno == wanted, f"{file}: {value!r} gives {error}, not {errno.errorcode[wanted]}"
    else:
        raise AssertionError(f"{file}: {value!r} is taken")


def only_for_root():
    """Each file has its mode, and none is left when the module is gone."""
    with loaded():
        found = {os.path.join(folder, name): stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
                 for folder, _, names in os.walk(DEBUGFS) for name in names}
        ours = {path: mode for path, mode in found.items() if path.startswith(wall(""))}
        assert ours == {wall(name): mode for name, mode in MODES.items()}, ours
        rest = {path: mode for path, mode in found.items() if path not in ours}
        assert rest and all(mode == 0o400 for mode in rest.values()), rest
    assert not os.path.exists(DEBUGFS)


def refuses_bad_input():
    """Each bad write gets its errno and changes nothing."""
    with loaded():
        for value in ("", "x", "-1", "1 2", "0x10"):
            refused("prepare", value, errno.EINVAL)
        for value in (MOST + 1, 1 << 63):
            refused("prepare", value, errno.ERANGE)
        for file in ("burst", "hold", "release"):
            for value in ("", "x", "Atomic", "atomic ", "atomic\n\n"):
                refused(file, value, errno.EINVAL)
            refused(file, "atomic", errno.ENXIO)
        assert module.read(wall("prepare")) == "0\n"
        try:
            results()
        except OSError as error:
            assert error.errno == errno.ENXIO, error
        else:
            raise AssertionError("there are results of nothing")


def bursts_are_served():
    """With free memory no contestant drops a page, and all reserves are full at the end."""
    with loaded():
        module.write(wall("prepare"), PAGES)
        for _ in range(2):
            for name in NAMES:
                module.write(wall("burst"), name)
        assert set(results()) == set(NAMES)
        for name, line in results().items():
            count = {key: int(line[key]) for key in
                     ("bursts", "asked", "dropped", "emergency", "reserve", "not_recovered",
                      "served_max_ns", "failed_max_ns")}
            assert count["bursts"] == 2 and count["asked"] == 2 * PAGES, line
            assert count["dropped"] == 0 and count["emergency"] == 0, line
            assert count["reserve"] == (PAGES if name in RESERVED else 0), line
            assert count["not_recovered"] == 0, line
            assert count["served_max_ns"] > 0 and count["failed_max_ns"] == 0, line
        module.write(wall("prepare"), 0)
        assert module.read(wall("prepare")) == "0\n"


def sized_pool():
    """The pool whose reserve sizes itself: bad writes are refused, and with free memory it serves
    bursts of any size without a reserve."""
    with loaded():
        for file in ("sized/half_life_ms", "sized/bound", "sized/burst"):
            for value in ("", "x", "-1"):
                refused(file, value, errno.EINVAL)
        for file, values in (("half_life_ms", (0, 99, 1 << 32)), ("bound", (65537,)),
                             ("burst", (0, 65537))):
            for value in values:
                refused("sized/" + file, value, errno.ERANGE)
        refused("sized/burst", 1, errno.ENXIO)
        module.write(wall("sized/half_life_ms"), 100)
        module.write(wall("sized/bound"), 1024)
        assert module.read(wall("sized/half_life_ms")) == "100\n"
        assert module.read(wall("sized/bound")) == "1024\n"
        for pages in (1, PAGES):
            module.write(wall("sized/burst"), pages)
            line = dict(field.split("=") for field in module.read(wall("sized/state")).split())
            got = {key: int(line[key]) for key in ("last_asked", "last_dropped", "level", "target")}
            assert got == {"last_asked": pages, "last_dropped": 0, "level": 0, "target": 0}, got
        module.write(wall("sized/bound"), 0)


def unloads_while_pages_are_held():
    """Held pages, and those in reserves, are freed when the module is unloaded. The test would
    notice a single contestant that keeps its pages."""
    times, pages = 4, 4 * PAGES
    with pressure.short_lists():
        for turn in range(1 + times):
            if turn == 1:
                # The first run has emptied the lists, and allocated memory that is kept.
                before = pressure.memory("MemFree")
            with loaded():
                module.write(wall("prepare"), pages)
                for name in NAMES:
                    # These are more pages than a contestant can hold, and it drops the rest.
                    for _ in range(10):
                        module.write(wall("hold"), name)
                module.write(wall("sized/bound"), pages)
                module.write(wall("release"), "atomic")
                module.write(wall("burst"), "labyrinth")
        missing = (before - pressure.memory("MemFree")) // pressure.PAGE
    ktap.note(f"{missing} pages fewer are free than before")
    assert missing < times * pages // 2, f"{missing} pages are missing"


ktap.main(only_for_root, refuses_bad_input, bursts_are_served, sized_pool,
          unloads_while_pages_are_held)
