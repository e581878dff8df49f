#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check
# Covers: rust/wall rust/debugfs/wall.rs
# Takes: 7 s
"""The control files of the experiment behind `make wall` work on a machine with free memory."""

import errno

from lib import ktap, module, pressure

NAMES = ("kernel", "nowait", "atomic", "bulk", "mempool", "labyrinth", "labyrinth_consumed")
RESERVED = ("mempool", "labyrinth", "labyrinth_consumed")
PAGES = 256
MOST = 32768


def wall(name):
    """Returns the path of a file."""
    return module.file("wall", name)


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


def refuses_bad_input():
    """Each bad write gets its errno and changes nothing."""
    with module.loaded():
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
    with module.loaded():
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


def unloads_while_pages_are_held():
    """Held pages, and those in reserves, are freed when the module is unloaded. The test would
    notice a single contestant that keeps its pages."""
    times, pages = 4, 4 * PAGES
    with pressure.short_lists():
        for turn in range(1 + times):
            if turn == 1:
                # The first one has emptied the lists, and loaded whatever is loaded once.
                before = pressure.memory("MemFree")
            with module.loaded():
                module.write(wall("prepare"), pages)
                for name in NAMES:
                    # More than it has space for: the rest is dropped.
                    for _ in range(10):
                        module.write(wall("hold"), name)
                module.write(wall("release"), "atomic")
                module.write(wall("burst"), "labyrinth")
        missing = (before - pressure.memory("MemFree")) // pressure.PAGE
    ktap.note(f"{missing} pages fewer are free than before")
    assert missing < times * pages // 2, f"{missing} pages are missing"


ktap.main(refuses_bad_input, bursts_are_served, unloads_while_pages_are_held)
