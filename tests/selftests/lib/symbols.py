# SPDX-License-Identifier: GPL-2.0
"""Looks up functions of the kernel and of modules."""

import re


def has(name):
    """Whether the kernel, not a module, has a function with this name."""
    with open("/proc/kallsyms", encoding="ascii") as table:
        return any(line.split()[2:] == [name] for line in table)


def address(name, module):
    """Returns the address of a function in Rust at the top of a module's crate."""
    wanted = re.compile(rf"_R\w+{len(name)}{name}$")
    with open("/proc/kallsyms", encoding="ascii") as table:
        found = [int(line[0], 16) for line in map(str.split, table)
                 if line[3:] == [f"[{module}]"] and wanted.match(line[2])]
    assert len(found) == 1 and found[0], f"{module} has {found} for {name}"
    return found[0]
