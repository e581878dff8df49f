# SPDX-License-Identifier: GPL-2.0
"""Reads a page of `labyrinth report` or `labyrinth run --html`, and compares it with its runs.
`python3 -m lib.page PAGE RUN.json…` does the same without a guest."""

import html.parser
import json
import os
import re
import sys

# Elements and attributes that load or run something.
ELEMENTS = {"script", "link", "iframe", "frame", "object", "embed", "img", "audio", "video", "base",
            "form", "applet"}
ATTRIBUTES = {"src", "srcset", "href", "xlink:href", "data", "poster", "action", "background"}


class Page(html.parser.HTMLParser):
    """The tables of a page as [caption, rows], and everything that the page would load. A row has
    its cells by the names of the columns."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.loads, self.plots = [], [], 0
        self._open, self._text, self._head = [], "", []
        self.feed(text)
        self.close()
        self.loads += re.findall(r"url\(|@import|https?://(?!www\.w3\.org/)\S+", text)

    def handle_starttag(self, tag, attrs):
        self.loads += [tag] if tag in ELEMENTS else []
        self.loads += [name for name, _ in attrs if name in ATTRIBUTES or name.startswith("on")]
        self.plots += tag == "svg" and ("role", "img") in attrs
        if tag == "table":
            self.tables.append(["", []])
            self._head = []
        elif tag == "tr":
            self._open = []
        elif tag in ("caption", "th", "td"):
            self._text = ""

    def handle_data(self, data):
        self._text += data

    def handle_endtag(self, tag):
        if tag == "caption":
            self.tables[-1][0] = self._text
        elif tag in ("th", "td"):
            self._open.append(self._text)
        elif tag == "tr" and not self._head:
            self._head = self._open
        elif tag == "tr":
            self.tables[-1][1].append(dict(zip(self._head, self._open, strict=True)))

    def of(self, exercise, run):
        """The row of an exercise of a run, and the rows of its buckets."""
        captions = [caption for caption, _ in self.tables]
        at = captions.index(f"Requests and latencies of {exercise}")
        assert captions[at + 1] == "Buckets", captions
        rows = [[row for row in rows if row["run"] == run]
                for _, rows in self.tables[at:at + 2]]
        assert len(rows[0]) == 1, f"{exercise} of {run}: {rows[0]}"
        return rows[0][0], rows[1]


def check(text, runs):
    """Checks that a page loads nothing, and has the numbers of these documents."""
    page = Page(text)
    assert not page.loads, f"the page loads or runs {page.loads}"
    about = {row["run"]: row for caption, rows in page.tables if caption == "What ran where"
             for row in rows}
    assert about.keys() == runs.keys(), f"{about.keys()}, not {runs.keys()}"
    exercises = 0
    for name, run in runs.items():
        row = about[name]
        assert (row["kernel"], row["CPUs"], row["verdict"]) == \
            (run["kernel"], str(run["cpus"]), run["verdict"]), f"{row}, not {run}"
        settings = {f"{one['name']} {one['value']}" for one in run["settings"]}
        assert set(row["settings"].split(", ")) == settings, f"{row}, not {settings}"
        for series in run["series"]:
            requests = series["successes"] + series["failures"]
            if not requests:
                continue
            exercises += 1
            row, buckets = page.of(f"{series['context']} {series['gfp']}", name)
            assert (row["successes"], row["failures"]) == \
                (str(series["successes"]), str(series["failures"])), f"{row}, not {series}"
            assert [int(one["requests"]) for one in buckets] == \
                [one["count"] for one in series["buckets"] if one["count"]], f"{buckets}, {series}"
            assert sum(int(one["requests"]) for one in buckets) == requests, f"{buckets}, {series}"
    assert exercises, "the runs have no requests"
    # A histogram and percentiles for each exercise, and at least one plot over time.
    assert page.plots >= 3, f"{page.plots} plots"


def main():
    """Compares the page with the documents that the arguments name."""
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    runs = {}
    for name in sys.argv[2:]:
        with open(name, encoding="utf-8") as file:
            runs[os.path.basename(name)] = json.load(file)
    check(text, runs)


if __name__ == "__main__":
    main()
