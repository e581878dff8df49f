# SPDX-License-Identifier: GPL-2.0
"""Reads the tables in `stats`, and checks that each line is consistent, as it must be at each
read."""

import re

from lib import module

PERCENTILES = {"p50": 5000, "p90": 9000, "p99": 9900, "p99.9": 9990}
_SPANS = ("min", *PERCENTILES, "max")
# Spaces separate columns, but these names contain one.
_SPACES = {"rate %": "rate_%", "in flight": "in_flight"}


def columns(line):
    """The cells of a line."""
    for name, one in _SPACES.items():
        line = line.replace(name, one)
    return line.split()


def _number(cell):
    return None if cell == "-" else float(cell) if "." in cell else int(cell)


class Table:
    """One read of `stats`: the lines of both tables, as numbers by column."""

    def __init__(self):
        text = module.read(module.file("stats"))
        self.clock_ns = int(re.search(r"one clock read of (\d+) ns in it", text)[1])
        self.in_flight = int(re.search(r"pages in flight (\d+)$", text, re.M)[1])
        self.series = self._table(text, "context", 2)
        self.transfers = self._table(text, "transfer", 1)

    @staticmethod
    def _table(text, first, names):
        """The table that begins with this column. The first `names` columns are the name of a
        line."""
        found = re.search(rf"^{first} .*\n(?:.+\n)+", text, re.M)
        if not found:
            return {}
        head, *lines = found[0].splitlines()
        heads, table = columns(head), {}
        for line in lines:
            cells = columns(line)
            assert len(cells) == len(heads), f"{line!r} below {head!r}"
            key = tuple(cells[:names]) if names > 1 else cells[0]
            table[key] = dict(zip(heads[names:], map(_number, cells[names:])))
        return table

    def check(self):
        """Checks that the numbers agree with each other."""
        for name, line in (*self.series.items(), *self.transfers.items()):
            spans = [line[span] for span in _SPANS]
            if None in spans:
                assert not any(spans), f"{name}: {line}"
            else:
                assert spans == sorted(spans), f"{name}: {line}"
        for name, line in self.series.items():
            assert line["success"] == line["freed"] + line["in_flight"], f"{name}: {line}"
            assert 0 <= line["in_flight"] < 1 << 40, f"{name}: {line}"
            none_failed = line["failure"] == 0 < line["success"]
            assert (line["rate_%"] == 100) == none_failed, f"{name}: {line}"
        return self
