#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""arrows.py: checks that each part of a crate uses only the parts that the picture in
CONTRIBUTING.md allows. A part is a folder of rust/, or of rust/lab/. Prints each path in the code
that leads to another part without an arrow, and each exception that is no longer needed."""

import sys
from pathlib import Path

from rust_tokens import tokens

TOP = Path(__file__).resolve().parents[2]

# The crates, their parts, and the parts that each of these may use.
ARROWS = {
    "the library": {
        "capi": {"pool", "page", "stats", "ffi"},
        "pool": {"page", "stats", "ffi"},
        "page": {"stats", "ffi"},
        "stats": {"ffi"},
        "ffi": set(),
        # The KUnit tests, which test all parts.
        "kunit": {"capi", "pool", "page", "stats", "ffi"},
    },
    # These use the library as a driver does, through `labyrinth::`.
    "the module": {
        "debugfs": {"exercise"},
        "exercise": set(),
        "device": set(),
        "squeeze": set(),
    },
    "the lab": {
        "bench": {"ffi"},
        "wall": {"ffi"},
        "ffi": set(),
    },
}
# The folder with the parts of each crate.
FOLDERS = {"the library": TOP / "rust", "the module": TOP / "rust", "the lab": TOP / "rust/lab"}
# The exceptions: by file and part, the reason why they are still there.
EXCEPTIONS = {}
# Items of a crate's root that all parts may use: those for macros, which expand in all parts, and
# the number of tiers.
OF_THE_ROOT = {"__private", "call_site", "import", "SOURCES"}


def home(file, root):
    """The module path of a file, from its place below the folder of its crate."""
    *folders, name = file.relative_to(root).with_suffix("").parts
    return folders if name == "mod" else [*folders, name]


def names(code, at):
    """The first names of the paths that begin at a token: one, or each in a list in braces."""
    if code[at][0] != "{":
        return [code[at]]
    found, depth, first = [], 0, True
    while True:
        token = code[at][0]
        if depth == 1 and first and token not in "{},":
            found.append(code[at])
            first = False
        depth += {"{": 1, "}": -1}.get(token, 0)
        first = first or token == "," and depth == 1
        if not depth:
            return found
        at += 1


def paths(file, root):
    """The paths of a file that begin with `crate` or `super`, each as its first name below the
    crate's root and its line. Paths to the root itself are left out."""
    code = list(tokens(file.read_text()))
    word = lambda i: code[i][0] if 0 <= i < len(code) else None
    # The open modules within the file, each with the number of open braces at its beginning.
    inner, depth = [], 0
    for i, (token, line) in enumerate(code):
        if token == "{":
            depth += 1
            if word(i - 2) == "mod":
                inner.append((word(i - 1), depth))
        elif token == "}":
            if inner and inner[-1][1] == depth:
                inner.pop()
            depth -= 1
        # `pub(crate)` and `pub(super)` are not paths, and `crate` in the middle begins none.
        if token not in ("crate", "super") or word(i - 1) == ":" or word(i + 1) != ":":
            continue
        module = [*home(file, root), *(name for name, _ in inner)] if token == "super" else []
        while word(i) == "super":
            module = module[:-1]
            i += 3
        if not module:
            i += 3 if token == "crate" else 0
            yield from names(code, i)
        else:
            yield module[0], line


def main():
    wrong, needed = [], set()
    for crate, arrows in ARROWS.items():
        root = FOLDERS[crate]
        for part, allowed in arrows.items():
            files = sorted((root / part).rglob("*.rs"))
            if not files:
                wrong.append(f"scripts/lint/arrows.py: there is no part {(root / part).relative_to(TOP)}")
            for file in files:
                where = str(file.relative_to(TOP))
                for to, line in paths(file, root):
                    if to == part or to in allowed or to in OF_THE_ROOT:
                        continue
                    if (where, to) in EXCEPTIONS:
                        needed.add((where, to))
                    elif to in arrows:
                        wrong.append(f"{where}:{line}: {part} may not use {to}: there is no such "
                                     "arrow in CONTRIBUTING.md")
                    else:
                        wrong.append(f"{where}:{line}: {to} is no part of {crate}")
    known = {FOLDERS[crate] / part for crate, arrows in ARROWS.items() for part in arrows}
    known |= set(FOLDERS.values())
    for root in sorted(set(FOLDERS.values())):
        for folder in sorted(root.iterdir()):
            if folder.is_dir() and folder not in known:
                wrong.append(f"{folder.relative_to(TOP)}: scripts/lint/arrows.py lacks this part")
    for where, to in sorted(EXCEPTIONS.keys() - needed):
        wrong.append(f"scripts/lint/arrows.py: {where} needs no exception, as it does not use {to}")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(bool(wrong))


main()
