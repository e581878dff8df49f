#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak numa old
# Covers: tools/labyrinth/src/headroom tools/labyrinth/src/memory
# Takes: 12 s
"""A burst of requests gets the headroom that the tool predicts, in many states of memory.

One CPU is online, and the burst has a real-time priority and disables bottom halves. So no memory
is freed during the burst, and the number of served requests must be within the predicted bounds.
It may differ from the estimate by more than a tenth only if the lists of the CPUs explain the width
of the bounds: by the pages that they hold, the size of a refill, and changes that the zone's
counter does not show yet. The output then has these numbers. `make soak` measures many states of
memory, see Documentation/tool.md.

If others took or freed pages between the prediction and the burst, or ran during the burst, it was
disturbed. Such a burst counts for nothing, whatever it got: the output says so, and the burst is
repeated. If all attempts are disturbed, the test fails."""

import contextlib
import ctypes
import functools
import glob
import json
import mmap
import os
import re
import resource
import subprocess
import time

from lib import consumer, kmsg, ktap, module, pressure, tool
from lib.ktap import Skip

MODULE = "labyrinth_burst"
PARAMETERS = f"/sys/module/{MODULE}/parameters/"
VM = "/proc/sys/vm/"
PAGE = pressure.PAGE
MOST = 1 << 20
TIMES = ktap.soak(1, 2)
# The error of the estimate that needs no explanation.
SHARE = 0.1
# A disturbed burst is repeated until there are so many.
ATTEMPTS = 10
# Higher than the threads of interrupts. Only the tool runs before others as well.
PRIORITY = 98
# A refill takes at most two to this power of batches (CONFIG_PCP_BATCH_SCALE_MAX).
SCALE = 5
# The lists of CPUs hold blocks of orders up to this one. Before Linux 5.14 they hold single pages.
LIST_ORDER = 3
LINUX = tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups()))
# The size of a page block.
PAGE_BLOCK = 512
# This folder of the guest is on a disk of the host.
DISK = "/.labyrinth/log"
BLOCKS = "/sys/devices/system/memory/"
# Messages of the kernel about memory that cannot be taken offline, and about its watermarks.
MEMORY_MESSAGES = re.compile(r"page:|head:|(anon |ksm )?flags: |page_type: |raw: |aops:|memcg:"
                             r"|page->mem_cgroup:|page dumped because: "
                             r"|min_free_kbytes is not updated")

# For mlockall().
MCL_CURRENT = 1

libc = ctypes.CDLL(None, use_errno=True)
rows = []


class Zones:
    """/proc/zoneinfo, which can be read without taking pages."""

    def __init__(self):
        # pylint: disable=consider-using-with
        self._file = open("/proc/zoneinfo", "rb", buffering=0)
        self._buffer = memoryview(bytearray(1 << 20))
        self._length = 0
        # The kernel takes memory for its own buffer in the first read, and keeps it.
        self.look()

    def look(self):
        """Reads all."""
        self._length = 0
        self._file.seek(0)
        while count := self._file.readinto(self._buffer[self._length:]):
            self._length += count

    def text(self):
        """The text that was read last."""
        return str(self._buffer[:self._length], "ascii")

    def close(self):
        """Closes the file."""
        self._file.close()


class Watching:
    """The tool while it watches. It goes on to run during the burst, because its end would free its
    memory. Only the test has a higher priority, so that kswapd frees nothing between the
    prediction and the burst."""

    def __init__(self, *arguments):
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        self._process = subprocess.Popen(
            [tool.path(), "headroom", "--json", "--watch", "--interval", "300", *arguments],
            stdout=subprocess.PIPE, bufsize=0,
            preexec_fn=lambda: os.sched_setscheduler(0, os.SCHED_FIFO,
                                                     os.sched_param(PRIORITY - 1)))
        self._descriptor = self._process.stdout.fileno()

    def _answer(self):
        answer = b""
        while not answer.endswith(b"\n"):
            part = os.read(self._descriptor, 65536)
            assert part, "the tool has ended"
            answer += part
        return answer

    def then(self, zones, burst, text):
        """Waits for a prediction, looks at the zones, makes a burst at once, and returns the
        prediction, and how often others ran between the look and the end of the burst. The first
        answer brings code into the page cache and memory into the tool, and is not used."""
        self._answer()
        answer = self._answer()
        before = resource.getrusage(resource.RUSAGE_THREAD)
        zones.look()
        os.write(burst, text)
        switches = number("switches") - before.ru_nvcsw - before.ru_nivcsw
        return json.loads(answer), switches

    def files(self):
        """The files that the tool has in its memory."""
        self._answer()
        return set(re.findall(r" (/.*)$", module.read(f"/proc/{self._process.pid}/maps"),
                              re.MULTILINE))

    def end(self):
        """Ends the tool."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


@contextlib.contextmanager
def first():
    """Lets this process run before all others on this CPU."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def number(name):
    """A parameter of the module, as a number."""
    return int(module.read(PARAMETERS + name))


def disturbance(answer, switches, text, cpu):
    """Says what others did between a prediction and the end of a burst, or nothing."""
    others = []
    for zone in answer["zones"]:
        fields = re.search(rf"^Node {zone['node']}, zone +{zone['zone']}\n(?: .*\n)+", text,
                           re.MULTILINE).group()
        numbers = zone["arithmetic"]
        free = int(re.search(r"pages free +(\d+)", fields).group(1)) - numbers["free"]
        held = int(re.search(rf"cpu: {cpu}\n +count: +(\d+)", fields).group(1))
        held -= numbers["in_list"]
        # Who takes a page from the list leaves as many to the burst as the zone can serve.
        if free or held > 0:
            others.append(f"{free:+} pages are free in node {zone['node']} {zone['zone']}, and "
                          f"{held:+} in the list")
    # Starting the burst takes a little memory. The allocator may refill a list for it.
    free = number("free_before") - sum(map(int, re.findall(r"pages free +(\d+)", text)))
    if free:
        others.append(f"{free:+} pages are free at the beginning of the burst")
    if switches:
        others.append(f"others ran {switches} times")
    return "; ".join(others)


def undisturbed(state, text, arguments, cpu):
    """Returns a prediction for a burst, and how many requests it served, when no others were at
    work."""
    burst = os.open(PARAMETERS + "burst", os.O_WRONLY)
    zones = Zones()
    try:
        for attempt in range(1, ATTEMPTS + 1):
            watching = Watching(*arguments)
            try:
                with first():
                    answer, switches = watching.then(zones, burst, text)
            finally:
                watching.end()
            assert module.read(PARAMETERS + "failed").strip() == "Y", "the burst did not fail"
            others = disturbance(answer, switches, zones.text(), cpu)
            if not others:
                return answer, number("served")
            ktap.note(f"{state}: attempt {attempt} of {ATTEMPTS} was disturbed: {others}")
    finally:
        zones.close()
        os.close(burst)
    raise AssertionError(f"{state}: all of {ATTEMPTS} bursts were disturbed, last: {others}")


def measure(state, gfp="atomic", order=0, node=-1, cpu=0):
    """Compares a prediction with a burst, and keeps the result."""
    arguments = ["--gfp", gfp, "--order", str(order), "--cpu", str(cpu)]
    if node >= 0:
        arguments += ["--node", str(node)]
    answer, served = undisturbed(f"{state}: {gfp}, order {order}",
                                 f"{gfp} {order} {node} {MOST}".encode(), arguments, cpu)
    error = answer["requests"] - served
    limits = [Limits(zone, gfp, order, cpu) for zone in answer["zones"]]
    row = {"least": answer["at_least"], "most": answer["at_most"], "served": served,
           "error": error, "limits": limits}
    row["text"] = (f"{state}: {gfp}, order {order}: predicted {answer['requests']} "
                   f"({row['least']} to {row['most']}), served {served}, "
                   f"error {100 * error / max(served, 1):+.1f} %"
                   + ("" if small(row) else f"; {explanation(limits)}"))
    rows.append(row)
    ktap.note(row["text"])
    return row


class Limits:
    """The bounds of a zone, computed from the pages in the lists of the CPUs, the size of refills,
    and what old kernels can keep for atomic requests of high orders without showing it."""

    def __init__(self, zone, gfp, order, cpu):
        numbers = zone["arithmetic"]
        self.gfp = gfp
        self.text = self._text(zone)
        # The most pages that may be kept, and those that the tool found.
        self.kept, self.seen = 0, numbers["highatomic"]
        if "reserved_highatomic" not in self.text and LINUX < (6, 1):
            managed = int(re.search(r"\n +managed +(\d+)", self.text).group(1))
            self.kept = managed // 100 + 2 * PAGE_BLOCK
        self.name = f"node {zone['node']} {zone['zone']}"
        self.held = numbers["in_list"]
        self.drift = numbers["drift"]
        # The lists of other CPUs can give back all their pages during the burst.
        self.others = numbers["in_other_lists"]
        self.drift_of_others = numbers["drift_of_others"]
        self.boost = numbers["boost"]
        self.taken = self._refill(order, cpu) - (1 << order)
        if order > LIST_ORDER:
            # No list has such blocks, but pages that a list gives back can form some.
            self.held = min(self.held, self._refill(0, cpu) - 1)
        self.least, self.most = self._bounds(numbers, order)

    @staticmethod
    def _text(zone):
        """The lines of the zone in zoneinfo."""
        lists = module.read("/proc/zoneinfo").split("Node ")[1:]
        return next(text for text in lists
                    if text.startswith(f"{zone['node']}, zone {zone['zone']:>8}\n"))

    def _refill(self, order, cpu):
        """The most pages that a refill of the list takes."""
        text = re.search(rf"cpu: {cpu}\n((?: .*\n)*?)(?: +cpu: | *vm stats|\S|$)",
                         self.text).group(1)
        fields = {name: int(value) for name, value in re.findall(r"(\w+): +(\d+)", text)}
        batch = max(fields["batch"], 1)
        if order:
            in_lists = order <= LIST_ORDER and LINUX >= (5, 14)
            return max(batch >> order, 2) << order if in_lists else 1 << order
        high = max(fields["high"], fields.get("high_max", 0))
        scaled = batch << SCALE if "high_max" in fields else batch
        return max(min(scaled, max(high - batch, batch)), 2)

    def _bounds(self, numbers, order):
        """The least and the most requests that the zone serves."""
        limit = sum(numbers[name] for name in ("cma", "highatomic", "rest_of_block", "out_of_reach",
                                               "protection"))
        # What an earlier look has seen there may have been released.
        most = numbers["free"] - limit + self.others + self.drift_of_others
        most += self.seen if self.kept else 0
        if most <= 0:
            return 0, 0
        size = 1 << order
        most += self.drift
        above = numbers["above"] - self.boost
        if self.gfp != "atomic":
            above = max(above - max(self.kept - self.seen, 0), 0)
        least = above - self.drift - self.drift_of_others
        if order:
            # A page that comes back can complete a block, if the rest of the block is free.
            back = self.others + self.drift + self.drift_of_others
            blocks = min(numbers["blocks"] + self.others, (numbers["free"] + back) // size)
            if not blocks:
                return 0, 0
            least, most = -(-max(least, 0) // size), -(-most // size)
            kept = max(numbers["blocks_kept"], 0 if self.gfp == "atomic" else self.kept // size)
            mine = max(numbers["blocks"] - kept, 0)
            least = max(min(least, mine) - self.taken // size, 0)
            most = min(most, blocks) + self.held // size
            return least, max(most, least)
        # The first request is served if the zone is above the limit.
        least = max(least - self.taken, int(above > self.drift_of_others))
        if self.kept:
            free = numbers["free"] - numbers["cma"] - self.kept
            least = min(least, max(free - self.drift - self.drift_of_others, 0))
        return least, most + self.held

    def __str__(self):
        others = f", other lists hold {self.others}, and have not counted {self.drift_of_others}"
        return (f"{self.name} holds {self.held}, may take {self.taken}, "
                f"has not counted {self.drift}, boost {self.boost}"
                + others * bool(self.others or self.drift_of_others)
                + f", may keep {self.kept} for high orders" * bool(self.kept))


def explanation(limits):
    """The limits of the zones that can serve a request, as text."""
    return "; ".join(str(one) for one in limits if one.most) or "no zone serves any"


def small(row):
    """Whether the error is small."""
    return abs(row["error"]) <= SHARE * row["served"]


def judge():
    """Requires that all predictions since the last call were right."""
    wrong = []
    for row in rows:
        bounds = [sum(getattr(one, name) for one in row["limits"]) for name in ("least", "most")]
        if not row["least"] <= row["served"] <= row["most"]:
            wrong.append(("out of bounds", row))
        elif not small(row) and bounds != [row["least"], row["most"]]:
            wrong.append((f"the lists would make it {bounds[0]} to {bounds[1]}", row))
    rows.clear()
    assert not wrong, "\n".join(f"{what}: {row['text']}; {explanation(row['limits'])}"
                                for what, row in wrong)


@contextlib.contextmanager
def setting(name, value):
    """Changes a setting of the memory management for the length of a block."""
    before = module.read(VM + name).strip()
    module.write(VM + name, value)
    try:
        yield
    finally:
        module.write(VM + name, before)


def drop_caches():
    """Frees page cache."""
    module.write(VM + "drop_caches", 3)


@contextlib.contextmanager
def anonymous(leave, keep_out=0):
    """Fills memory with anonymous pages, except for `leave` bytes and `keep_out` bytes."""
    maps = []
    try:
        # The kernel may free page cache meanwhile, but not without end.
        while (step := min(pressure.free() - leave - keep_out, 64 << 20) // PAGE * PAGE) > 0 \
                and len(maps) < 100:
            maps.append(mmap.mmap(-1, step, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
                                  | mmap.MAP_POPULATE))
        yield
    finally:
        for one in maps:
            one.close()


@functools.cache
def large_files():
    """Large files of the machine, the largest first."""
    names = glob.glob("/usr/lib/x86_64-linux-gnu/*") + glob.glob("/usr/bin/*")
    sizes = {name: os.path.getsize(name) for name in names if os.path.isfile(name)}
    return sorted(sizes, key=sizes.get, reverse=True)


def fill_page_cache(most=512 << 20):
    """Reads files until the page cache has nearly all memory."""
    buffer = bytearray(1 << 20)
    total, full = 0, 0
    for name in large_files():
        if full > 2 or total > most:
            break
        with open(name, "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                total += count
        full += pressure.memory("MemFree") < 1.5 * low_mark() * PAGE


def low_mark():
    """The sum of all low watermarks, in pages."""
    return sum(map(int, re.findall(r"\n +low +(\d+)", module.read("/proc/zoneinfo"))))


@contextlib.contextmanager
def tmpfs(leave):
    """Fills memory with a file in a tmpfs, except for `leave` bytes."""
    fd = os.memfd_create("filler")
    size = 0
    try:
        while (step := min(pressure.free() - leave, 64 << 20) // PAGE * PAGE) > 0:
            os.posix_fallocate(fd, size, step)
            size += step
        yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def full_lists(size=8 << 20):
    """Frees so many bytes. The lists of the CPU keep as many of the pages as they can."""
    with mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE):
        pass
    yield


@contextlib.contextmanager
def kswapd_on(cpu):
    """Moves kswapd to a CPU. A burst wakes it. On another CPU than that of the burst, it would free
    page cache during the burst."""
    before = {}
    for path in glob.glob("/proc/[0-9]*/comm"):
        # Processes may end at any time.
        with contextlib.suppress(OSError):
            if module.read(path).startswith("kswapd"):
                pid = int(path.split("/")[2])
                before[pid] = os.sched_getaffinity(pid)
    assert before, "there is no kswapd"
    try:
        for pid in before:
            os.sched_setaffinity(pid, {cpu})
        yield
    finally:
        for pid, affinity in before.items():
            os.sched_setaffinity(pid, affinity)


@contextlib.contextmanager
def movable():
    """Turns a part of the memory into a zone Movable."""
    states = sorted(glob.glob(BLOCKS + "memory[0-9]*/state"),
                    key=lambda path: int(re.search(r"memory(\d+)/", path).group(1)))
    mine = None
    with kmsg.Provoked() as log:
        # Pages that cannot be moved now may be free a moment later.
        for path in 3 * states[::-1]:
            try:
                module.write(path, "offline")
            except OSError:
                continue
            mine = path
            break
        log.expect(MEMORY_MESSAGES)
    if not mine:
        raise Skip("no part of the memory can be taken offline (CONFIG_MEMORY_HOTREMOVE)")
    with kmsg.Provoked() as log:
        try:
            module.write(mine, "online_movable")
            yield
        finally:
            module.write(mine, "offline")
            module.write(mine, "online")
            log.expect(MEMORY_MESSAGES)


@contextlib.contextmanager
def fragmented(keep_free, every=2):
    """Keeps one of every `every` pages of most of the free memory."""
    count = (pressure.free() - keep_free) // PAGE
    module.write(PARAMETERS + "every", every)
    module.write(PARAMETERS + "hold", max(count, 0))
    try:
        yield
    finally:
        module.write(PARAMETERS + "hold", 0)


@contextlib.contextmanager
def locked():
    """Keeps the code of the test and of the tool in memory. Reading it again would take pages."""
    watching = Watching()
    try:
        names = watching.files()
    finally:
        watching.end()
    with contextlib.ExitStack() as stack:
        for name in names:
            file = stack.enter_context(open(name, "rb"))
            stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        assert libc.mlockall(MCL_CURRENT) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            libc.munlockall()


def enough():
    """The value of vm.min_free_kbytes that the kernel sets for transparent huge pages: eleven page
    blocks a zone, but at most a twentieth of the memory. PREEMPT_RT has no such pages, and keeps
    less by itself. Then the states of memory that depend on it do not leave enough for the
    machine."""
    zones = [int(pages) for pages in re.findall(r"\n +managed +(\d+)",
                                                module.read("/proc/zoneinfo")) if int(pages)]
    pages = min(11 * len(zones) * (2 << 20) // PAGE, sum(zones) // 20)
    return max(min_free(), pages * PAGE >> 10)


@contextlib.contextmanager
def prepared(alone=True):
    """Loads the module of the test, disables the boost of watermarks, and if `alone`, leaves only
    one CPU online."""
    tool.path()
    score = module.read("/proc/self/oom_score_adj").strip()
    cpus = pressure.one_cpu() if alone else contextlib.nullcontext()
    with contextlib.ExitStack() as stack:
        stack.enter_context(consumer.loaded(MODULE))
        stack.enter_context(cpus)
        stack.enter_context(setting("watermark_boost_factor", 0))
        stack.enter_context(setting("min_free_kbytes", enough()))
        for cpu in os.sched_getaffinity(0):
            stack.enter_context(pressure.unlimited(cpu))
        module.write("/proc/self/oom_score_adj", -1000)
        try:
            stack.enter_context(locked())
            drop_caches()
            yield
        finally:
            module.write("/proc/self/oom_score_adj", score)


def min_free():
    """The setting vm.min_free_kbytes."""
    return int(module.read(VM + "min_free_kbytes"))


def room(factor=1.5):
    """So many times the high watermarks, in bytes."""
    return int(factor * low_mark()) * PAGE


def fresh():
    """Free memory is plenty."""
    with prepared():
        for _ in range(TIMES):
            measure("fresh")
            measure("fresh", gfp="nowait")
            measure("fresh", order=2)
            measure("fresh", order=3)
        if ktap.soak(False, True):
            measure("fresh", order=1)
            measure("fresh", order=4)
            measure("fresh", gfp="nowait", order=3)
        judge()


def second_cpu():
    """The burst is on another CPU, while the first one is idle."""
    if os.cpu_count() < 2:
        raise Skip("there is one CPU")
    with prepared(alone=False), kswapd_on(1):
        before = os.sched_getaffinity(0)
        try:
            for _ in range(TIMES):
                # Freeing pages while the list is too long shrinks it at once.
                with pressure.short_lists():
                    os.sched_setaffinity(0, {0})
                    with full_lists():
                        os.sched_setaffinity(0, {1})
                    measure("CPU 1, short lists", cpu=1)
                    measure("CPU 1, short lists", order=2, cpu=1)
                # The kernel shrinks a list of this length from time to time, also during a burst.
                for order in (0, 2):
                    os.sched_setaffinity(0, {0})
                    with full_lists(80 << 20):
                        os.sched_setaffinity(0, {1})
                    measure("CPU 1, full list of CPU 0", order=order, cpu=1)
        finally:
            os.sched_setaffinity(0, before)
        judge()


def full_of_page_cache():
    """The page cache has all memory that kswapd leaves to it."""
    with prepared(), anonymous(room() + (128 << 20)):
        for _ in range(TIMES):
            fill_page_cache()
            measure("page cache")
            measure("page cache", gfp="nowait")
            fill_page_cache()
            measure("page cache", order=2)
        judge()


@contextlib.contextmanager
def much_dirty(folder):
    """Lets a disk have any number of dirty pages. Without this, virtiofs may have few of them, and
    writes the others back at once."""
    device = os.stat(folder).st_dev
    limit = f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/strict_limit"
    if not os.path.exists(limit):
        raise Skip("the kernel limits the dirty pages of virtiofs, and has no strict_limit (6.2)")
    before = module.read(limit).strip()
    with setting("dirty_ratio", 100), setting("dirty_background_ratio", 99), \
            setting("dirty_writeback_centisecs", 0):
        module.write(limit, 0)
        try:
            yield
        finally:
            module.write(limit, before)


def full_of_dirty_pages():
    """The page cache has dirty pages."""
    if not os.access(DISK, os.W_OK):
        raise Skip(f"{DISK} is not a folder on a disk")
    size = 64 << 20
    name = f"{DISK}/tool_headroom-{os.getpid()}"
    with prepared(), much_dirty(DISK), anonymous(room(1.2) + size), \
            open(name, "w+b", buffering=0) as file:
        os.unlink(name)
        os.ftruncate(file.fileno(), size)
        with mmap.mmap(file.fileno(), size) as pages:
            for at in range(0, size, PAGE):
                pages[at] = 1
            dirty = pressure.memory("Dirty")
            ktap.note(f"{dirty // PAGE} dirty pages")
            assert dirty > size // 2, "the kernel has written most of the pages back"
            measure("dirty pages")
            measure("dirty pages", gfp="nowait")
            measure("dirty pages", order=1)
        judge()


def full_of_tmpfs():
    """A file in a tmpfs uses most of the memory."""
    with prepared(), tmpfs(room(1.3)):
        for _ in range(TIMES):
            measure("tmpfs")
            measure("tmpfs", gfp="nowait")
            measure("tmpfs", order=3)
        judge()


def full_of_huge_pages():
    """Huge pages use most of the memory."""
    with prepared():
        count = max(pressure.free() - room(2) - (8 << 20), 0) >> 21
        with setting("nr_hugepages", count):
            ktap.note(f"{module.read(VM + 'nr_hugepages').strip()} of {count} huge pages")
            for _ in range(TIMES):
                measure("huge pages")
                measure("huge pages", gfp="nowait")
                measure("huge pages", order=4)
        judge()


def full_of_anonymous_memory():
    """A process has most of the memory."""
    with prepared():
        for factor in (2, 1.2)[:ktap.soak(1, 2)]:
            with anonymous(room(factor)):
                for _ in range(TIMES):
                    measure(f"anonymous memory, {factor} x low is free")
                    measure(f"anonymous memory, {factor} x low is free", order=2)
                    measure(f"anonymous memory, {factor} x low is free", gfp="nowait")
        judge()


def fragmented_memory():
    """Each second, fourth or sixteenth page is taken, so that there are few large blocks."""
    with prepared():
        for every in (2, 4, 16)[:ktap.soak(1, 3)]:
            with fragmented(32 << 20, every):
                for order in (0, 1, 2, 3, 4)[:ktap.soak(3, 5)]:
                    measure(f"one page of {every} taken", order=order)
                measure(f"one page of {every} taken", gfp="nowait", order=1)
        judge()


def boosted_watermarks():
    """The kernel may boost its watermarks, and does so in the burst."""
    with prepared():
        with fragmented(32 << 20), setting("watermark_boost_factor", 15000):
            for _ in range(TIMES):
                measure("boost, fragmented", order=2)
                measure("boost, fragmented")
        # Raised watermarks would make this fail.
        with anonymous(room(2)), setting("watermark_boost_factor", 15000):
            for _ in range(TIMES):
                measure("boost, anonymous memory", order=2)
                measure("boost, anonymous memory", gfp="nowait")
        judge()


def other_watermarks():
    """The watermarks are low or high, or far apart."""
    with prepared():
        usual = min_free()
        for factor in (0.25, 4):
            with setting("min_free_kbytes", int(usual * factor)), anonymous(room(1.5)):
                for _ in range(TIMES):
                    measure(f"min_free_kbytes x {factor}")
                    measure(f"min_free_kbytes x {factor}", gfp="nowait")
                    measure(f"min_free_kbytes x {factor}", order=2)
        for factor in (1000, 1):
            with setting("watermark_scale_factor", factor), anonymous(room(1.1)):
                measure(f"watermark_scale_factor {factor}")
                measure(f"watermark_scale_factor {factor}", gfp="nowait")
        judge()


def other_protection():
    """The zones keep less, or more, from requests that could use higher zones."""
    with prepared():
        count = len(module.read(VM + "lowmem_reserve_ratio").split())
        for ratio in (0, 1, 32):
            text = "\t".join([str(ratio)] * count)
            with setting("lowmem_reserve_ratio", text):
                if TIMES > 1:
                    measure(f"lowmem_reserve_ratio {ratio}")
                with anonymous(room(1.5)):
                    measure(f"lowmem_reserve_ratio {ratio}, anonymous memory")
        judge()


def a_zone_is_nearly_empty():
    """All but the lowest zone are nearly empty, and nothing protects the lowest."""
    with prepared():
        count = len(module.read(VM + "lowmem_reserve_ratio").split())
        with setting("lowmem_reserve_ratio", "\t".join(["0"] * count)):
            # ZONE_DMA has 15 MiB at most.
            with anonymous(room(1.1), keep_out=15 << 20):
                for _ in range(TIMES):
                    measure("one zone nearly empty")
                    measure("one zone nearly empty", order=2)
        judge()


def a_movable_zone():
    """A part of the memory is in a zone Movable."""
    with prepared(), movable():
        for _ in range(TIMES):
            measure("zone Movable")
            measure("zone Movable", order=2)
        with anonymous(room(1.5)):
            measure("zone Movable, anonymous memory")
        judge()


def other_lists():
    """The lists of the CPU are short or long, and empty or full."""
    with prepared():
        for fraction, length in ((1_000_000, "short"), (8, "long")):
            # A list of this length must leave the pages that the machine needs.
            leave = room(1.5) + pressure.memory("MemTotal") // fraction
            with setting(os.path.basename(pressure.LISTS), fraction), anonymous(leave):
                measure(f"{length} lists")
                measure(f"{length} lists", gfp="nowait")
                with full_lists():
                    measure(f"{length} lists, full")
                    measure(f"{length} lists, full", order=1)
        judge()


def kept_for_atomic_requests():
    """Blocks are kept for atomic requests of high orders."""
    with prepared(), fragmented(16 << 20, 16):
        # The slow path keeps a page block for each block that it hands out.
        with setting("min_free_kbytes", min_free() * 4):
            module.write(PARAMETERS + "burst", f"atomic 3 -1 {MOST}")
        kept = sum(map(int, re.findall(r"reserved_highatomic: +(\d+)",
                                       module.read("/proc/zoneinfo"))))
        ktap.note(f"{kept} pages are kept")
        for _ in range(TIMES):
            measure("highatomic")
            measure("highatomic", gfp="nowait")
            measure("highatomic", order=2)
            measure("highatomic", gfp="nowait", order=1)
        judge()


def nodes():
    """The NUMA nodes."""
    return sorted(int(path.rsplit("node", 1)[1]) for path in
                  glob.glob("/sys/devices/system/node/node[0-9]*"))


def nodes_have_their_own():
    """A request for one node gets what is predicted for this node."""
    with prepared():
        for node in nodes():
            if f"Node {node}, zone" not in module.read("/proc/buddyinfo"):
                continue
            measure(f"node {node}", node=node)
            measure(f"node {node}", order=2, node=node)
            measure(f"node {node}", gfp="nowait", node=node)
        measure("all nodes")
        with anonymous(room(2)):
            measure("all nodes, anonymous memory")
            for node in nodes():
                if f"Node {node}, zone" in module.read("/proc/buddyinfo"):
                    measure(f"node {node}, anonymous memory", node=node)
        judge()


def bursts_are_measured():
    """--bursts finds a burst with its size and its caller, and says what to set."""
    # An emulated machine records some 30 pages in a millisecond.
    pages = 200
    with prepared():
        with subprocess.Popen([tool.path(), "headroom", "--bursts", "--json", "--duration", "2"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            line = process.stderr.readline()
            assert "measuring" in line, line
            time.sleep(0.5)
            with first():
                module.write(PARAMETERS + "burst", f"atomic 0 -1 {pages}")
            answer, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        answer = json.loads(answer)
    assert answer["lost"] == 0 and answer["pages"] >= pages, answer
    in_10_ms = 0
    for length in answer["lengths"]:
        largest = length["bursts"][0]
        if length["milliseconds"] == 10:
            in_10_ms = largest["pages"]
        ktap.note(f"{largest['pages']} pages in {length['milliseconds']} ms")
        # The machine may be too slow to take all of the burst in a shorter time.
        if length["milliseconds"] < 100:
            assert 0 < largest["pages"] < pages * 1.5, length
            continue
        assert pages <= largest["pages"] < pages * 1.5, length
        share = largest["callers"][0]
        assert share["pages"] == pages, length
        assert share["caller"]["module"] == MODULE and share["context"] == "task", length
    advice = answer["advice"]
    ktap.note(f"advice: {advice}")
    assert advice["needed"] == 2 * in_10_ms > 0 and advice["reasoning"], advice
    if advice["guaranteed"] < advice["needed"]:
        assert advice["min_free_kbytes"] > min_free(), advice


def problems_are_named():
    """A headroom below --fail-below, and --bursts without root, are explained in one sentence."""
    result = tool.run("headroom", "--fail-below", str(1 << 40))
    assert result.returncode == 1 and result.stderr.count("\n") == 1, result
    assert re.search(rf"headroom was \d+, .* {1 << 40} \(--fail-below\)$", result.stderr), result
    result = tool.run("headroom", "--fail-below", "0")
    assert result.returncode == 0 and not result.stderr, result
    result = tool.run_as_nobody("headroom", "--bursts", "--duration", "1")
    what, fix = result.stderr.splitlines()
    assert result.returncode == 3 and "only root may watch the page allocations" in what, result
    assert "fix: " in fix, result


# The zone Movable comes early. Later states leave unmovable pages everywhere.
CASES = (fresh, a_movable_zone, second_cpu, full_of_page_cache, full_of_dirty_pages, full_of_tmpfs,
         full_of_huge_pages, full_of_anonymous_memory, fragmented_memory, boosted_watermarks,
         other_watermarks, other_protection, a_zone_is_nearly_empty, other_lists,
         kept_for_atomic_requests)
if len(nodes()) < 2:
    SLOW = CASES[1:]
    ktap.main(fresh, bursts_are_measured, problems_are_named, *ktap.soak((), SLOW), by_name=SLOW)
else:
    ktap.main(nodes_have_their_own, *ktap.soak((), CASES), by_name=CASES)
