#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""documents.py: checks the references in the documents. Links, their anchors, and paths in the
source must exist. A code block below the line `<!-- from FILE -->` must be part of that file, where
it may be a comment. README.md must stay short. Prints each problem."""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
MOST_LINES = {"README.md": 150}
# A path in the source, in backquotes. FILE and NAME in a path are placeholders.
PATH = re.compile(r"`((?:rust|scripts|tests|samples|include|Documentation)/[\w./-]+)`")
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
QUOTE = re.compile(r"<!-- from (\S+) -->\n```\w*\n(.*?)^```$", re.M | re.S)
BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)


def anchors(file):
    """The anchors that GitHub makes from the headings of a file."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", file.read_text()), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_part(quoted, whole):
    """Whether the quoted lines are in a text, or in its doc comments, one after the other."""
    comments = re.sub(r"^//[!/] ?", "", whole, flags=re.M)
    return quoted != "" and any(f"\n{quoted}" in f"\n{text}" for text in (whole, comments))


def problems(file):
    """All problems of one document."""
    text = file.read_text()
    most = MOST_LINES.get(str(file.relative_to(TOP)))
    if most and text.count("\n") > most:
        yield f"has {text.count(chr(10))} lines, and at most {most} are allowed"
    for source, quoted in QUOTE.findall(text):
        if not (TOP / source).is_file():
            yield f"quotes {source}, which does not exist"
        elif not is_part(quoted, (TOP / source).read_text()):
            yield f"quotes {source}, which has no such lines"
    prose = BLOCK.sub("", text)
    for path in PATH.findall(prose):
        if not (TOP / path).exists() and not re.search("FILE|NAME", path):
            yield f"there is no {path}"
    for link in LINK.findall(prose):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path) if path else file
        if not target.exists():
            yield f"the link to {link} leads nowhere"
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target)):
            yield f"{target.name} has no heading for the link to {link}"


def main():
    files = [*TOP.glob("*.md"), *TOP.glob("Documentation/*.md"), *TOP.glob("samples/**/*.md")]
    found = [f"{file.relative_to(TOP)}: {problem}"
             for file in sorted(files) for problem in problems(file)]
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(bool(found))


main()
