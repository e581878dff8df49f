#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""report.py FOLDER: writes the table and the KTAP of the traffic of `make wall`, from the results
of its guests. Status: 0 all requirements are met, 1 one is not met, 2 the run is invalid."""

import json
import os
import statistics
import sys

import judge

COLUMNS = (("received", 10), ("dropped", 8), ("alloc-fail", 11), ("missed", 7), ("below min", 10),
           ("Mbit/s", 8), ("resent", 7), ("p50 ms", 8), ("p99 ms", 8))


def _median(runs, name, digits=1, divisor=1):
    if name not in runs[0]:
        return "-"
    return f"{statistics.median(run[name] for run in runs) / divisor:.{digits}f}"


def _row(source, work, runs):
    total = {name: sum(run[name] for run in runs)
             for name in ("packets", "dropped", "alloc_fail", "missed")}
    resent = sum(run["retransmits"] for run in runs) if "retransmits" in runs[0] else "-"
    cells = (*total.values(), max(run["below_min"] for run in runs), _median(runs, "mbits"), resent,
             _median(runs, "p50_us", divisor=1000), _median(runs, "p99_us", divisor=1000))
    return (f"{source:<11}{work:<9}"
            + "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, COLUMNS)))


def table(run, counted):
    """The lines of the table."""
    marks = run["marks"]
    yield (f"Linux {run['kernel']}, {run['cpus']} CPU, {run['memory_kib'] // 1024} MiB full of page "
           f"cache; {run['rounds']} rounds of each source, interleaved")
    yield f"pktgen: one burst of {run['burst']} packets, as large as the reserve"
    yield "udp, tcp, latency: iperf3 and sockperf, while such bursts come again and again"
    yield "received, dropped, missed: ip -s link; alloc-fail: the queue statistics"
    yield (f"below min: most pages below the min watermark of {marks['min']}; resent: TCP segments; "
           "p50, p99: half of")
    yield "the time from a request to its reply"
    yield ""
    yield f"{'':<20}" + "".join(f"{title:>{width}}" for title, width in COLUMNS)
    for work in judge.WORKS:
        for source in judge.SOURCES:
            yield _row(source, work, judge.of(run, source, work))
    yield ""
    yield "instructions for each packet, from sender to receiver, when memory is plenty"
    yield f"{'':<11}" + "".join(f"{work:>10}" for work in judge.COUNTED)
    for source in judge.SOURCES:
        yield (f"{source:<11}"
               + "".join(f"{judge.least(counted, source, work):>10.0f}" for work in judge.COUNTED))


def ktap(judgements):
    """The lines of the KTAP."""
    yield "KTAP version 1"
    yield f"1..{len(judgements)}"
    for number, (name, problem) in enumerate(judgements, 1):
        if problem:
            yield f"# {problem}"
        yield f"{'not ok' if problem else 'ok'} {number} {name}"


def read_counted(text):
    """The figures of the guest that counts instructions: (source, work, instructions, packets)."""
    lines = text.partition("TRAFFIC-BEGIN")[2].partition("TRAFFIC-END")[0].splitlines()
    figures = [line.split() for line in lines if line.strip()]
    return [(source, work, int(instructions), int(packets))
            for source, work, instructions, packets in figures]


def main(folder):
    """Writes the reports, and returns the status."""
    with open(os.path.join(folder, "traffic.json"), encoding="ascii") as f:
        run = json.load(f)
    with open(os.path.join(folder, "instructions.log"), encoding="utf-8", errors="replace") as f:
        counted = read_counted(f.read())
    valid = list(judge.validity(run))
    required = list(judge.requirements(run, counted))
    for name, lines in (("table.txt", table(run, counted)),
                        ("results.ktap", ktap(valid + required))):
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")
    if any(problem for _, problem in valid):
        return 2
    return int(any(problem for _, problem in required))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
