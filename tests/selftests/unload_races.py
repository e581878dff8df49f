#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check check-debug soak soak-debug
# Covers: labyrinth_mod.rs rust/ffi/unload rust/ffi/debugfs.rs rust/debugfs
# Takes: 26 s
"""At the worst moments, rmmod either fails with EWOULDBLOCK or works."""

import errno
import os
import signal
import time

from lib import books, faults, ktap, metrics, module

FULL = 65_536
# A debug kernel is slow, and its readers take long.
ROUNDS, UNLOADS, FILLS = (10, 10, 6) if not os.path.isdir(faults.FOLDER) else (3, 3, 3)
ROUNDS, UNLOADS, FILLS = (ktap.soak(count, 20 * count) for count in (ROUNDS, UNLOADS, FILLS))


def refused_as_busy():
    """Checks that rmmod fails with EWOULDBLOCK."""
    try:
        module.unload()
    except OSError as error:
        assert error.errno in (errno.EWOULDBLOCK, errno.EBUSY), os.strerror(error.errno)
        return
    raise AssertionError("unloaded although a file was open")


def every_file():
    """Yields all files with the flags to open them."""
    for name in module.READABLE:
        yield module.file(name), os.O_RDONLY
    yield module.file("reset"), os.O_WRONLY
    yield module.file("recording"), os.O_RDWR
    yield module.file("pool", "prime"), os.O_WRONLY
    yield module.file("pool", "emergency_budget"), os.O_RDWR
    for context in module.CONTEXTS:
        for name in ("run",) + module.SETTINGS:
            yield module.control(context, name), os.O_RDWR


def a_file_is_open():
    """An open file keeps the module loaded, and still works after the refused rmmod."""
    module.load()
    for path, flags in every_file():
        fd = os.open(path, flags)
        refused_as_busy()
        if flags != os.O_WRONLY:
            assert os.pread(fd, 1 << 16, 0), f"{path} is empty after a refused rmmod"
        os.close(fd)
    module.unload()


def a_read_is_half_done():
    """The second half of a file is read after a refused rmmod, and fits the first."""
    module.load(timer_softirq_start=1, timer_softirq_period_us=1000)
    fd = os.open(module.file("metrics"), os.O_RDONLY)
    text = os.read(fd, 1000)
    refused_as_busy()
    while chunk := os.read(fd, 4096):
        text += chunk
    os.close(fd)
    metrics.Metrics(text.decode()).check()
    module.unload()


def reader(paths):
    """Runs a process that opens, reads and closes files for ever, whether the module is loaded or
    not."""
    child = os.fork()
    if child:
        return child
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    took = 0.0
    while True:
        for path in paths:
            # There must be moments when no process has a file open, even on a slow machine, or no
            # unload would ever succeed.
            time.sleep(max(0.001, took))
            start = time.monotonic()
            try:
                module.read(path)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENXIO, errno.EIO):
                    os._exit(error.errno)
            took = time.monotonic() - start


def files_are_read_in_a_loop():
    """The module is loaded and unloaded under several readers, with everything running."""
    paths = [path for path, flags in every_file() if flags != os.O_WRONLY]
    module.load()
    readers = [reader(paths[i:] + paths[:i]) for i in (0, 1, 2)]
    unloads, busy = 0, 0
    try:
        while unloads < UNLOADS:
            try:
                module.unload()
            except OSError as error:
                assert error.errno in (errno.EWOULDBLOCK, errno.EBUSY), os.strerror(error.errno)
                busy += 1
                assert busy < 1_000_000, "never unloaded"
                time.sleep(0.0001)
                continue
            unloads += 1
            module.load(**{f"{context}_start": 1 for context in module.CONTEXTS})
    finally:
        for child in readers:
            os.kill(child, signal.SIGTERM)
        results = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in readers]
        if module.is_loaded():
            module.unload()
    ktap.note(f"{unloads} unloads, {busy} times busy")
    assert results == [-signal.SIGTERM] * len(readers), f"a reader ended by itself: {results}"


def everything_runs():
    """The module is unloaded while all exercises run, with pages held and without."""
    for round_ in range(ROUNDS):
        hold = (0, 500, 3_000_000)[round_ % 3]
        settings = {}
        for context in module.CONTEXTS:
            settings |= {f"{context}_start": 1, f"{context}_period_us": 100,
                         f"{context}_batch": (1, 16, 256)[round_ % 3],
                         f"{context}_hold_us": hold}
        module.load(**settings)
        metrics.wait_for_all()
        metrics.Metrics().check()
        module.unload()


def reserved():
    """Returns how many pages are in the reserve."""
    return metrics.Metrics().check().reserved()


def the_reserve_is_being_filled():
    """The module is unloaded while the refill thread fills a reserve of a quarter of a GiB, or
    before it has begun. The thread stops at once, and all of its pages are freed."""
    with module.loaded():
        books.Books({}).learn()
    under_way, pages = 0, 0
    for round_ in range(FILLS):
        with books.kept(4096) as kernel:
            module.load(pool_reserve=FULL, pool_cache=1024, prime=1024,
                        **{f"{context}_start": round_ % 2 for context in module.CONTEXTS},
                        **{f"{context}_pool": 1 for context in module.CONTEXTS})
            kernel.learn()
            least = (0, 1, 1000)[round_ % 3]
            if least:
                module.wait_until(lambda: reserved() >= least, f"{least} pages in the reserve")
                under_way += reserved() < FULL
            module.unload()
            allocated, freed = kernel.read()
            pages += allocated
            assert allocated == freed, f"{allocated} allocated, {freed} freed after unloading"
    ktap.note(f"{pages} pages; the reserve was seen partly filled in {under_way} of {FILLS} rounds")
    assert under_way > 0, "no round came upon the thread at work"


def stopped_and_started_from_two_sides():
    """Two processes start and stop the same exercises, and no count is lost."""
    module.load()
    children = []
    try:
        for _ in range(2):
            child = os.fork()
            if child == 0:
                try:
                    for i in range(ROUNDS):
                        for context in module.CONTEXTS:
                            module.write(module.control(context, "run"), (i + child) % 2)
                            metrics.Metrics().check()
                    os._exit(0)
                except BaseException:
                    os._exit(1)
            children.append(child)
    finally:
        results = [os.waitpid(child, 0)[1] for child in children]
        for context in module.CONTEXTS:
            module.stop(context)
        metrics.Metrics().check_idle()
        module.unload()
    assert results == [0, 0], f"exit statuses {results}"


ktap.main(a_file_is_open, a_read_is_half_done, files_are_read_in_a_loop, everything_runs,
          the_reserve_is_being_filled, stopped_and_started_from_two_sides)
