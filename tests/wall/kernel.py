# SPDX-License-Identifier: GPL-2.0
"""The experiment's control files, and the kernel's own figures about memory."""

import ctypes
import os

WALL = "/sys/kernel/debug/labyrinth_lab/wall/"
FRAGMENTATION = "/sys/kernel/debug/extfrag/"
PAGE = os.sysconf("SC_PAGE_SIZE")

_MCL_CURRENT_AND_FUTURE = 3


def read(path):
    """All of a file."""
    with open(path, "rb", buffering=0) as f:
        return f.readall().decode()


def write(path, text):
    """One write of a text; OSError if it is refused."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, str(text).encode())
    finally:
        os.close(fd)


def _pairs(line):
    """A line of key=value as a dict, with whole numbers as such."""
    fields = dict(field.split("=", 1) for field in line.split())
    return {key: int(value) if value.isdecimal() else value for key, value in fields.items()}


def memory():
    """Free pages and watermarks, as the module sees them."""
    return _pairs(read(WALL + "memory"))


def results():
    """What the module recorded: a dict for each contestant, by name."""
    lines = map(_pairs, read(WALL + "results").splitlines())
    return {line["name"]: line for line in lines}


def prepare(pages):
    """Makes the contestants for bursts of so many pages; 0 takes them away."""
    write(WALL + "prepare", pages)


def burst(name):
    """One burst of a contestant; returns what the module recorded of it."""
    write(WALL + "burst", name)
    return {key.removeprefix("last_"): value for key, value in results()[name].items()
            if key.startswith("last_")}


def hold(name):
    """A contestant takes an eighth of a burst more and keeps it."""
    write(WALL + "hold", name)


def release(name):
    """A contestant gives back what it holds."""
    write(WALL + "release", name)


def drop_page_cache():
    """Frees all clean page cache."""
    write("/proc/sys/vm/drop_caches", 1)


def compact():
    """Moves what can be moved together."""
    write("/proc/sys/vm/compact_memory", 1)


def shorten_cpu_lists():
    """Keeps the allocator's per-CPU lists as short as they can be. By default they grow as large as
    the low watermark: pages that nobody has asked for, and nobody else gets."""
    write("/proc/sys/vm/percpu_pagelist_high_fraction", 4096)


def page_blocks():
    """Blocks of pages by what they are meant for, summed over zones, from /proc/pagetypeinfo."""
    text = read("/proc/pagetypeinfo")
    lines = text[text.index("Number of blocks type"):].splitlines()
    types = lines[0].split()[4:]
    zones = [list(map(int, line.split("zone")[1].split()[1:])) for line in lines[1:]
             if "zone" in line]
    return {kind: sum(zone[i] for zone in zones) for i, kind in enumerate(types)}


def meminfo():
    """/proc/meminfo in KiB."""
    lines = (line.split() for line in read("/proc/meminfo").splitlines())
    return {fields[0].rstrip(":"): int(fields[1]) for fields in lines}


def clean_cache():
    """Pages of the page cache that could be reclaimed at once, in pages."""
    info = meminfo()
    kib = info["Active(file)"] + info["Inactive(file)"] - info["Dirty"] - info["Writeback"]
    return kib * 1024 // PAGE


def free_blocks():
    """Free blocks by order, summed over zones, from /proc/buddyinfo."""
    zones = [list(map(int, line.split("zone")[1].split()[1:]))
             for line in read("/proc/buddyinfo").splitlines()]
    return [sum(orders) for orders in zip(*zones)]


def unusable_index():
    """For each zone and order how much of the free memory is of no use (0 to 1), if known."""
    if not os.path.exists(FRAGMENTATION + "unusable_index"):
        return None
    rows = (line.split() for line in read(FRAGMENTATION + "unusable_index").splitlines())
    return {f"{row[1].rstrip(',')}/{row[3]}": [float(value) for value in row[4:]] for row in rows}


def protect_myself():
    """Out of memory must not be this program's end, nor must it wait for its own pages."""
    write("/proc/self/oom_score_adj", -1000)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT_AND_FUTURE):
        raise OSError(ctypes.get_errno(), "mlockall")
