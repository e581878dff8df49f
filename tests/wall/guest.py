#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""guest.py FOLDER BURST ROUNDS FRAGMENTATION: the part of `make wall` that runs in the virtual machine.

The module is loaded; FOLDER has the file `cache`, larger than memory, and takes the reports.
Status: 0 all requirements met, 1 one was missed, 2 the run proves nothing.
"""

import os
import platform
import sys
import time

import kernel
import pagecache
import report
import verdict

# The reads of a file come in steps, and what the measuring itself uses comes and goes.
SLACK = pagecache.STEP // kernel.PAGE


def contestants():
    """The names, in the module's order."""
    return list(kernel.results())


def state(when):
    """What free memory looks like now."""
    return {"when": when, "free_blocks": kernel.free_blocks(),
            "unusable_index": kernel.unusable_index(), "page_blocks": kernel.page_blocks()}


# Requests that are held for long come a few at a time, while files are read in between.
PORTIONS = 8
CHURN = 2 << 20
SCATTERED = ("atomic", "bulk", "labyrinth")


def scatter(name, filler):
    """How a contestant's pages lie once they were taken little by little from full memory: what is
    left of free memory when all of the page cache has gone from around them."""
    kernel.drop_page_cache()
    kernel.compact()
    yield state(f"{name}: nothing held")
    filler.fill(SLACK)
    for _ in range(PORTIONS):
        kernel.hold(name)
        filler.churn(CHURN)
    kernel.drop_page_cache()
    yield state(f"{name}: a burst held")
    kernel.release(name)


def run_round(number, names, filler):
    """A burst of each; another contestant begins in each round."""
    first = number % len(names)
    for name in names[first:] + names[:first]:
        filler.fill(SLACK)
        clean = kernel.clean_cache()
        yield {"round": number, "name": name, "clean_cache": clean, **kernel.burst(name)}


def measure(folder, pages, rounds, scattered):
    """The whole experiment."""
    begin = time.monotonic()
    kernel.shorten_cpu_lists()
    states = [state("after boot")]
    kernel.prepare(pages)
    states.append(state("reserves filled"))
    names = contestants()
    filler = pagecache.Filler(os.path.join(folder, "cache"))
    filler.fill(SLACK)
    states.append(state("page cache fills memory"))
    filled = time.monotonic()

    bursts = []
    for number in range(rounds):
        bursts += run_round(number, names, filler)
    totals = kernel.results()
    done = time.monotonic()
    states.append(state("after all bursts"))
    marks = kernel.memory()
    for name in scattered:
        states += scatter(name, filler)
    kernel.prepare(0)
    states.append(state("reserves given back"))

    return {
        "kernel": platform.release(), "cpus": os.cpu_count(),
        "command_line": kernel.read("/proc/cmdline").strip(),
        "init_on_alloc": "on" if "init_on_alloc=1" in kernel.read("/proc/cmdline") else "default",
        "memory_kib": kernel.meminfo()["MemTotal"], "marks": marks,
        "burst": pages, "rounds": rounds, "seconds": {"filling": filled - begin, "bursts": done - filled,
                    "scattering": time.monotonic() - done},
        "bytes_read": filler.bytes_read,
        "contestants": {name: {key: value for key, value in total.items()
                               if not key.startswith("last_")}
                        for name, total in totals.items()},
        "bursts": bursts, "fragmentation": states,
    }


def judge(run):
    """(status, judgements)."""
    valid = list(verdict.validity(run))
    if any(problem for _, problem in valid):
        skip = ("skip", "the run is invalid")
        return 2, valid + [(name, skip) for name, _ in verdict.requirements(run)]
    required = list(verdict.requirements(run))
    return int(any(problem for _, problem in required)), valid + required


def main(folder, pages, rounds, fragmentation):
    """Measures, reports, judges."""
    kernel.protect_myself()
    run = measure(folder, int(pages), int(rounds), SCATTERED if int(fragmentation) else ())
    status, judgements = judge(run)
    run["verdict"] = {0: "passed", 1: "failed", 2: "invalid"}[status]
    for name, text in (("table.txt", "\n".join(report.table(run)) + "\n"),
                       ("results.json", report.as_json(run)),
                       ("results.ktap", "\n".join(report.ktap(judgements)) + "\n")):
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write(text)
    return status


sys.exit(main(*sys.argv[1:]))
