# SPDX-License-Identifier: GPL-2.0
"""Looks up functions of the kernel."""


def has(name):
    """Whether the kernel itself has a function of that name."""
    with open("/proc/kallsyms", encoding="ascii") as table:
        return any(line.split()[2:] == [name] for line in table)
