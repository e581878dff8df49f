# SPDX-License-Identifier: GPL-2.0
"""Looks up functions of the kernel."""


def has(name):
    """Whether the kernel, not a module, has a function with this name."""
    with open("/proc/kallsyms", encoding="ascii") as table:
        return any(line.split()[2:] == [name] for line in table)
