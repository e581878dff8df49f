# SPDX-License-Identifier: GPL-2.0
"""Loads and unloads labyrinth.ko, and reads and writes its files."""

import atexit
import contextlib
import ctypes
import functools
import os
import re
import time

NAME = "labyrinth"
DEBUGFS = "/sys/kernel/debug/" + NAME
READABLE = ("stats", "latency", "metrics", "corruption")
SETTINGS = ("period_us", "batch", "hold_us", "pool", "priority", "guard")
BOUNDS = {"period_us": (100, 10_000_000), "batch": (1, 4096), "hold_us": (0, 10_000_000),
          "pool": (0, 1), "priority": (0, 2), "guard": (0, 1), "run": (0, 1),
          "recording": (0, 2), "sentinel": (0, 2), "reset": (1, 1),
          "emergency_budget": (0, 0xffff_ffff), "prime": (0, 64)}
DEFAULTS = {"period_us": 10_000, "batch": 16, "hold_us": 0, "pool": 0, "priority": 2,
            "guard": 0}
# The files of the pool, and the files that can only be written.
POOL = ("prime", "emergency_budget")
WRITE_ONLY = ("reset", "prime")

# Use system calls instead of insmod and rmmod. Under emulation, starting a process takes longer
# than loading a module, and several cases check the errno.
_SYS_DELETE_MODULE = 176
_SYS_FINIT_MODULE = 313
# MODULE_INIT_IGNORE_MODVERSIONS, MODULE_INIT_IGNORE_VERMAGIC
_FORCE = 1 | 2
libc = ctypes.CDLL(None, use_errno=True)


def _checked(result, what):
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno), what)
    return result


def path():
    """The module to test: LABYRINTH_KO, or the one beside the tests."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return os.environ.get("LABYRINTH_KO") or os.path.join(here, NAME + ".ko")


@functools.cache
def _exercises():
    """Returns the names of the exercises that the module has, by their module parameters."""
    with open(path(), "rb") as ko:
        names = re.findall(rb"\0parm=(\w+)_period_us:", ko.read())
    # Each is in there once, and in no particular order.
    return tuple(sorted(name.decode() for name in names))


def __getattr__(name):
    """Reads the module file only for programs that ask for CONTEXTS. Others can do without it."""
    if name == "CONTEXTS":
        return _exercises()
    raise AttributeError(name)


def select_kunit(wanted):
    """Sets whether KUnit, if the kernel has it, runs the module's suites when the module is loaded.
    Holds until this program ends."""
    glob = "/sys/module/kunit/parameters/filter_glob"
    if os.path.exists(glob):
        before = read(glob).strip()
        atexit.register(write, glob, "*" if before in ("", "(null)") else before)
        write(glob, "*" if wanted else "none-of-them")


def is_loaded():
    """Whether a module is loaded."""
    return os.path.exists("/sys/module/" + NAME)


def has_mutants(file_name):
    """Whether a module file was made by tests/mutation."""
    with open(file_name, "rb") as file:
        return b"\0parmtype=mutant:" in file.read()


def insert(file_name, by_force=False, **parameters):
    """Loads any module file. OSError if the kernel refuses. `by_force` is `insmod --force`. In a
    file with mutants, chooses the mutant with the number LABYRINTH_MUTANT, see tests/mutation."""
    if (mutant := os.environ.get("LABYRINTH_MUTANT")) and has_mutants(file_name):
        parameters["mutant"] = mutant
    text = " ".join(f"{name}={value}" for name, value in parameters.items())
    fd = os.open(file_name, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(libc.syscall(_SYS_FINIT_MODULE, fd, text.encode(), _FORCE if by_force else 0),
                 f"insmod {os.path.basename(file_name)} {text}")
    finally:
        os.close(fd)


def remove(name):
    """Unloads any module. OSError if the kernel refuses."""
    _checked(libc.syscall(_SYS_DELETE_MODULE, name.encode(), os.O_NONBLOCK), f"rmmod {name}")


def load(**parameters):
    """Loads the module. OSError if the kernel refuses."""
    insert(path(), **parameters)


def unload():
    """Unloads the module. OSError if the kernel refuses."""
    remove(NAME)


@contextlib.contextmanager
def loaded(**parameters):
    """Loads the module for the length of a block."""
    load(**parameters)
    try:
        yield
    finally:
        unload()


def file(*parts):
    """The path of a debugfs file."""
    return "/".join((DEBUGFS,) + parts)


def control(context, name):
    """The path of a control file of an exercise."""
    return file("exercise", context, name)


def read(name):
    """Reads a whole file."""
    with open(name, "rb", buffering=0) as f:
        return f.readall().decode()


def write(name, value):
    """Writes a value in one system call. OSError if it is refused."""
    fd = os.open(name, os.O_WRONLY)
    try:
        data = value if isinstance(value, bytes) else str(value).encode()
        written = os.write(fd, data)
        assert written == len(data), f"{name}: {written} of {len(data)} bytes written"
    finally:
        os.close(fd)


def tune(context, **settings):
    """Changes settings of an exercise."""
    for name, value in settings.items():
        write(control(context, name), value)


def start(context, **settings):
    """Changes settings of an exercise, and starts it."""
    tune(context, **settings)
    write(control(context, "run"), 1)


def stop(context):
    """Stops an exercise. It has ended when this returns."""
    write(control(context, "run"), 0)


@contextlib.contextmanager
def running(*contexts, **settings):
    """Runs exercises for the length of a block."""
    for context in contexts:
        start(context, **settings)
    try:
        yield
    finally:
        for context in contexts:
            stop(context)


# The process number of the refill thread, after the first search.
_refill = None


def refill_thread():
    """Returns the process number of the thread that refills the pools, and its state."""
    global _refill
    for process in [_refill] if _refill else filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = read(f"/proc/{process}/stat")
            if "(labyrinth/refil" in fields:
                _refill = process
                return int(process), fields.rpartition(")")[2].split()[0]
    if _refill:
        # The thread has ended, because the module was unloaded meanwhile.
        _refill = None
        return refill_thread()
    raise AssertionError("there is no thread labyrinth/refill")


def refill_sleeps():
    """Whether the thread that refills the pools sleeps, as TASK_IDLE."""
    return refill_thread()[1] == "I"


def wait_until(condition, what, seconds=60):
    """Polls until the condition holds."""
    end = time.monotonic() + seconds
    while True:
        start = time.monotonic()
        if condition():
            return
        now = time.monotonic()
        assert now < end, f"not within {seconds} s: {what}"
        # Checking the condition takes CPU time from the work that is waited for, on a debug
        # kernel 100 ms. So pause at least twice as long as the check took.
        time.sleep(max(0.01, 2 * (now - start)))
