# SPDX-License-Identifier: GPL-2.0
"""The properties of each exercise that tests check, besides those that all exercises have.

`module.CONTEXTS` are the exercises that the module has. A test that needs to know more than their
names asks here, and runs only the exercises that have a row here."""

from typing import NamedTuple

from lib import metrics, module


class Shape(NamedTuple):
    """An exercise on one CPU."""
    # The context in its page events and in the reports of the pools.
    context: str
    # How many batches it holds.
    batches: int
    # Whether it has a timer, and whether it has a thread.
    timer: bool
    thread: bool
    # The functions that its pages are charged to.
    callers: tuple

    @property
    def number(self):
        """The number of the context in page events."""
        return metrics.CONTEXTS.index(self.context)


SHAPES = {
    "timer_softirq": Shape("softirq", 1, True, False, ("timer_softirq",)),
    "spinlock": Shape("spinlock", 2, True, True, ("spinlock_task", "spinlock_softirq")),
    "task": Shape("task", 1, False, True, ("task_atomic", "task_kernel")),
    "hard_irq": Shape("irqs_off", 2, True, True, ("hard_irq", "irqs_off")),
}
KNOWN = tuple(SHAPES)
# The exercises whose requests fail only when memory is short, or a fault is injected. An exercise
# that must not wait for a lock may fail whenever one is taken.
PLAIN = tuple(name for name in KNOWN if SHAPES[name].context != "irqs_off")


def batches(*names):
    """Returns how many batches these exercises hold on one CPU. An exercise without a row counts
    as two, which is enough for a bound."""
    return sum(SHAPES[name].batches if name in SHAPES else 2 for name in names)
