#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak
# Covers: rust/squeeze rust/ffi/session.rs rust/ffi/mm/zone rust/ffi/mm/oom
# Covers: tools/labyrinth/src/squeeze
# Takes: 20 s
"""The tool holds the headroom that was asked for. All pages are given back at its end, however it
ends."""

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from lib import consumer, kmsg, ktap, module, pressure, tool

MODULE = "labyrinth_burst"
PARAMETERS = f"/sys/module/{MODULE}/parameters/"
DEVICE = "/dev/labyrinth_squeeze"
MCL_CURRENT = 1
MOST = 1 << 20
MIB = 1 << 20
# Without the pool, only the squeeze holds pages.
NO_POOL = {"pool_cache": 0, "pool_reserve": 0}
# The time for cases that do not test its end.
LONG = "60s"
ROUNDS = ktap.soak(3, 20)
# After so many seconds, the module has checked all CPUs.
PAUSE = 0.1
CPUS = sorted(os.sched_getaffinity(0))
TRIES = 4
LOOKS = 20
WANTED = ktap.soak((0, 1, 100), (0, 1, 100, 1000))

libc = ctypes.CDLL(None, use_errno=True)


class Squeeze:
    """The tool while it holds the machine."""

    def __init__(self, headroom, *arguments, duration=LONG):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [tool.path(), "squeeze", "--headroom", str(headroom), "--duration", duration, "--json",
             *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = self.process.stderr.readline()
        while "taking" in self.said:
            self.said = self.process.stderr.readline()

    def end(self, number=None, status=0):
        """Waits for the end with a status, after a signal if there is one, and returns the
        document."""
        if number:
            self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=60)
        self.said += errors
        assert self.process.returncode == status, f"{self.process.returncode}: {self.said}"
        return json.loads(output)


@contextlib.contextmanager
def squeezed(headroom, *arguments, **keywords):
    """Squeezes the machine for the length of a block."""
    fill_page_cache()
    squeeze = Squeeze(headroom, *arguments, **keywords)
    try:
        assert squeeze.said.startswith("labyrinth: holding"), \
            squeeze.said + squeeze.process.communicate()[1]
        yield squeeze
    finally:
        squeeze.process.kill()
        squeeze.process.communicate()


@contextlib.contextmanager
def prepared():
    """Loads the module, lowers the watermarks, and locks this program in memory."""
    assert libc.mlockall(MCL_CURRENT) == 0
    try:
        with pressure.low_watermarks(), module.loaded(**NO_POOL):
            yield
    finally:
        libc.munlockall()


def fill_page_cache():
    """Brings files into the page cache, so that others have something to reclaim."""
    buffer = bytearray(MIB)
    total = 0
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/bin"):
        for entry in os.scandir(folder):
            if total < 48 * MIB and entry.is_file():
                with open(entry.path, "rb", buffering=0) as file:
                    while count := file.readinto(buffer):
                        total += count


@contextlib.contextmanager
def alone_on(cpu):
    """Runs this process on one CPU, with priority over others."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def bursts():
    """Yields a function that returns how many pages a burst of atomic requests gets, of `most`."""
    with consumer.loaded(MODULE):
        descriptor = os.open(PARAMETERS + "burst", os.O_WRONLY)
        served = os.open(PARAMETERS + "served", os.O_RDONLY)

        def burst(most=MOST):
            os.write(descriptor, f"atomic 0 -1 {most}".encode())
            return int(os.pread(served, 32, 0))

        try:
            yield burst
        finally:
            os.close(descriptor)
            os.close(served)


def tolerance():
    """By how many pages a burst may miss the headroom. Between the last check of the module and the
    burst, others can take and free a few pages. This must be less than half a refill of a list."""
    batches = map(int, re.findall(r"\n +batch: +(\d+)", module.read("/proc/zoneinfo")))
    return max(batches) // 2


def free():
    """The free memory, in bytes, with pages in the CPUs' lists."""
    text = module.read("/proc/zoneinfo")
    lists = sum(map(int, re.findall(r"\n +count: +(\d+)", text)))
    return pressure.memory("MemFree") + lists * pressure.PAGE


def held_bursts(wanted, burst):
    """Squeezes the machine, and returns what bursts on each CPU get, and the document."""
    got = []
    with squeezed(wanted, "--refill") as squeeze:
        for _ in range(ROUNDS):
            for cpu in CPUS:
                time.sleep(PAUSE)
                with alone_on(cpu):
                    got.append(burst())
        document = squeeze.end(signal.SIGINT)
    ktap.note(f"{wanted} wanted, {got} served, {document['taken_later_pages']} taken later, "
              f"{document['checks_at_limit']} checks could take no more")
    return got, document


def judge(wanted, got, document):
    """Requires that bursts got as many pages as were wanted. kswapd can free many pages right
    before a burst. If a burst needs several refills of a list, that can disturb most bursts, by at
    most one refill."""
    batch = 2 * tolerance()
    refill = batch
    while refill < wanted:
        refill *= 2
    right = [pages for pages in got if abs(pages - wanted) <= bool(wanted) * tolerance()]
    share = 2 if wanted <= 3 * batch else 8
    assert len(right) > len(got) / share, f"{wanted} wanted, {got} served: {document}"
    if wanted > 3 * batch:
        far = [pages for pages in got if abs(pages - wanted) > 2 * refill]
        assert not far, f"{wanted} wanted, {got} served: {document}"


def a_burst_gets_so_many_pages():
    """On each CPU, a burst gets as many pages as were asked for."""
    with prepared(), bursts() as burst:
        for wanted in WANTED:
            # As long as there is page cache, kswapd can free more pages than the module may hold.
            # The headroom is then not held, and the document says so.
            for _ in range(TRIES):
                got, document = held_bursts(wanted, burst)
                if not document["checks_at_limit"]:
                    break
            else:
                raise AssertionError(f"{wanted} could not be held: {document}")
            judge(wanted, got, document)


def freed_memory_is_taken():
    """Pages that others free do not raise the headroom, and pages that others take lower it."""
    with prepared(), bursts() as burst:
        module.write(PARAMETERS + "every", 1)
        module.write(PARAMETERS + "hold", 8192)
        with squeezed(0) as squeeze:
            module.write(PARAMETERS + "hold", 0)
            # On a busy host the tool needs several looks until it has them all.
            for _ in range(LOOKS):
                time.sleep(PAUSE)
                got = burst()
                if got == 0:
                    break
            document = squeeze.end(signal.SIGINT)
        assert got == 0, got
        assert document["taken_later_pages"] > 0, document


def failures_end_with_the_squeeze():
    """A driver's requests fail during the squeeze, and not after it. The tool counts them."""
    with prepared(), bursts() as burst:
        with squeezed(0) as squeeze:
            time.sleep(PAUSE)
            failed = [burst(10) < 10 for _ in range(ROUNDS)]
            document = squeeze.end(signal.SIGTERM)
        assert all(failed), failed
        assert burst(10) == 10
        if document["failures"] is None:
            ktap.note("failures cannot be counted on this kernel")
        else:
            assert document["failures"] >= ROUNDS, document


def given_back(before, what):
    """Waits until the memory is as free as before, less what the test needs."""
    module.wait_until(lambda: free() > before * 0.7, f"memory is free after {what}", seconds=5)


def all_comes_back():
    """However the tool ends, memory is free again at once."""
    with prepared():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            before = free()
            with squeezed(0) as squeeze:
                during = free()
                squeeze.process.send_signal(number)
                squeeze.process.wait(timeout=60)
                given_back(before, number.name)
            assert during < before / 4, (before, during)


def time_has_an_end():
    """When the time is over, all pages are given back, even if SIGSTOP has stopped the tool."""
    with prepared():
        before = free()
        with squeezed(0, duration="1500ms") as squeeze:
            assert free() < before / 4
            document = squeeze.end()
            given_back(before, "the end of the time")
        assert document["end"] == "time" and 0.5 < document["seconds"] < 3, document
        with squeezed(0, duration="1500ms") as squeeze:
            squeeze.process.send_signal(signal.SIGSTOP)
            assert free() < before / 4
            given_back(before, "the end of the time of a stopped process")


def commands_run_meanwhile():
    """A command runs during the squeeze, and its status counts. The tool waits for it, even if the
    squeeze is over."""
    with prepared():
        for text, status in (("exit 0", 0), ("cat /dev/labyrinth_squeeze", 1), ("exit 7", 7)):
            fill_page_cache()
            result = tool.run("squeeze", "--headroom", "0", "--json", "--", "sh", "-c", text)
            assert result.returncode == (status != 0), (text, result)
            document = json.loads(result.stdout)
            assert document["end"] == "command", document
            assert document["command_status"] == status, document
        fill_page_cache()
        before = free()
        # The command looks at the memory when the squeeze is over.
        text = "sleep 2; grep MemFree /proc/meminfo >&2; exit 5"
        result = tool.run("squeeze", "--headroom", "0", "--json", "--duration", "500ms", "--", "sh",
                          "-c", text)
        document = json.loads(result.stdout)
        assert document["end"] == "time" and document["seconds"] < 1.5, document
        assert result.returncode == 1 and document["command_status"] == 5, (result, document)
        assert "waiting for the command" in result.stderr, result
        then = int(re.search(r"MemFree: +(\d+) kB", result.stderr).group(1)) * 1024
        assert then > before * 0.7, (before, then)


def commands_are_checked_first():
    """If the command cannot run, the tool says so, and takes no memory."""
    with prepared(), tempfile.NamedTemporaryFile() as text:
        for command in ("/nonexistent", "nonexistent-command", "/", text.name):
            # If the tool opened the device, it would find it busy.
            with open(DEVICE, "rb"):
                result = tool.run("squeeze", "--headroom", "0", "--", command)
            assert result.returncode == 2 and command in result.stderr, result


def nobody_is_killed():
    """If a process takes memory faster than the tool looks, the module gives all pages back, and
    no process is killed. The tool says so."""
    with prepared():
        for headroom in (0, 100):
            before, kills = free(), pressure.killed()
            with pressure.greedy(before // 2) as take, squeezed(headroom, "--refill") as squeeze:
                assert free() < before / 4
                # The tool cannot look at all.
                squeeze.process.send_signal(signal.SIGSTOP)
                assert take(), "the process did not get its memory"
                document = squeeze.end(signal.SIGCONT, status=3)
                assert "run out of memory" in squeeze.said, squeeze.said
            assert document["end"] == "out_of_memory", document
            assert pressure.killed() == kills
            given_back(before, "the end")


def force_risks_a_kill():
    """With --force, the module keeps its pages until the OOM killer has killed the tool."""
    with prepared(), kmsg.off_the_console(), kmsg.Provoked() as log:
        before, kills = free(), pressure.killed()
        with pressure.greedy(before // 2) as take, squeezed(0, "--force") as squeeze:
            squeeze.process.send_signal(signal.SIGSTOP)
            assert take(), "the process did not get its memory"
            assert squeeze.process.wait(timeout=60) == -signal.SIGKILL
        assert pressure.killed() > kills
        assert any("Killed process" in match.string for match in log.expect(re.compile("")))
        given_back(before, "the end")


def refused(fix, *arguments, **keywords):
    """Requires status 3, with this fix."""
    result = tool.run("squeeze", "--headroom", "0", "--duration", "1s", *arguments, **keywords)
    assert result.returncode == 3 and re.search(f"fix: .*{fix}", result.stderr), result


def refusals_have_a_fix():
    """The tool refuses to run without the module, without root, while it runs already, and when the
    OOM killer could run."""
    refused("insmod")
    with prepared():
        # Other users may have no access to the folder of the tool.
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            program = shutil.copy(tool.path(), folder)
            result = subprocess.run([program, "squeeze", "--headroom", "0"], user=65534,
                                    check=False, capture_output=True, text=True, timeout=60)
        assert result.returncode == 3 and "run as root" in result.stderr, result
        with squeezed(0):
            refused("wait for it to end")
        before = module.read(pressure.MIN_FREE).strip()
        try:
            module.write(pressure.MIN_FREE, pressure.memory("MemTotal") // 1024 // 8)
            module.write("/proc/sys/vm/drop_caches", 3)
            refused("--force")
        finally:
            module.write(pressure.MIN_FREE, before)
    result = tool.run("squeeze", "--headroom", "0", "--duration", "2h")
    assert result.returncode == 2, result


# A kill writes much into the kernel log.
SLOW = (force_risks_a_kill,)
ktap.main(a_burst_gets_so_many_pages, freed_memory_is_taken, failures_end_with_the_squeeze,
          all_comes_back, time_has_an_end, commands_run_meanwhile, commands_are_checked_first,
          nobody_is_killed, refusals_have_a_fix, *ktap.soak((), SLOW), by_name=SLOW)
