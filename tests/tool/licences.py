#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""licences.py METADATA: checks the crates that the tool is linked to, as `cargo metadata` lists them.
The tool is under GPL-2.0-only, so each crate needs a licence that is compatible with it. Prints a
line for each crate that has none, and fails if there is any, or if there are no crates."""

import json
import re
import sys

COMPATIBLE = {
    "0BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "GPL-2.0-only",
    "GPL-2.0-or-later", "ISC", "LGPL-2.1-or-later", "MIT", "Unicode-3.0", "Unlicense", "Zlib",
}


def compatible(expression):
    """Returns whether an SPDX expression allows use in a program under GPL-2.0-only. Older crates
    write a slash for OR. An exception after WITH makes no licence compatible that is not so by
    itself."""
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def one():
        token = tokens.pop(0)
        if token != "(":
            if tokens[:1] == ["WITH"]:
                del tokens[:2]
            return token in COMPATIBLE
        result = either()
        if not tokens or tokens.pop(0) != ")":
            raise ValueError(f"no licence expression: {expression}")
        return result

    def both():
        result = one()
        while tokens[:1] == ["AND"]:
            tokens.pop(0)
            result = one() and result
        return result

    def either():
        result = both()
        while tokens[:1] == ["OR"]:
            tokens.pop(0)
            result = both() or result
        return result

    result = either()
    if tokens:
        raise ValueError(f"no licence expression: {expression}")
    return result


def main():
    for expression, expected in [
        ("MIT", True), ("Apache-2.0", False), ("Apache-2.0/MIT", True),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", True), ("MIT AND Apache-2.0", False),
        ("Apache-2.0 WITH LLVM-exception", False),
    ]:
        assert compatible(expression) == expected, expression

    with open(sys.argv[1], encoding="utf-8") as file:
        packages = json.load(file)["packages"]
    bad = 0
    for package in packages:
        licence = package["license"] or ""
        if not licence or not compatible(licence):
            print(f"{package['name']} {package['version']} has the licence '{licence}'")
            bad += 1
    if len(packages) < 2:
        print("there are no crates")
        bad += 1
    sys.exit(bad != 0)


main()
