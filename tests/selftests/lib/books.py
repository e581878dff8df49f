# SPDX-License-Identifier: GPL-2.0
"""Counts the module's pages with the kernel's tracepoints: the pages that it has allocated, less
those that it has freed."""

import contextlib
import re

from lib import faults, module, tracing

ALLOC = ("labyrinth_alloc_pages", "labyrinth_alloc_pages_node", "labyrinth_alloc_pages_bulk",
         "labyrinth_alloc_page_nolock")
FREE = ("labyrinth_free_pages", "labyrinth_free_around_bad")

_OFFSETS = {}

# Functions on a stack that have interrupted the code below them, and functions that interrupts run
# at their end. Pages that these allocate or free do not belong to the code below.
_INTERRUPTION = re.compile(r"\b(?:asm_\w*interrupt\w*|asm_sysvec_\w+|asm_exc_\w+|handle_softirqs"
                           r"|__schedule)\b")

# A function without a name is in an unloaded module.
_BARE = re.compile(r"\b(?:0x)?(ffff[0-9a-f]{12})\b")


class Books:
    """Counts while the module is loaded, and after it is unloaded."""

    def __init__(self, kernel):
        self._kernel = kernel
        self._ranges = {}

    def learn(self):
        """Records the addresses of the module's functions, so that they are known after it is
        unloaded. The module must be loaded."""
        base = int(module.read(f"/sys/module/{module.NAME}/sections/.text"), 16)
        # The table of symbols takes long to read. From one load to the next, only the base changes.
        if not _OFFSETS:
            for name, ends in faults.function_ranges(*ALLOC, *FREE).items():
                _OFFSETS[name] = [end - base for end in ends]
        for name, offsets in _OFFSETS.items():
            self._ranges[name] = [base + offset for offset in offsets]

    def by_us(self, stack, names=ALLOC):
        """Whether one of these functions of the module is on a stack, and not merely interrupted.
        The module may be unloaded."""
        for frame in stack.splitlines():
            if any(f"{name}+0x" in frame for name in names):
                return True
            if any(start < int(address, 16) <= end for address in _BARE.findall(frame)
                   for start, end in (self._ranges[name] for name in names)):
                return True
            if _INTERRUPTION.search(frame):
                return False
        return False

    def _ours(self, histogram, names):
        return [(stack, hits) for stack, hits in histogram.entries() if self.by_us(stack, names)]

    def stacks(self):
        """The stacks that have allocated and freed pages, as lists of (stack, pages). The module
        must be idle."""
        for histogram in self._kernel.values():
            histogram.halt()
        result = (self._ours(self._kernel["alloc"], ALLOC), self._ours(self._kernel["free"], FREE))
        for histogram in self._kernel.values():
            histogram.go_on()
        return result

    def read(self):
        """The numbers of pages allocated and freed so far. The module must be idle."""
        allocated, freed = (sum(hits for _, hits in entries) for entries in self.stacks())
        return allocated, freed

    def held(self):
        """The number of pages that the module has. The module must be idle."""
        allocated, freed = self.read()
        return allocated - freed


@contextlib.contextmanager
def kept(size=16384):
    """Counts in the block. The module must be loaded inside, so that all pages are counted. More
    than `size` different stacks are an error."""
    with tracing.histograms(
            alloc=("kmem/mm_page_alloc", "common_stacktrace", f"order == 0 && {tracing.SERVED}",
                   size),
            free=("kmem/mm_page_free", "common_stacktrace", "order == 0", size)) as kernel:
        yield Books(kernel)
