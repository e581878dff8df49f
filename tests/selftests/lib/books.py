# SPDX-License-Identifier: GPL-2.0
"""The kernel's own account of the module's pages: those allocated by it, less those freed by it."""

import contextlib
import re

from lib import faults, module, tracing

ALLOC = ("labyrinth_alloc_pages", "labyrinth_alloc_pages_node", "labyrinth_alloc_pages_bulk",
         "labyrinth_alloc_page_nolock")
FREE = ("labyrinth_free_pages", "labyrinth_free_around_bad")

_OFFSETS = {}

# What interrupted the code below it on a stack, and what it runs at its end. A page that these free
# or allocate is theirs.
_INTERRUPTION = re.compile(r"\b(?:asm_\w*interrupt\w*|asm_sysvec_\w+|asm_exc_\w+|handle_softirqs|__schedule)\b")

# A function without a name is one of a module that is gone.
_BARE = re.compile(r"\b(?:0x)?(ffff[0-9a-f]{12})\b")


class Books:
    """Counts while the module is loaded, and beyond."""

    def __init__(self, kernel):
        self._kernel = kernel
        self._ranges = {}

    def learn(self):
        """Notes where the module's functions are, for when it is gone. It must be loaded."""
        base = int(module.read(f"/sys/module/{module.NAME}/sections/.text"), 16)
        # The table of symbols takes long to read; from one load to the next only the base moves.
        if not _OFFSETS:
            for name, ends in faults.function_ranges(*ALLOC, *FREE).items():
                _OFFSETS[name] = [end - base for end in ends]
        for name, offsets in _OFFSETS.items():
            self._ranges[name] = [base + offset for offset in offsets]

    def by_us(self, stack, names=ALLOC):
        """Whether one of these functions of the module is on a stack, and not merely interrupted. The
        module may be gone."""
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
        """Who allocated and who freed how many pages, as lists of (stack, pages). Nothing may be
        under way."""
        for histogram in self._kernel.values():
            histogram.halt()
        result = (self._ours(self._kernel["alloc"], ALLOC), self._ours(self._kernel["free"], FREE))
        for histogram in self._kernel.values():
            histogram.go_on()
        return result

    def read(self):
        """Pages allocated and pages freed so far. Nothing may be under way."""
        allocated, freed = (sum(hits for _, hits in entries) for entries in self.stacks())
        return allocated, freed

    def held(self):
        """Pages that the module has. Nothing may be under way."""
        allocated, freed = self.read()
        return allocated - freed


@contextlib.contextmanager
def kept(size=16384):
    """Counts from here on; load the module inside, so that every page is seen. There is room for
    `size` different stacks, and an error if there are more."""
    with tracing.histograms(
            alloc=("kmem/mm_page_alloc", "common_stacktrace", f"order == 0 && {tracing.SERVED}",
                   size),
            free=("kmem/mm_page_free", "common_stacktrace", "order == 0", size)) as kernel:
        yield Books(kernel)
