#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""guest.py FOLDER BURST ROUNDS FRAGMENTATION SEEDS: the part of `make wall` that runs in the guest.

The module must be loaded. FOLDER must have the file `cache`, larger than memory, and gets the
reports. Status: 0 all requirements are met, 1 one is not met, 2 the run is invalid.
"""

import os
import platform
import sys
import time

import kernel
import pagecache
import report
import sized
import verdict

# Free memory varies by this much, because files are read in steps, and because measuring needs
# memory, too.
SLACK = pagecache.STEP // kernel.PAGE


def contestants():
    """The names of the contestants, in the order of the module."""
    return list(kernel.results())


def state(when):
    """The state of free memory."""
    return {"when": when, "free_blocks": kernel.free_blocks(),
            "unusable_index": kernel.unusable_index(), "page_blocks": kernel.page_blocks()}


# Pages that are held for long are requested in this many portions, with reads of files in between.
PORTIONS = 8
CHURN = 2 << 20
SCATTERED = ("atomic", "bulk", "labyrinth")


def scatter(name, filler):
    """Lets a contestant take its pages little by little from full memory. The states of free memory
    show how scattered these pages are."""
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
    """Runs a burst of each contestant. Another contestant begins in each round."""
    first = number % len(names)
    for name in names[first:] + names[:first]:
        filler.fill(SLACK)
        clean = kernel.clean_cache()
        yield {"round": number, "name": name, "clean_cache": clean, **kernel.burst(name)}


def measure(folder, pages, rounds, scattered, seeds):
    """Runs the experiment, and returns all figures."""
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
    scattered_at = time.monotonic()
    # A pool may have a reserve of half of the memory.
    most = min(65536, kernel.meminfo()["MemTotal"] * 1024 // kernel.PAGE // 2)
    seeds = [sized.measure(seed, pages, most, filler, SLACK) for seed in seeds]

    return {
        "kernel": platform.release(), "cpus": os.cpu_count(),
        "command_line": kernel.read("/proc/cmdline").strip(),
        "init_on_alloc": "on" if "init_on_alloc=1" in kernel.read("/proc/cmdline") else "default",
        "memory_kib": kernel.meminfo()["MemTotal"], "marks": marks,
        "burst": pages, "rounds": rounds,
        "seconds": {"filling": filled - begin, "bursts": done - filled,
                    "scattering": scattered_at - done, "sizing": time.monotonic() - scattered_at},
        "bytes_read": filler.bytes_read,
        "contestants": {name: {key: value for key, value in total.items()
                               if not key.startswith("last_")}
                        for name, total in totals.items()},
        "bursts": bursts, "fragmentation": states, "sized": seeds,
    }


def judge(run):
    """The status of the run, and the judgements."""
    valid = list(verdict.validity(run))
    if any(problem for _, problem in valid):
        skip = ("skip", "the run is invalid")
        return 2, valid + [(name, skip) for name, _ in verdict.requirements(run)]
    required = list(verdict.requirements(run))
    return int(any(problem for _, problem in required)), valid + required


def main(folder, pages, rounds, fragmentation, seeds):
    """Measures, writes the reports, and returns the status."""
    kernel.protect_myself()
    run = measure(folder, int(pages), int(rounds), SCATTERED if int(fragmentation) else (),
                  range(1, int(seeds) + 1))
    status, judgements = judge(run)
    run["verdict"] = {0: "passed", 1: "failed", 2: "invalid"}[status]
    for name, text in (("table.txt", "\n".join(report.table(run)) + "\n"),
                       ("results.json", report.as_json(run)),
                       ("results.ktap", "\n".join(report.ktap(judgements)) + "\n")):
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write(text)
    return status


sys.exit(main(*sys.argv[1:]))
