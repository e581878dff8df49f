#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check check-debug soak soak-debug
# Covers: labyrinth_mod.rs rust/exercise rust/ffi/unload rust/debugfs
# Takes: 12 s
"""The module is loaded and unloaded again and again. In between, every file is read and each
exercise runs. Nothing stays behind."""

import contextlib
import os

from lib import exercises, faults, kmsg, ktap, metrics, module

# After this many cycles, leaks have added up enough to be noticed. `make soak` also finds rare
# ones. A debug kernel is slow.
CYCLES = 10 if os.path.isdir(faults.FOLDER) else ktap.soak(40, 1000)


def left_behind():
    """Returns traces of the module that are left after it was unloaded."""
    with open("/proc/kallsyms", encoding="ascii") as symbols:
        traces = [line for line in symbols if line.rstrip().endswith("[labyrinth]")]
    for process in os.listdir("/proc"):
        if process.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                name = module.read(f"/proc/{process}/comm").strip()
                if name.startswith(("labyrinth", "labyrinth/")):
                    traces.append(f"process {process} {name}")
    if os.path.exists(module.DEBUGFS):
        traces.append(module.DEBUGFS)
    return traces


def one_cycle():
    """Loads the module, uses it, and unloads it."""
    module.load()
    try:
        assert "labyrinth" in module.read("/proc/modules")
        for name in module.READABLE:
            assert module.read(module.file(name)), f"{name} is empty"
        assert module.read(module.file("recording")) == "1\n"
        for context in module.CONTEXTS:
            for name, value in {**module.DEFAULTS, "run": 0}.items():
                assert module.read(module.control(context, name)) == f"{value}\n"
        with module.running(*module.CONTEXTS, batch=8):
            metrics.wait_for_all()
        end = metrics.Metrics().check_idle()
        for context in module.CONTEXTS:
            assert end.allocated(context=context) > 0, f"{context} allocated nothing"
        for context in exercises.PLAIN:
            assert end.failed(context=context) == 0, f"{context}: allocations failed"
    finally:
        module.unload()


def over_and_over():
    """In CYCLES cycles, the log stays clean, and nothing is left behind."""
    for cycle in range(CYCLES):
        with kmsg.Watch() as log:
            one_cycle()
            complaint = log.complaint()
        assert complaint is None, f"cycle {cycle + 1}: {complaint}"
        assert not module.is_loaded(), f"cycle {cycle + 1}: still loaded"
    traces = left_behind()
    assert not traces, f"left behind: {traces}"
    ktap.note(f"{CYCLES} cycles")


ktap.main(over_and_over)
