#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""examples.py FILE…: prints a crate with all examples in the documentation of these files. Each
example is a function. The crate is to be compiled like a driver. An example that is marked as not
to be compiled is an error."""

import re
import sys

COMMENT = re.compile(r"^\s*//[/!] ?(.*)$")
FENCE = re.compile(r"^```(\S*)$")
# Blocks that begin with these words are not Rust code.
TEXT = {"text", "sh"}

problems = []
functions = []


def examples(name):
    """The examples in a file, each as its line number, the word after its fence, and its lines."""
    inside = None
    with open(name, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            comment = COMMENT.match(line)
            text = comment[1].rstrip() if comment else None
            fence = FENCE.match(text) if comment else None
            if fence and inside is None:
                inside = (number, fence[1], [])
            elif fence:
                yield inside
                inside = None
            elif inside is not None and comment:
                # rustdoc does not show these lines, but compiles them.
                inside[2].append(re.sub(r"^#( |$)", "", text))
            elif inside is not None:
                problems.append(f"{name}:{inside[0]}: the example has no end")
                inside = None


for file_name in sys.argv[1:]:
    for begin, word, lines in examples(file_name):
        if word in TEXT:
            continue
        if word:
            problems.append(f"{file_name}:{begin}: an example is '{word}', so nobody compiles it")
            continue
        identifier = re.sub(r"\W", "_", f"{file_name}_{begin}")
        functions.append(f"/// {file_name}, line {begin}\nfn {identifier}() {{\n"
                         + "\n".join(lines) + "\n}\n")

if problems:
    sys.exit("\n".join(problems))
if not functions:
    sys.exit("there is no example")
print("""//! The examples of the documentation.

#![forbid(unsafe_code)]
#![allow(dead_code, unused, clippy::all, missing_docs)]

/// As `module!` defines it, for `pr_info!` and its like.
const __LOG_PREFIX: &[u8] = b"examples\\0";
""")
print("\n".join(functions))
