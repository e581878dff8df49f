# SPDX-License-Identifier: GPL-2.0
"""Access to the experiment's control files, and to the kernel's figures about memory."""

import ctypes
import os
import re

WALL = "/sys/kernel/debug/labyrinth_lab/wall/"
FRAGMENTATION = "/sys/kernel/debug/extfrag/"
PAGE = os.sysconf("SC_PAGE_SIZE")

_MCL_CURRENT_AND_FUTURE = 3


def read(path):
    """The contents of a file."""
    with open(path, "rb", buffering=0) as f:
        return f.readall().decode()


def write(path, text):
    """Writes a text in one write. OSError if it is refused."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, str(text).encode())
    finally:
        os.close(fd)


def _pairs(line):
    """A line of KEY=VALUE as a dict. Whole numbers are converted."""
    fields = dict(field.split("=", 1) for field in line.split())
    return {key: int(value) if value.isdecimal() else value for key, value in fields.items()}


def memory():
    """Free pages and watermarks, from the module."""
    return _pairs(read(WALL + "memory"))


def results():
    """The module's records: a dict for each contestant, by name."""
    lines = map(_pairs, read(WALL + "results").splitlines())
    return {line["name"]: line for line in lines}


def sized_state():
    """The module's record of the pool whose reserve sizes itself."""
    return _pairs(read(WALL + "sized/state"))


def sized_resizes():
    """The numbers of decisions about the target of that reserve, by reason, from `metrics`."""
    text = read("/sys/kernel/debug/labyrinth/metrics")
    name = 'labyrinth_pool_reserve_resizes_total{pool="wall_sized"'
    found = re.findall(rf'^{re.escape(name)},reason="(\w+)"}} (\d+)', text, re.M)
    return {reason: int(count) for reason, count in found}


_ZONE = re.compile(r"^Node \d+, zone +(\w+)$(.*?)(?=^Node |\Z)", re.M | re.S)


def usable():
    """The free pages above the min watermarks, and the clean pages of the page cache, from
    /proc/zoneinfo. Both only of zones for memory of the kernel, which are three on this machine."""
    free = reclaimable = 0
    for name, text in _ZONE.findall(read("/proc/zoneinfo")):
        def number(key, text=text):
            found = re.search(rf"^ *(?:pages )?{key} +(\d+)$", text, re.M)
            return int(found.group(1)) if found else 0

        if name in ("Movable", "Device"):
            continue
        protection = re.search(r"protection: \((.*?)\)", text)
        kept = int(protection.group(1).split(", ")[2]) if protection else 0
        free += max(0, number("free") - number("min") - kept - number("nr_free_cma"))
        reclaimable += max(0, number("nr_zone_active_file") + number("nr_zone_inactive_file")
                           - number("nr_zone_write_pending"))
    return free, reclaimable


def prepare(pages):
    """Sets up the contestants for bursts of this many pages. 0 removes them."""
    write(WALL + "prepare", pages)


def burst(name):
    """Runs one burst of a contestant. Returns the module's record of it."""
    write(WALL + "burst", name)
    return {key.removeprefix("last_"): value for key, value in results()[name].items()
            if key.startswith("last_")}


def hold(name):
    """Lets a contestant take an eighth of a burst, and keep it."""
    write(WALL + "hold", name)


def release(name):
    """Lets a contestant free all pages that it holds."""
    write(WALL + "release", name)


def drop_page_cache():
    """Frees all clean page cache."""
    write("/proc/sys/vm/drop_caches", 1)


def compact():
    """Compacts memory."""
    write("/proc/sys/vm/compact_memory", 1)


def shorten_cpu_lists():
    """Keeps the allocator's per-CPU lists as short as possible. By default they can hold as many
    pages as the low watermark, and these pages are not available to others."""
    write("/proc/sys/vm/percpu_pagelist_high_fraction", 4096)


def page_blocks():
    """Numbers of page blocks by migrate type, summed over zones, from /proc/pagetypeinfo."""
    text = read("/proc/pagetypeinfo")
    lines = text[text.index("Number of blocks type"):].splitlines()
    types = lines[0].split()[4:]
    zones = [list(map(int, line.split("zone")[1].split()[1:])) for line in lines[1:]
             if "zone" in line]
    return {kind: sum(zone[i] for zone in zones) for i, kind in enumerate(types)}


def meminfo():
    """The values of /proc/meminfo, in KiB."""
    lines = (line.split() for line in read("/proc/meminfo").splitlines())
    return {fields[0].rstrip(":"): int(fields[1]) for fields in lines}


def clean_cache():
    """The number of pages in the page cache that could be reclaimed at once."""
    info = meminfo()
    kib = info["Active(file)"] + info["Inactive(file)"] - info["Dirty"] - info["Writeback"]
    return kib * 1024 // PAGE


def free_blocks():
    """Numbers of free blocks by order, summed over zones, from /proc/buddyinfo."""
    zones = [list(map(int, line.split("zone")[1].split()[1:]))
             for line in read("/proc/buddyinfo").splitlines()]
    return [sum(orders) for orders in zip(*zones)]


def unusable_index():
    """The unusable free space index, from 0 to 1, for each zone and order, if known."""
    if not os.path.exists(FRAGMENTATION + "unusable_index"):
        return None
    rows = (line.split() for line in read(FRAGMENTATION + "unusable_index").splitlines())
    return {f"{row[1].rstrip(',')}/{row[3]}": [float(value) for value in row[4:]] for row in rows}


def protect_myself():
    """Protects this program from the OOM killer, and locks its pages into memory."""
    write("/proc/self/oom_score_adj", -1000)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT_AND_FUTURE):
        raise OSError(ctypes.get_errno(), "mlockall")
