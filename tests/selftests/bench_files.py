#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: soak soak-debug
# Covers: rust/lab
# Takes: 60 s
"""The benchmark behind `make bench` runs on every kernel, though only a machine of its own gives
figures that can be compared."""

import errno
import os
import threading

from lib import drivers, ktap, module

LAB = "labyrinth_lab"
BENCH = f"/sys/kernel/debug/{LAB}/bench/"
# Some of the peers: a page in C and in Rust, and the tiers of a pool.
PEERS = {"empty_c", "empty_rust", "alloc_pages", "exclusive_page", "pool_hit", "pool_reserve",
         "pool_miss", "pool_bulk_miss"}


def lines_of(file):
    """Runs a benchmark. Returns the words of each line, by the first word."""
    found = {}
    for line in module.read(BENCH + file).splitlines():
        kind, *words = line.split()
        found.setdefault(kind, []).append(words)
    return found


def short_plan():
    """Each peer has its figures."""
    with module.loaded(), drivers.loaded(LAB):
        found = lines_of("short")
        assert "failed" not in found, found["failed"]
        points = {(peer, int(order), int(batch)): tuple(map(int, figures))
                  for peer, order, batch, _, *figures in found["point"]}
        assert len(points) == len(found["point"]), "a point comes twice"
        missing = {(peer, 0, 1) for peer in PEERS} - set(points)
        assert not missing, f"no figures of {missing}"
        for point, (best, median, worst) in points.items():
            assert 0 < best <= median <= worst, f"{point}: {best} {median} {worst}"
        ktap.note(f"{len(points)} points")


def several_cpus():
    """So it is when several CPUs use a peer at once. PREEMPT_RT has no such benchmark."""
    with module.loaded(), drivers.loaded(LAB):
        if not os.path.exists(BENCH + "scaling"):
            raise ktap.Skip("this kernel has PREEMPT_RT")
        found = lines_of("scaling")
        cpus = {int(words[1]) for words in found["scale"]}
        assert {1, os.cpu_count()} <= cpus, cpus
        assert all(int(words[5]) > 0 for words in found["scale"])


def one_at_a_time():
    """A second run is refused while one is under way."""
    with module.loaded(), drivers.loaded(LAB):
        reader = threading.Thread(target=module.read, args=(BENCH + "short",))
        reader.start()
        try:
            def is_refused():
                try:
                    with open(BENCH + "full", "rb", buffering=0) as file:
                        file.read(1)
                except OSError as error:
                    return error.errno == errno.EBUSY
                return False
            module.wait_until(is_refused, "EBUSY", 20)
        finally:
            reader.join()


ktap.main(short_plan, several_cpus, one_at_a_time)
