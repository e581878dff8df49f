#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak soak-debug
# Covers: rust/debugfs rust/ffi/debugfs.rs rust/ffi/number.rs rust/exercise
# Takes: 12 s
"""Control files refuse every bad input with its errno, and change nothing then."""

import ctypes
import errno
import os
import random
import re
import stat

from lib import consumer, kmsg, ktap, metrics, module

U64_MAX = (1 << 64) - 1
RANDOM_WRITES = ktap.soak(10_000, 100_000)
NOBODY = 65534


def files():
    """Yields every file that can be written, as (path, name)."""
    for context in module.CONTEXTS:
        for name in ("run",) + module.SETTINGS:
            yield module.control(context, name), name
    yield module.file("recording"), "recording"
    yield module.file("sentinel"), "sentinel"
    yield module.file("reset"), "reset"
    for name in module.POOL:
        yield module.file("pool", name), name


def expected(name, data):
    """Returns the outcome of a write by the rules: an errno, or the value that is set. This is a
    second implementation of the rules."""
    low, high = module.BOUNDS[name]
    if not data or len(data) > 63:
        return errno.EINVAL, None
    match = re.fullmatch(rb"\+?([0-9]+)\n?", data)
    if not match:
        # The kernel's parser checks for overflow before it reads the rest.
        digits = re.match(rb"\+?([0-9]+)", data)
        if digits and int(digits.group(1)) > U64_MAX and b"\0" not in data:
            return errno.ERANGE, None
        return errno.EINVAL, None
    value = int(match.group(1))
    return (None, value) if low <= value <= high else (errno.ERANGE, None)


def try_write(fd, data, offset=0):
    """Returns the errno of a write, or None."""
    # Do not use pwrite, which the kernel's seq_file refuses by itself.
    os.lseek(fd, offset, os.SEEK_SET)
    try:
        written = os.write(fd, data)
    except OSError as error:
        return error.errno
    assert written == len(data), f"{written} of {len(data)} bytes written"
    return None


def state():
    """Returns the contents of all readable control files."""
    return {path: module.read(path) for path, name in files() if name not in module.WRITE_ONLY}


def attempt(path, name, data):
    """Writes to a newly opened file and compares the outcome with the rules. Returns whether
    they refuse the write."""
    error, _ = expected(name, data)
    fd = os.open(path, os.O_WRONLY)
    try:
        got = try_write(fd, data)
    finally:
        os.close(fd)
    assert got == error, f"{path}: {data!r} gives {_name(got)}, not {_name(error)}"
    return error is not None


def _name(error):
    return errno.errorcode[error] if error else "success"


BAD = [b"", b"\n", b"\n\n", b" ", b"+", b"-", b"-0", b"-1", b"-5\n", b"--1", b"++1", b"+-1",
       b"abc", b"one", b"1a", b"a1", b"0x10", b"0b1", b"1e3", b"1.0", b"1,000", b"1 ", b" 1",
       b"1\t", b"1\r\n", b"1\n\n", b"1\n1", b"1\0", b"\0", b"\0001", b"1\0002", b"on", b"Y", b"true",
       b"\xff\xfe", "١".encode(), b"%s%n", b"9" * 20, b"18446744073709551616", b"9" * 63,
       b"0" * 64, b"1" * 64, b"0" * 63 + b"1", b"1" + b"\n" * 63, b"x" * 4096, b"1" * 100_000,
       b"-" + b"9" * 30, b"18446744073709551615", b"18446744073709551615\n", b"4294967296",
       b"4294967297", b"99999999999999999999x"]


def bad_input():
    """Each bad input is refused by every file."""
    with module.loaded():
        before = state()
        for path, name in files():
            for data in BAD:
                assert attempt(path, name, data), f"{data!r} is not bad for {name}"
        assert state() == before, "a refused write changed something"
        metrics.Metrics().check_idle()


def bounds():
    """Both ends of each range are accepted, in every spelling. One beyond is ERANGE."""
    with module.loaded():
        for path, name in files():
            low, high = module.BOUNDS[name]
            for value in sorted({low, high}):
                for form in (b"%d", b"%d\n", b"+%d", b"+%d\n", b"000%d"):
                    assert not attempt(path, name, form % value)
                    if name not in module.WRITE_ONLY:
                        assert module.read(path) == f"{value}\n", f"{path} after {value}"
            before = state()
            for value in (low - 1, high + 1):
                if value >= 0:
                    assert attempt(path, name, b"%d" % value), f"{path} takes {value}"
            assert state() == before, f"{path}: a value beyond a bound changed something"
        for context in module.CONTEXTS:
            module.stop(context)
        metrics.Metrics().check_idle()


def partial_writes():
    """The rest of a text that was already accepted is refused, and so is every other offset."""
    with module.loaded():
        path = module.control("task", "batch")
        fd = os.open(path, os.O_RDWR)
        try:
            assert os.write(fd, b"12") == 2
            try:
                os.write(fd, b"34")
            except OSError as error:
                assert error.errno == errno.EINVAL, _name(error.errno)
            else:
                raise AssertionError("the rest of a text was taken")
            assert module.read(path) == "12\n"
            for offset in (1, 2, 4096, 1 << 40):
                assert try_write(fd, b"7", offset) == errno.EINVAL, f"offset {offset}"
            assert module.read(path) == "12\n"
            assert try_write(fd, b"7") is None
            assert module.read(path) == "7\n"
        finally:
            os.close(fd)


def bad_pointer():
    """A bad pointer gives EFAULT, even if only the end of the text is out of reach."""
    libc = module.libc
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int,
                          ctypes.c_int, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
    page = os.sysconf("SC_PAGE_SIZE")
    area = libc.mmap(None, 2 * page, 3, 0x22, -1, 0)
    libc.munmap(area + page, page)
    ctypes.memset(area + page - 4, ord("1"), 4)
    with module.loaded():
        before = state()
        for path, _ in files():
            fd = os.open(path, os.O_WRONLY)
            try:
                for pointer, length in ((None, 1), (1, 3), (0xffff_8000_0000_0000, 4),
                                        (area + page, 2), (area + page - 4, 8)):
                    ctypes.set_errno(0)
                    result = libc.write(fd, pointer, length)
                    got = ctypes.get_errno()
                    assert (result, got) == (-1, errno.EFAULT), \
                        f"{path}: {pointer} gives {result}, {_name(got)}"
            finally:
                os.close(fd)
        assert state() == before
    libc.munmap(area, page)


def _random_text(rng, name):
    low, high = module.BOUNDS[name]
    kind = rng.randrange(8)
    if kind < 3:
        text = b"%d" % rng.randint(low, high)
    elif kind == 3:
        text = b"%d" % rng.choice((low, high, low - 1, high + 1, U64_MAX, U64_MAX + 1))
    elif kind == 4:
        text = b"%d" % rng.getrandbits(rng.randrange(1, 90))
    elif kind == 5:
        text = bytes(rng.choice(b"0123456789+-\n xe") for _ in range(rng.randrange(70)))
    elif kind == 6:
        text = rng.randbytes(rng.randrange(80))
    else:
        text = rng.choice(BAD)
    if kind < 5:
        before = rng.choice((b"",) * 6 + (b"+", b"0", b" "))
        text = before + text + rng.choice((b"",) * 4 + (b"\n",) * 3 + (b"\0", b"k"))
    return text


def ten_thousand_random_writes():
    """Random writes have the outcome that the second implementation of the rules predicts."""
    seed = int.from_bytes(os.urandom(4), "little")
    ktap.note(f"seed {seed}")
    rng = random.Random(seed)
    refused = 0
    with module.loaded():
        every = list(files())
        # Starting, stopping and priming take long, and have other tests. So these files get only
        # a tenth of the weight.
        weights = [0.1 if name in ("run", "prime") else 1 for _, name in every]
        fds = {path: os.open(path, os.O_WRONLY if name in module.WRITE_ONLY else os.O_RDWR)
               for path, name in every}
        model = {path: module.read(path) for path, name in every
                 if name not in module.WRITE_ONLY}
        try:
            for path, name in rng.choices(every, weights, k=RANDOM_WRITES):
                data = _random_text(rng, name)
                error, value = expected(name, data)
                got = try_write(fds[path], data)
                assert got == error, f"{path}: {data!r} gives {_name(got)}, not {_name(error)}"
                refused += error is not None
                if name not in module.WRITE_ONLY:
                    if error is None:
                        model[path] = f"{value}\n"
                    now = os.pread(fds[path], 64, 0).decode()
                    assert now == model[path], f"{path}: {data!r} led to {now!r}"
            assert state() == model, "a write to one file changed another"
        finally:
            for fd in fds.values():
                os.close(fd)
            for context in module.CONTEXTS:
                module.stop(context)
        metrics.Metrics().check_idle()
    ktap.note(f"{RANDOM_WRITES} writes, {refused} refused")
    assert RANDOM_WRITES / 5 < refused < RANDOM_WRITES * 4 / 5, "the writes were one-sided"


def only_for_root():
    """The modes of the files keep other users out."""
    with module.loaded():
        modes = {module.file(name): 0o400 for name in module.READABLE}
        for path, name in files():
            modes[path] = 0o200 if name in module.WRITE_ONLY else 0o600
        for path, mode in modes.items():
            got = stat.S_IMODE(os.stat(path).st_mode)
            assert got == mode, f"{path} has mode {got:o}, not {mode:o}"
        found = {os.path.join(folder, name)
                 for folder, _, names in os.walk(module.DEBUGFS) for name in names}
        assert found == set(modes), f"other files: {found ^ set(modes)}"

        # Other users cannot enter debugfs. From inside the folder, only the modes of our files
        # can refuse them.
        os.chdir(module.DEBUGFS)
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            opened = 0
            for path in modes:
                for flags in (os.O_RDONLY, os.O_WRONLY):
                    try:
                        os.open(os.path.relpath(path, module.DEBUGFS), flags)
                        opened += 1
                    except PermissionError:
                        pass
            os._exit(min(opened, 100))
        _, status = os.waitpid(child, 0)
        os.chdir("/")
        assert os.waitstatus_to_exitcode(status) == 0, "somebody else could open files"


def reset_starts_over():
    """A reset sets counts and latencies to 0. Pages in flight stay correct."""
    with module.loaded():
        with module.running("timer_softirq", period_us=20_000, batch=8, hold_us=10_000):
            metrics.wait_for_cycles("timer_softirq", 3)
            for _ in range(20):
                module.write(module.file("reset"), 1)
                metrics.Metrics().check()
            metrics.wait_for_cycles("timer_softirq", 3)
            metrics.Metrics().check()
        end = metrics.Metrics().check_idle()
        assert end.allocated() > 0
        module.write(module.file("reset"), 1)
        zero = metrics.Metrics().check_idle()
        assert zero.allocated() == zero.freed() == zero.failed() == 0, "not reset"
        assert zero.total("page_alloc_latency_seconds_count") == 0, "latencies not reset"
        assert zero.total("exercise_cycles_total") == 0, "cycles not reset"


def counted(samples):
    """Returns the samples that a reset sets to zero: those of counters and of histograms."""
    return {key: value for key, value in samples.items()
            if key[0].endswith(("_total", "_bucket", "_count", "_sum"))}


def every_counter_starts_over():
    """A reset sets each number to 0 that is a counter, whoever counts, and leaves levels and
    settings alone."""
    with kmsg.Provoked() as log, module.loaded(prime=16, pool_reserve=64), \
            consumer.loaded(consumer.C):
        consumer.misuse("wrong_pool")
        module.write(consumer.parameter("run"), 1)
        with module.running(*module.CONTEXTS, period_us=1000, batch=32, pool=1, guard=1):
            metrics.wait_for_all()
            module.wait_until(lambda: consumer.tally("softirq_blocks") >= 100, "blocks", 60)
        module.write(consumer.parameter("run"), 0)
        log.errors()
        before = metrics.wait_until_filled().check_idle().check_pool().samples()
        owners = ("page_alloc_total", "page_alloc_latency_seconds_count",
                  "page_alloc_tier_latency_seconds_count", "page_free_total",
                  "exercise_cycles_total", "transfer_total", "pool_requests_total",
                  "pool_recycle_cached_total", "pool_reserve_refill_pages_total", "misuse_total")
        for owner in owners:
            assert any(value for (name, _), value in before.items() if name == owner), \
                f"{owner} is 0 before the reset"
        module.write(module.file("reset"), 1)
        after = metrics.Metrics().samples()
        left = {key: value for key, value in counted(after).items() if value}
        assert not left, f"not reset: {left}"
        assert counted(after).keys() == counted(before).keys()
        # Quantiles go with the latencies.
        levels = {key: value for key, value in before.items()
                  if key not in counted(before) and "quantile" not in key[0]}
        assert levels == {key: after.get(key) for key in levels}, "a level was reset"
        # Counting goes on.
        consumer.misuse("wrong_pool")
        assert metrics.Metrics().total("misuse_total") == 1


def failures_start_over():
    """A reset sets the count of failures to 0, too. Requests always fail in a pool that excludes
    all memory."""
    with module.loaded(pool_highest=4095):
        with module.running("timer_softirq", period_us=5000, batch=8, pool=1):
            module.wait_until(lambda: metrics.Metrics().failed() >= 100, "failures")
        now = metrics.Metrics().check_idle()
        timed = now.total("page_alloc_latency_seconds_count")
        assert timed == now.failed(), f"{timed} latencies of {now.failed()} failures"
        module.write(module.file("reset"), 1)
        assert metrics.Metrics().check_idle().failed() == 0, "failures not reset"


def recording_can_be_switched_off():
    """While recording is off nothing new is counted. Pages that were counted as allocated are
    still counted as freed."""
    with module.loaded():
        switch = module.file("recording")
        with module.running("timer_softirq", period_us=400_000, batch=16, hold_us=300_000):
            module.wait_until(lambda: metrics.Metrics().in_flight() > 0, "pages in flight")
            module.write(switch, 0)
            assert module.read(switch) == "0\n"
            held = metrics.Metrics().check()
            module.wait_until(lambda: metrics.Metrics().check().in_flight() == 0,
                              "the counted pages to be counted as freed")
        off = metrics.Metrics().check_idle()
        assert off.total("recording") == 0
        assert off.allocated() == held.allocated(), "an allocation was counted while off"
        with module.running(*module.CONTEXTS, period_us=1000, batch=16):
            for _ in range(20):
                metrics.Metrics().check()
        still = metrics.Metrics().check_idle()
        assert still.allocated() == off.allocated() and still.freed() == off.freed(), \
            "counted while off"
        assert still.total("page_alloc_latency_seconds_count") == \
            off.total("page_alloc_latency_seconds_count"), "latencies recorded while off"

        # These pages are allocated while recording is off and freed while it is on. Neither is
        # counted.
        with module.running("timer_softirq", period_us=400_000, batch=16, hold_us=300_000):
            module.write(switch, 1)
            for _ in range(10):
                metrics.Metrics().check()
        with module.running("task", period_us=1000, batch=16, hold_us=0):
            metrics.wait_for_cycles("task", 2)
        on = metrics.Metrics().check_idle()
        assert on.allocated() > still.allocated(), "nothing is counted after switching on again"


def counters_without_latencies():
    """With 2, outcomes are counted and the clock is not read; with 1, both are recorded again."""
    with module.loaded(recording=2):
        def outcomes_and_latencies():
            with module.running(*module.CONTEXTS, period_us=1000, batch=16, hold_us=0):
                for context in module.CONTEXTS:
                    metrics.wait_for_cycles(context, 3)
                for _ in range(10):
                    metrics.Metrics().check()
            now = metrics.Metrics().check_idle()
            for context in module.CONTEXTS:
                assert now.allocated(context=context) > 0, f"{context}: no outcomes"
            return (now.allocated() + now.failed(),
                    now.total("page_alloc_latency_seconds_count"),
                    now.total("page_alloc_tier_latency_seconds_count"))

        outcomes, latencies, by_tier = outcomes_and_latencies()
        assert (latencies, by_tier) == (0, 0), f"{latencies}, {by_tier} latencies without a clock"
        stats = module.read(module.file("stats"))
        assert "recording counters only," in stats, stats.splitlines()[1]

        module.write(module.file("recording"), 1)
        more, latencies, by_tier = outcomes_and_latencies()
        assert latencies == by_tier == more - outcomes > 0, \
            f"{latencies}, {by_tier} latencies of {more - outcomes} requests"


ktap.main(bad_input, bounds, partial_writes, bad_pointer, ten_thousand_random_writes,
          only_for_root, reset_starts_over, every_counter_starts_over, failures_start_over,
          recording_can_be_switched_off,
          counters_without_latencies)
