#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""mutants.py SOURCE FOLDER CONFIG SELECTION…: makes copies of the source with mutants in them.
mutants.py --check SOURCE: checks that each mutant applies to the source and names an existing case.

Each file in cases/ is one mutant: headers, followed by a unified diff. The changed code calls
`mutant!()` in Rust, or `MUTANT()` in C, which is true if the mutant is chosen at run time. Such
mutants share a copy, unless their changes overlap. Mutants that let misuse compile share a copy,
too. Each other mutant that has no such call needs a copy of its own.

    Why:   the fault (required)
    Case:  the program and the case that must fail (required): `pool.py cache_serves`, `host NAME`
           for the host tests, `compile_fail NAME` for a misuse that the compiler must refuse
    Says:  a regular expression for the whole message with which the case fails
    Log:   a regular expression for a report of the kernel; then the case itself need not fail
    Needs: the kernel option without which the mutant cannot be noticed
    Machine: edu or numa, if the case needs devices or nodes
    Slow:  yes, if the case takes too long for a sample

SELECTION is `all`; or `sample COUNT SEED`; or `beyond CONFIG` for mutants that a kernel with that
configuration cannot notice; or names. For each copy, FOLDER gets copy-N; copy-N.KIND, its mutants
for guest.py; copy-N.KIND.list, the same for run.sh; and copy-N.expected, the names of all results.
FOLDER/skipped lists the mutants that this kernel cannot notice."""

import json
import os
import random
import re
import shutil
import sys
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
HEADERS = ("Why", "Case", "Says", "Log", "Needs", "Machine", "Slow")
# The places where cases run. guest is an ordinary guest, edu has devices, and numa has NUMA nodes.
KINDS = ("guest", "edu", "numa", "host", "compile_fail")
COPIED = ("Documentation", "Kbuild", "Makefile", "README.md", "labyrinth_mod.rs", "include", "rust",
          "samples", "scripts", "tests")

# The files of the library. All other files belong to crates that use it.
LIBRARY = tuple(f"rust/{part}" for part in
                ("lib.rs", "capi/", "ffi/", "kunit/", "page/", "pool/", "stats/"))

# The definitions of `mutant!()` and `MUTANT()` are appended to these files.
SWITCHES = {
    "rust/lib.rs": "switch_lib.rs",
    "rust/ffi/mod.rs": "switch.rs",
    "rust/ffi/report.c": "switch.c",
    "tests/host/src/main.rs": "switch_host.rs",
}
RUST, C = "mutant!()", "MUTANT()"


class Broken(Exception):
    """A mutant cannot be made. The text says why, and what to do."""


@dataclass
class Hunk:
    """One change of a file: replaces the lines `old`, somewhere after the line `hint`, by `new`."""
    path: str
    hint: str
    old: list = field(default_factory=list)
    new: list = field(default_factory=list)


@dataclass
class Mutant:
    """One file of cases/."""
    name: str
    headers: dict
    hunks: list
    number: int = 0

    @property
    def kind(self):
        """The kind of place where the case runs, one of KINDS."""
        program = self.headers["Case"].split()[0]
        if program in ("host", "compile_fail"):
            return program
        return self.headers.get("Machine", "guest")

    @property
    def is_switched(self):
        """Whether the mutant is chosen at run time, so that it can share a copy."""
        return any(RUST in line or C in line for hunk in self.hunks for line in hunk.new)

    def clean(self):
        """The name of the case without the mutant, or None for a misuse that must not compile."""
        if self.is_switched and self.kind != "compile_fail":
            return "none " + self.headers["Case"]
        return None

    def said(self):
        """The data for guest.py."""
        program, case = self.headers["Case"].split()
        return {"name": self.name, "number": self.number if self.is_switched else 0,
                "kind": self.kind, "program": program, "case": case,
                "switched": self.is_switched,
                "says": self.headers.get("Says"), "log": self.headers.get("Log")}


def parsed(path):
    """Reads a mutant from its file."""
    name = os.path.basename(path).removesuffix(".patch")
    headers, hunks, target = {}, [], None
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for line in lines:
        if line.startswith("--- "):
            target = None
        elif line.startswith("+++ b/"):
            target = line[len("+++ b/"):]
        elif line.startswith("@@") and target:
            hint = re.fullmatch(r"@@(?: -\S+ \+\S+)? ?(?:@@ ?)?(.*)", line)[1].strip()
            hunks.append(Hunk(target, hint.removesuffix("@@").strip()))
        elif hunks and target:
            # Editors remove the blank of an empty line of context.
            mark, text = line[:1] or " ", line[1:]
            if mark not in " +-":
                raise Broken(f"{name}: a line of a diff begins with ' ', '+' or '-', not {line!r}")
            if mark != "+":
                hunks[-1].old.append(text)
            if mark != "-":
                hunks[-1].new.append(text)
        elif line and not line.startswith(("#", "diff ", "index ")):
            key, colon, value = line.partition(": ")
            if not colon or key not in HEADERS or key in headers:
                raise Broken(f"{name}: {line!r} is no header; there are {', '.join(HEADERS)}")
            headers[key] = value.strip()
    if headers.get("Machine") not in (None, "edu", "numa"):
        raise Broken(f"{name}: the machine is edu or numa, not {headers['Machine']!r}")
    for key in ("Why", "Case"):
        if key not in headers:
            raise Broken(f"{name}: the header {key} is missing")
    if len(headers["Case"].split()) != 2:
        raise Broken(f"{name}: Case is a program and one case, not {headers['Case']!r}")
    if not hunks or any(hunk.old == hunk.new or not hunk.old for hunk in hunks):
        raise Broken(f"{name}: a change needs lines that it finds, and lines that differ")
    return Mutant(name, headers, hunks)


def occurrences(text, block):
    """The places of a block of lines in the text."""
    # Find whole lines only.
    needle, found, at = "\n" + "\n".join(block) + "\n", [], -1
    hay = "\n" + text
    while (at := hay.find(needle, at + 1)) >= 0:
        found.append(at)
    return found


def changed(text, hunk, mutant):
    """The text with the change."""
    start = 0
    if hunk.hint:
        start = text.find(hunk.hint)
        if start < 0:
            raise Broken(f"{mutant.name}: {hunk.path} has no '{hunk.hint}', the place of the change")
    found = [at for at in occurrences(text, hunk.old) if at >= start]
    if not found:
        raise Broken(f"{mutant.name}: {hunk.path} has changed; this is not there any more"
                     f"{' after ' + repr(hunk.hint) if hunk.hint else ''}:\n    "
                     + "\n    ".join(hunk.old))
    if len(found) > 1 and not hunk.hint:
        raise Broken(f"{mutant.name}: {hunk.path} has these lines {len(found)} times; name a line that"
                     " comes before them, after the @@:\n    " + "\n    ".join(hunk.old))
    # If the change does not compile, rustc shows this name.
    place = "crate::ffi" if hunk.path.startswith(LIBRARY) else "labyrinth"
    rust = f"{place}::mutant(/* {mutant.name} */ {mutant.number})"
    c = (f"({{ extern unsigned int labyrinth_mutant; READ_ONCE(labyrinth_mutant) == "
         f"{mutant.number}; /* {mutant.name} */ }})")
    new = [line.replace(RUST, rust).replace(C, c) for line in hunk.new]
    hay, at = "\n" + text, found[0]
    end = at + len("\n" + "\n".join(hunk.old))
    return (hay[:at] + "\n" + "\n".join(new) + hay[end:])[1:]


def apply(files, mutant):
    """The files with the changes of a mutant."""
    files = dict(files)
    for hunk in mutant.hunks:
        if hunk.path not in files:
            raise Broken(f"{mutant.name}: there is no {hunk.path}")
        files[hunk.path] = changed(files[hunk.path], hunk, mutant)
    return files


def source_files(source):
    """The files of a copy, by their paths."""
    files = {}
    for top in COPIED:
        path = os.path.join(source, top)
        if os.path.isfile(path):
            files[top] = None
        for folder, _, names in os.walk(path):
            for name in names:
                if not name.endswith(".pyc"):
                    files[os.path.relpath(os.path.join(folder, name), source)] = None
    for path in files:
        with open(os.path.join(source, path), "rb") as file:
            files[path] = file.read()
    return files


def write_tree(source, tree, files):
    """Writes these files to the folder `tree`, and removes others. Unchanged files are not written,
    so that make does not build them again."""
    for path, text in files.items():
        data = text.encode() if isinstance(text, str) else text
        there = os.path.join(tree, path)
        try:
            with open(there, "rb") as file:
                if file.read() == data:
                    continue
        except FileNotFoundError:
            os.makedirs(os.path.dirname(there), exist_ok=True)
        with open(there, "wb") as file:
            file.write(data)
        shutil.copymode(os.path.join(source, path), there)
    for top in COPIED:
        for folder, _, names in os.walk(os.path.join(tree, top)):
            for name in names:
                if os.path.relpath(os.path.join(folder, name), tree) not in files:
                    os.remove(os.path.join(folder, name))


def grouped(pristine, mutants):
    """The copies, as (files, mutants). Mutants share a copy if their changes do not overlap."""
    groups = []
    for mutant in mutants:
        alone = apply(pristine, mutant)
        if not mutant.is_switched and mutant.kind != "compile_fail":
            groups.append((alone, [mutant], True))
            continue
        for at, (files, members, closed) in enumerate(groups):
            if closed or (members[0].kind == "compile_fail") != (mutant.kind == "compile_fail"):
                continue
            try:
                groups[at] = (apply(files, mutant), members + [mutant], False)
                break
            except Broken:
                continue
        else:
            groups.append((alone, [mutant], False))
    return [(files, members) for files, members, _ in groups]


def noticeable(mutants, config):
    """The mutants that a kernel with this configuration can notice."""
    with open(config, encoding="utf-8") as file:
        options = set(re.findall(r"^(CONFIG_\w+)=[ym]$", file.read(), re.M))
    return [mutant for mutant in mutants
            if "Needs" not in mutant.headers or mutant.headers["Needs"] in options]


def selected(mutants, first, selection):
    """The selected mutants."""
    if selection == ["all"]:
        return mutants
    if selection[0] == "beyond":
        others = noticeable(mutants, selection[1])
        return [mutant for mutant in mutants if mutant not in others]
    if selection[0] == "sample":
        count, seed = int(selection[1]), selection[2]
        # The mutants of a sample share a copy and a guest.
        quick = [mutant for mutant in first
                 if not mutant.headers.keys() & {"Slow", "Needs", "Machine"}]
        return random.Random(seed).sample(quick, min(count, len(quick)))
    known = {mutant.name: mutant for mutant in mutants}
    if unknown := [name for name in selection if name not in known]:
        raise Broken(f"there is no cases/{unknown[0]}.patch")
    return [known[name] for name in selection]


def has_case(source, mutant):
    """Whether the case of a mutant exists. Some programs derive their cases from other names."""
    program, case = mutant.headers["Case"].split()
    tests = os.path.join(source, "tests")
    if program == "compile_fail":
        return os.path.isfile(os.path.join(tests, f"compile_fail/cases/{case}.rs"))
    folder = os.path.join(tests, "host/src" if program == "host" else "selftests")
    text = ""
    for name in os.listdir(folder):
        if name == program or program == "host" and name.endswith(".rs"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text += file.read()
    return bool(re.search(rf'^def {case}\(|"{case}"|__name__ = ', text, re.M))


def all_of(source):
    """All mutants, numbered, and their copies."""
    cases = os.path.join(source, "tests/mutation/cases")
    mutants = [parsed(os.path.join(cases, name)) for name in sorted(os.listdir(cases))]
    for number, mutant in enumerate(mutants, 1):
        mutant.number = number
        if not has_case(source, mutant):
            raise Broken(f"{mutant.name}: there is no case {mutant.headers['Case']}")

    raw = source_files(source)
    touched = {hunk.path for mutant in mutants for hunk in mutant.hunks} | SWITCHES.keys()
    pristine = {path: data.decode() if path in touched else data for path, data in raw.items()}
    for path, switch in SWITCHES.items():
        with open(os.path.join(source, "tests/mutation", switch), encoding="utf-8") as file:
            pristine[path] += "\n" + file.read().partition("\n\n")[2]

    return mutants, grouped(pristine, mutants)


def main(source, folder, config, *selection):
    """Writes the copies, and the lists of the mutants in each."""
    # Make all mutants, whatever the selection. So each must apply, and the build is the same each
    # day.
    mutants, groups = all_of(source)
    switched = [members for _, members in groups if members[0].is_switched]
    wanted = selected(mutants, switched[0] if switched else [], list(selection))
    write_plan(source, folder, groups, wanted, noticeable(wanted, config))


def write_plan(source, folder, groups, wanted, able):
    """Writes the copies, and the lists of the mutants in each."""
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if not os.path.isdir(os.path.join(folder, name)):
            os.remove(os.path.join(folder, name))
    with open(os.path.join(folder, "skipped"), "w", encoding="utf-8") as file:
        for mutant in wanted:
            if mutant not in able:
                file.write(f"{mutant.name}: the kernel has no {mutant.headers['Needs']}\n")
    for number, (files, members) in enumerate(groups, 1):
        if not (runs := [mutant for mutant in able if mutant in members]):
            continue
        tree = os.path.join(folder, f"copy-{number}")
        write_tree(source, tree, files)
        for kind in KINDS:
            said = [mutant.said() for mutant in runs if mutant.kind == kind]
            with open(f"{tree}.{kind}", "w", encoding="utf-8") as file:
                json.dump(said, file)
            with open(f"{tree}.{kind}.list", "w", encoding="utf-8") as file:
                for one in said:
                    file.write("\t".join((str(one["number"]), one["name"], one["case"],
                                          one["log"] or "")) + "\n")
        # Each case that can run without a mutant must pass without it.
        with open(f"{tree}.expected", "w", encoding="utf-8") as file:
            for name in dict.fromkeys(mutant.clean() for mutant in runs):
                if name:
                    file.write(f"{name}\n")
            for mutant in runs:
                file.write(f"{mutant.name}\n")


if __name__ == "__main__":
    try:
        if sys.argv[1] == "--check":
            all_of(sys.argv[2])
        else:
            main(*sys.argv[1:])
    except Broken as problem:
        sys.exit(f"labyrinth: error: {problem}\nlabyrinth: fix: mend the mutant's file in tests/mutation/cases;"
                 " git diff -U1 shows a change as it is wanted there")
