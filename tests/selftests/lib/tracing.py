# SPDX-License-Identifier: GPL-2.0
"""Counts events with tracefs histograms, which do not lose events when a buffer is full."""

import contextlib
import os
import re

from lib import module
from lib.ktap import Again, Skip

TRACING = "/sys/kernel/tracing"
INSTANCE = TRACING + "/instances/labyrinth-test"

# Selects the events kmem/mm_page_alloc that have a page. A failed request is traced, too, with a
# page frame number of all ones.
SERVED = f"pfn != {(1 << 64) - 1:#x}"

_TOTALS = re.compile(r"Totals:\s+Hits: (\d+)\s+Entries: (\d+)\s+Dropped: (\d+)")
_ENTRY = re.compile(r"^\{ (.*?)\} hitcount:\s*(\d+)", re.M | re.S)


class Histogram:
    """Counts of one event by some keys."""

    def __init__(self, event, keys, condition="", size=4096):
        self._folder = f"{INSTANCE}/events/{event}"
        self._keys = keys
        self._size = size
        self._condition = f" if {condition}" if condition else ""
        module.write(self._folder + "/trigger", self._definition())

    def _definition(self, *options):
        return ":".join(("hist", f"keys={self._keys}", f"size={self._size}") + options) + self._condition

    def entries(self):
        """All entries as (text of the keys, count). It is an error if hits were dropped. Stops
        counting."""
        # Reading allocates pages, too, which must not change the counts.
        self.halt()
        text = module.read(self._folder + "/hist")
        totals = _TOTALS.search(text)
        assert totals, f"no totals in {text!r}"
        hits, entries, dropped = map(int, totals.groups())
        self._check_dropped(dropped)
        found = [(keys, int(count)) for keys, count in _ENTRY.findall(text)]
        assert len(found) == entries, f"{len(found)} of {entries} entries understood"
        assert sum(count for _, count in found) == hits, "the counts do not add up to the hits"
        return found

    def _check_dropped(self, dropped):
        """Checks that no hits were dropped. The kernel drops hits if there is no space. It also
        drops them if one CPU inserts new keys and another CPU with the same keys has waited too
        long, as an emulated CPU can stop meanwhile."""
        if dropped:
            raise Again(f"the kernel dropped {dropped} hits on {self._folder}")

    def entries_so_far(self):
        """The entries that existed when this was called, each with a count of a later moment.
        Counting continues."""
        text = module.read(self._folder + "/hist")
        self._check_dropped(int(_TOTALS.search(text).group(3)))
        return [(keys, int(count)) for keys, count in _ENTRY.findall(text)]

    def halt(self):
        """Stops counting."""
        module.write(self._folder + "/trigger", self._definition("pause"))

    def forget(self):
        """Resets all counts, and stops counting."""
        self.halt()
        module.write(self._folder + "/trigger", self._definition("clear"))

    def go_on(self):
        """Continues counting."""
        module.write(self._folder + "/trigger", self._definition("continue"))

    def remove(self):
        """Removes the histogram."""
        module.write(self._folder + "/trigger", "!" + self._definition())


@contextlib.contextmanager
def histograms(**wanted):
    """Makes histograms, name=(event, keys[, condition[, size]]), in a separate instance of
    tracefs."""
    if not os.path.exists(TRACING + "/events/kmem/mm_page_alloc/hist"):
        raise Skip("the kernel has no histogram triggers (CONFIG_HIST_TRIGGERS)")
    running = {}
    os.mkdir(INSTANCE)
    try:
        for name, arguments in wanted.items():
            running[name] = Histogram(*arguments)
        yield running
    finally:
        for histogram in running.values():
            histogram.remove()
        os.rmdir(INSTANCE)


def count(entries, *symbols):
    """The number of hits whose keys contain all of these texts."""
    return sum(hits for keys, hits in entries if all(symbol in keys for symbol in symbols))


@contextlib.contextmanager
def calls(function, arguments):
    """Records calls of a kernel function by this process. Yields a function that returns the values
    of the arguments of each call so far."""
    probes = TRACING + "/kprobe_events"
    if not os.path.exists(probes):
        raise Skip("the kernel has no events of kprobes (CONFIG_KPROBE_EVENTS)")
    event = f"{INSTANCE}/events/labyrinth_test/calls"
    module.write(probes, f"p:labyrinth_test/calls {function} {arguments}")
    os.mkdir(INSTANCE)
    try:
        module.write(event + "/filter", f"common_pid == {os.getpid()}")
        module.write(event + "/enable", 1)
        yield lambda: [re.findall(r"\w+=(\S+)", line)
                       for line in module.read(INSTANCE + "/trace").splitlines()
                       if not line.startswith("#")]
    finally:
        module.write(event + "/enable", 0)
        os.rmdir(INSTANCE)
        module.write(probes, "-:labyrinth_test/calls")
