#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""soundness.py: compares the tables of Documentation/soundness.md with the code. Each `unsafe` in
rust/ and in the root of the module's crate must have a row, each row must have its code, and the
numbers must be the same. The tests that rows name must exist. Prints what is wrong, and rows for
each `unsafe` without one. Also checks that unloading the module waits for callbacks from the
kernel."""

import os
import re
import sys
from collections import Counter
from pathlib import Path

from rust_tokens import tokens

TOP = Path(__file__).resolve().parents[2]
TABLES = TOP / "Documentation/soundness.md"

# The tokens that can come right before an item, but not before `impl` or `const` in a type.
BEFORE_ITEM = {None, "{", "}", ";", ")", "]", "pub", "unsafe"}
KINDS = ("block", "fn", "impl", "trait", "extern", "attribute")


def plain(header):
    """The names in the header of an `impl`, without generics and paths: the type, or the trait and
    the type."""
    parts, depth = [[]], 0
    for token in header:
        depth += {"<": 1, ">": -1}.get(token, 0)
        if token == "where" and not depth:
            break
        if token == "for" and not depth:
            parts.append([])
        elif re.match(r"\w", token) and not depth:
            parts[-1].append(token)
    return [part[-1] if part else "?" for part in parts]


def uses(text):
    """Each `unsafe` of a file: the item that contains it, its kind, and its line."""
    code = list(tokens(text))
    word = lambda i: code[i][0] if 0 <= i < len(code) else None
    # For each open brace the name of its item or None; and the item whose brace is yet to come.
    scopes, item = [], None

    def path(*last):
        names = [*filter(None, scopes), *last]
        # Items that a macro makes belong to the macro.
        macros = [i for i, name in enumerate(names) if name.endswith("!")]
        return "::".join(names[:macros[0] + 1] if macros else names)

    for i, (token, line) in enumerate(code):
        before, after = word(i - 1), word(i + 1)
        if token == "{":
            scopes.append(item)
            item = None
        elif token == "}":
            scopes.pop()
            item = None
        elif token == ";":
            item = None
        elif token in ("fn", "mod", "trait") and re.match(r"\w", after):
            item = after
        elif token == "macro_rules":
            item = word(i + 2) + "!"
        elif token in ("const", "static") and before in BEFORE_ITEM:
            name = i + 2 if after == "mut" else i + 1
            if re.match(r"\w", word(name)) and word(name + 1) == ":":
                item = word(name)
        elif token == "impl" and before in BEFORE_ITEM:
            header = []
            while word(i + 1 + len(header)) not in ("{", None):
                header.append(word(i + 1 + len(header)))
            names = plain(header)
            item = names[-1]
            if before == "unsafe":
                yield " for ".join(names), "impl", line
        elif token == "unsafe":
            rest = [word(j) for j in range(i + 1, i + 5)]
            if rest[0] == "extern" and rest[1] == '""':
                rest = ["extern", *rest[2:]]
            if rest[0] == "extern" and rest[1] == "fn":
                rest = rest[1:]
            if rest[0] == "{":
                yield path(*filter(None, [item])), "block", line
            elif rest[0] == "fn" and rest[1] != "(":
                yield path(rest[1] if rest[1] != "$" else "a macro's"), "fn", line
            elif rest[0] == "trait":
                yield path(rest[1]), "trait", line
            elif rest[0] == "extern":
                yield path(), "extern", line
            elif rest[0] == "(":
                yield path(), "attribute", line
            elif rest[0] not in ("fn", "impl"):
                raise SystemExit(f"line {line}: unsafe, and then {rest[0]}?")


def exists(test):
    """Whether a test exists. None if it is not the name of a test."""
    def has(file, pattern):
        return file.is_file() and re.search(pattern, file.read_text(), re.M) is not None

    tests = TOP / "tests"
    if match := re.fullmatch(r"compile_fail/(\w+)", test):
        return (tests / f"compile_fail/cases/{match[1]}.rs").is_file()
    if match := re.fullmatch(r"kunit/(\w+)::(\w+)", test):
        pattern = rf"#\[test\]\s+(#\[.*\]\s+)*fn {match[2]}\("
        files = f"rust/kunit/{match[1]}.rs", f"rust/{match[1]}/kunit.rs"
        return any(has(TOP / file, pattern) for file in files)
    if match := re.fullmatch(r"host/(\w+)::(\w+)", test):
        # The name is in the case itself and in the list of cases.
        pattern = rf"(?s)\b{match[2]}\b.*\b{match[2]}\b"
        folder = tests / "host/src"
        return any(has(folder / file, pattern) for file in (f"{match[1]}.rs", f"{match[1]}/mod.rs"))
    if match := re.fullmatch(r"([\w/]+\.py)::(\w+)", test):
        return has(tests / "selftests" / match[1], rf"(?s)^def {match[2]}\(.*\b{match[2]}\b")
    if match := re.fullmatch(r"mutation/(\w+)", test):
        return (tests / f"mutation/cases/{match[1]}.patch").is_file()
    return None


def rows():
    """The rows of the tables: line, file, items, kinds with their numbers, evidence. An invalid row
    has no items."""
    file = None
    for line, text in enumerate(TABLES.read_text().splitlines(), 1):
        if text.startswith("#"):
            file = match[1] if (match := re.fullmatch(r"#+ `(\S+\.rs)`", text)) else None
        elif file and text.startswith("|") and not re.match(r"\| *(item|-+) *\|", text):
            cells = [cell.strip() for cell in text.strip().strip("|").split("|")] + [""] * 5
            items = re.fullmatch(r"`[^`]+`(, `[^`]+`)*", cells[0])
            kinds = [re.fullmatch(rf"(?:(\d+) )?({'|'.join(KINDS)})s?", kind)
                     for kind in cells[1].split(", ")]
            complete = items and all(kinds) and cells[2] and cells[3] and len(cells) == 10
            yield (line, file, complete and re.findall(r"`([^`]+)`", cells[0]),
                   complete and [(kind[2], int(kind[1] or 1)) for kind in kinds], cells[4])


def careless():
    """Complains if unloading the module does not wait for callbacks. The field that is dropped last
    must be the `UnloadBarrier`."""
    if not re.search(r"\b\w+: UnloadBarrier,\n\}", (TOP / "labyrinth_mod.rs").read_text()):
        yield "labyrinth_mod.rs: the last field of the module is not an `UnloadBarrier`"


def main():
    wrong = [*careless()]
    written, where, files = Counter(), {}, {}
    for line, file, items, kinds, evidence in rows():
        if not items:
            wrong.append(f"Documentation/soundness.md:{line}: this is not a row like "
                         "| `item` | 2 blocks | owed | by whom | evidence |")
            continue
        for key in ((file, item, kind) for item in items for kind, _ in kinds):
            where[key] = f"Documentation/soundness.md:{line}"
        written.update({(file, item, kind): count for item in items for kind, count in kinds})
        tests = re.findall(r"`([^`]*)`", evidence)
        if not tests and not re.match(r"by (reading|the compiler)\b", evidence):
            wrong.append(f"Documentation/soundness.md:{line}: no test, nor 'by reading', "
                         "nor 'by the compiler'")
        for test in tests:
            if not (found := exists(test)):
                why = f"there is no test {test}" if found is False else f"'{test}' names no test"
                wrong.append(f"Documentation/soundness.md:{line}: {why}")

    found = Counter()
    for path in [TOP / "labyrinth_mod.rs", *sorted((TOP / "rust").rglob("*.rs"))]:
        file = os.path.relpath(path, TOP)
        for item, kind, line in uses(path.read_text()):
            found[file, item, kind] += 1
            files.setdefault((file, item, kind), f"{file}:{line}")

    for key in sorted(found.keys() | written.keys()):
        file, item, kind = key
        if found[key] == written[key]:
            continue
        if not written[key]:
            count = kind if found[key] == 1 else f"{found[key]} {kind}s"
            wrong.append(f"{files[key]}: has no row in Documentation/soundness.md, under `{file}`:\n"
                         f"    | `{item}` | {count} | … | … | … |")
        elif not found[key]:
            wrong.append(f"{where[key]}: there is no unsafe {kind} in {item} of {file}")
        else:
            wrong.append(f"{where[key]}: {item} of {file} has {found[key]} unsafe {kind}s, "
                         f"not {written[key]}")
    print(*wrong, f"{found.total()} uses of unsafe, {len(wrong)} things wrong", sep="\n")
    sys.exit(bool(wrong))


main()
