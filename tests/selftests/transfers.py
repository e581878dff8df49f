#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check check-debug soak-debug
# Covers: rust/page rust/stats/transfer.rs rust/ffi/mm/vmap rust/ffi/mm/attribute tests/modules/transfers
# Takes: 60 s
"""A driver makes transfers of ownership in every context where they are allowed."""

import errno
import mmap
import os
import time

from lib import ktap, module, pressure, tracing, transfers
from lib.ktap import Skip

# The subjects that must have cases.
SUBJECTS = ("share", "secret", "view", "zero", "guard", "attribute", "flush",
            "host", "contiguous")


def every_subject_has_cases():
    """The module has cases for each subject, in each context."""
    with transfers.loaded():
        names = transfers.cases()
    assert len(names) == len(set(names)), f"a case twice: {names}"
    for subject in SUBJECTS:
        own = [name for name in names if name.startswith(subject + "_")]
        for context in ("task", "spinlock", "softirq"):
            assert any(name.endswith("_" + context) for name in own), f"{subject}: not in {context}"


def unknown_case():
    """The module refuses the name of a case that does not exist."""
    with transfers.loaded():
        try:
            transfers.run("no_such_case")
        except OSError as error:
            assert error.errno == errno.ENOENT, error
            return
    raise AssertionError("it ran")


def counted():
    """labyrinth counts each transfer of the driver and each failure, and records latencies if
    `recording` is 1."""
    with transfers.loaded():
        for recording in (1, 2, 0):
            module.write(module.file("recording"), recording)
            module.write(module.file("reset"), 1)
            assert not any(map(any, transfers.counts().values())), transfers.counts()
            transfers.run("share_and_back_task")
            transfers.run("secret_taken_out_softirq")
            transfers.run("view_there_and_back")
            transfers.run("view_of_nothing")
            transfers.run("guard_there_and_back_task")
            transfers.run("guard_passed_on_softirq")
            found = {kind: count for kind, count in transfers.counts().items() if any(count)}
            if recording == 0:
                assert not found, found
                continue
            wanted = {"share": (2, 0), "take_back": (2, 2), "scrub": (1, 0), "vmap": (1, 1),
                      "vunmap": (1, 0), "conceal": (1, 0), "guard": (2, 0), "unguard": (1, 0),
                      "pass_guarded": (2, 0),
                      # Checked when opened, twice when passed on, on demand, and when dropped.
                      "sentinel_check": (5, 0)}
            assert found.keys() == wanted.keys(), found
            for kind, count in found.items():
                assert count[:2] == wanted[kind], f"{kind}: {count}"
                samples = sum(count[:2]) if recording == 1 else 0
                assert count.samples == samples, f"{kind}: {count}"
                assert (count.nanos > 0) == (samples > 0), f"{kind}: {count}"


def attributes_counted():
    """labyrinth counts changes of cache attributes, and each page that is lost."""
    if not os.path.exists("/sys/kernel/debug/kprobes/list"):
        raise Skip("the kernel has no kprobes, which make a change fail")
    with transfers.loaded():
        module.write(module.file("recording"), 1)
        module.write(module.file("reset"), 1)
        # Each uses five blocks with 13 pages. The second has to change the pages back at once.
        transfers.run("attribute_uncached")
        transfers.run("attribute_set_refused")
        transfers.run("attribute_set_lost")
        transfers.run("attribute_reset_refused")
        found = {kind: count[:2] for kind, count in transfers.counts().items() if any(count)}
        assert found == {"set_uncached": (1, 0), "set_write_combined": (1, 2),
                         "set_write_back": (2, 1), "lose": (13, 0)}, found

        module.write(module.file("reset"), 1)
        transfers.run("attribute_dropped_lost")
        found = transfers.counts()
        # Later blocks are changed back in the same way: all those of a drop at once, or in parts.
        dropped = found["reset_dropped"]
        assert dropped.failures == 1 and 20 <= dropped.successes <= 100, dropped
        assert found["lose"][:2] == (13, 0), found["lose"]
        assert found["set_write_combined"][:2] == (21, 0), found["set_write_combined"]


# The functions that flush, and the registers with the address and the number of bytes, by machine.
FLUSHES = {"x86_64": ("clflush_cache_range", "di", "si")}


def flushes_reach_the_kernel():
    """Each flush calls the kernel's function for its range, and no refused flush does."""
    machine = os.uname().machine
    if machine not in FLUSHES:
        raise Skip(f"this test does not know how {machine} flushes")
    function, address, size = FLUSHES[machine]
    with transfers.loaded():
        module.write(module.file("reset"), 1)
        with tracing.calls(function, f"address=%{address}:x64 size=%{size}:u32") as calls:
            transfers.run("flush_page_task")
            transfers.run("flush_block")
            transfers.run("flush_view")
            found = [(int(address, 0) % mmap.PAGESIZE, int(size)) for address, size in calls()]
        flushed = transfers.counts()["flush"][:2]
    page = mmap.PAGESIZE
    assert found == [(0, page), (100, 100), (page - 1, 2 * page + 2), (0, 3 * page)], found
    # One flush of no bytes, and five out of range, have not called the function.
    assert flushed == (5, 5), flushed


def files_of_any_size():
    """A file that says that it is empty, or larger than all memory, can be read."""
    text = "".join(f"{line}\n" for line in range(3000))
    with transfers.loaded():
        for name in ("size_0", "size_max"):
            assert module.read(transfers.file(name)) == text, name


# By case, the number of runs, and the size of a leak in bytes that they would find. The second case
# takes pages back twice.
OFTEN = {"share_freed_by_last_task": (4_000, 16), "share_and_back_task": (4_000, 16),
         "view_there_and_back": (1_000, 256)}


def slab():
    """Returns how many bytes the slab allocator uses, less those that the kernel keeps for areas
    that it has not unmapped yet."""
    transfers.run("view_guards")
    return pressure.used("Slab")[0]


def nothing_is_left_behind():
    """Slab use does not grow, however often pages are transferred."""
    for name, (times, least) in OFTEN.items():
        with transfers.loaded():
            # The first runs allocate memory that is kept for later views.
            transfers.run(name, 100)
            before, start = slab(), time.monotonic()
            transfers.run(name, times)
            grown, took = slab() - before, time.monotonic() - start
        ktap.note(f"{name}, {times} times: slab use grew by {grown} bytes, in {took:.1f} s")
        assert grown < times * least // 2, f"{name}: {grown} bytes are left after {times} times"


def case_of(name):
    """Returns the KTAP case for one of the module's cases."""
    def case():
        with transfers.loaded():
            # A case may damage guards. That is counted, and not reported in the kernel log.
            module.write(module.file("sentinel"), 0)
            transfers.run(name)
    case.__name__ = name
    return case


def cases_of_the_module():
    """Returns a case for each name that the module lists."""
    with transfers.loaded():
        return [case_of(name) for name in transfers.cases()]


ktap.main(every_subject_has_cases, unknown_case, counted, attributes_counted,
          flushes_reach_the_kernel, files_of_any_size, nothing_is_left_behind,
          more=cases_of_the_module)
