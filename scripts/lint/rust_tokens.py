# SPDX-License-Identifier: GPL-2.0
"""A tokenizer for Rust code."""

import re

TOKEN = re.compile(r"""
    (?P<skip> \s+ | //[^\n]* )
  | (?P<comment> /\* )
  | (?P<literal> [bc]?r(?P<hashes>\#*)".*?"(?P=hashes) | [bc]?"(?:\\.|[^"\\])*"
               | b?'(?:\\(?:x..|u\{[^}]*\}|.)|[^'\\\n])' )
  | (?P<token> '\w+ | (?:r\#)?\w+ | -> | => | . )
""", re.X | re.S)


def tokens(text):
    """The tokens of Rust code, each with its line. Comments are left out, and each literal is an
    empty string."""
    place = 0
    while place < len(text):
        match = TOKEN.match(text, place)
        start, place = place, match.end()
        if match["comment"]:
            depth = 1
            while depth and (edge := re.compile(r"/\*|\*/").search(text, place)):
                depth += 1 if edge[0] == "/*" else -1
                place = edge.end()
        elif not match["skip"]:
            yield match["token"] or '""', text.count("\n", 0, start) + 1
