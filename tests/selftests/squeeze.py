#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak
# Covers: rust/squeeze rust/ffi/session.rs rust/ffi/misc_device.rs rust/ffi/mm/oom
# Takes: 10 s
"""/dev/labyrinth_squeeze takes all pages that an atomic request can get. Only one process of root
at a time can use it. All pages are given back when the file is closed, the process dies, the time
is over, or the kernel runs out of memory."""

import contextlib
import ctypes
import errno
import os
import signal
import stat
import time

from lib import ktap, module, pressure

DEVICE = "/dev/labyrinth_squeeze"
# Without the pool, only the squeeze holds pages.
NO_POOL = {"pool_cache": 0, "pool_reserve": 0}
# The most pages to hold, so that the machine has plenty left.
MOST = 16384
# A time that is longer than any case.
LONG_MS = 600_000
CAP_SYS_ADMIN = 21
PR_CAPBSET_DROP = 24
MCL_CURRENT = 1
libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def opened():
    """The open device."""
    fd = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def command(fd, text):
    """Writes a command, and returns the errno, or 0."""
    try:
        os.write(fd, text.encode())
    except OSError as error:
        return error.errno
    return 0


def take(fd):
    """Takes all pages that there are."""
    while (code := command(fd, "take")) == errno.EAGAIN:
        pass
    assert code == 0, os.strerror(code)


def report(fd):
    """The module's report, as a dictionary."""
    return dict(line.split(" ") for line in os.pread(fd, 1024, 0).decode().splitlines())


def start(fd, headroom=0, most=MOST, milliseconds=LONG_MS, refill=0, force=0):
    """Starts a squeeze, which must work."""
    assert command(fd, f"start {headroom} {most} {milliseconds} {refill} {force}") == 0


def refused(what, code):
    """Requires that the function fails with this error."""
    try:
        what()
    except OSError as error:
        assert error.errno == code, error
    else:
        raise AssertionError(f"no error {errno.errorcode[code]}")


def in_child(work):
    """Runs a function in a child process, and requires that it returns."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0, "the child failed"


def for_root_only():
    """The device has mode 0600 and needs CAP_SYS_ADMIN."""
    with module.loaded(**NO_POOL):
        status = os.stat(DEVICE)
        assert stat.S_ISCHR(status.st_mode), "no character device"
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, 0), oct(status.st_mode)

        def somebody_else():
            os.setgid(65534)
            os.setuid(65534)
            refused(lambda: os.open(DEVICE, os.O_RDWR), errno.EACCES)

        def without_the_capability():
            assert libc.prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) == 0
            # A new program has the capabilities that are left.
            text = "import os,sys\ntry: os.open(sys.argv[1], os.O_RDWR)\n" \
                   "except PermissionError as e: sys.exit(e.errno)"
            os.execvp("python3", ["python3", "-c", text, DEVICE])

        in_child(somebody_else)
        pid = os.fork()
        if not pid:
            without_the_capability()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code == errno.EPERM, f"without CAP_SYS_ADMIN: {code}"
    assert not os.path.exists(DEVICE), f"{DEVICE} outlives the module"


def one_at_a_time():
    """The second process that opens the device is refused, until the first has closed it."""
    with module.loaded(**NO_POOL):
        for _ in range(3):
            with opened():
                refused(lambda: os.open(DEVICE, os.O_RDWR), errno.EBUSY)


def unload_while_open():
    """rmmod fails while the file is open, with pages held and without."""
    module.load(**NO_POOL)
    with opened() as fd:
        refused(module.unload, errno.EWOULDBLOCK)
        start(fd)
        take(fd)
        refused(module.unload, errno.EWOULDBLOCK)
        assert command(fd, "hold") == 0
        refused(module.unload, errno.EWOULDBLOCK)
    module.unload()


def wrong_commands():
    """Commands that are wrong, or come at the wrong moment, change nothing."""
    with module.loaded(**NO_POOL), opened() as fd:
        assert report(fd) == {"phase": "idle"}
        for text in ("", "take", "hold", "start", "start 0", f"start 0 {MOST} 1000 0",
                     f"start 0 {MOST} 0 0 0", f"start 0 {MOST} 3600001 0 0",
                     f"start 0 {MOST} 1000 2 0", f"start 0 {MOST} 1000 0 2",
                     f"start -1 {MOST} 1000 0 0", f"start {(1 << 20) + 1} {MOST} 1000 0 0", "stop",
                     "take\0", "x" * 128):
            if text:
                assert command(fd, text) == errno.EINVAL, text
        assert report(fd) == {"phase": "idle"}
        start(fd)
        assert command(fd, f"start 0 {MOST} 1000 0 0") == errno.EINVAL
        assert command(fd, "stop") == errno.EINVAL
        assert report(fd)["phase"] == "taking"
        refused(lambda: os.pread(fd, 5, 0), errno.EINVAL)
        assert os.pread(fd, 1024, 1) == b""


def free():
    """The free pages."""
    return pressure.memory("MemFree") // pressure.PAGE


def back(before):
    """Waits until the memory is free again."""
    module.wait_until(lambda: free() > before - MOST / 4, "the pages are back", seconds=10)


def pages_come_back():
    """All pages are given back when the file is closed, when its process is killed, and when the
    time is over, even if SIGSTOP has stopped the process."""
    with module.loaded(**NO_POOL):
        before = free()
        with opened() as fd:
            start(fd)
            take(fd)
            held = int(report(fd)["held"])
            assert 0.9 * MOST <= held <= MOST, held
            assert free() < before - 0.8 * MOST, f"{before} pages free before, {free()} now"
        back(before)
        for stop in (None, signal.SIGSTOP):
            reader, writer = os.pipe()
            pid = os.fork()
            if not pid:
                fd = os.open(DEVICE, os.O_RDWR)
                start(fd, milliseconds=2000 if stop else LONG_MS)
                take(fd)
                command(fd, "hold")
                os.write(writer, b"!")
                time.sleep(600)
            assert os.read(reader, 1) == b"!"
            assert free() < before - 0.8 * MOST, f"{before} pages free before, {free()} now"
            if stop:
                os.kill(pid, stop)
                # The process still has the file open, and its time must end.
                begin = time.monotonic()
                back(before)
                assert time.monotonic() - begin < 3, "the time is over, and pages are held"
                refused(lambda: os.open(DEVICE, os.O_RDWR), errno.EBUSY)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            back(before)
            os.close(reader)
            os.close(writer)


def nobody_is_killed():
    """When the kernel has run out of memory, all pages are given back, and no process is killed.
    The module says so until the file is closed."""
    assert libc.mlockall(MCL_CURRENT) == 0
    try:
        with pressure.low_watermarks(), module.loaded(**NO_POOL):
            before, kills = free(), pressure.killed()
            for hold in (False, True):
                size = before // 2 * pressure.PAGE
                with pressure.greedy(size, score=1000) as greedy, opened() as fd:
                    # The rest is for other processes until then.
                    start(fd, most=before - MOST // 2)
                    take(fd)
                    if hold:
                        assert command(fd, "hold") == 0
                    assert free() < before / 4, f"{before} pages free before, {free()} now"
                    assert greedy(), "the process did not get its memory"
                    state = report(fd)
                    assert state["phase"] == "out_of_memory", state
                    module.wait_until(lambda fd=fd: report(fd)["held"] == "0", "no page is held",
                                      seconds=5)
                    # It is over.
                    assert command(fd, "take") == command(fd, "hold") == 0
                    assert report(fd)["held"] == "0"
            assert pressure.killed() == kills
    finally:
        libc.munlockall()


ktap.main(for_root_only, one_at_a_time, unload_while_open, wrong_commands, pages_come_back,
          nobody_is_killed)
