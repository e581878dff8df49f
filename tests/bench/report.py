#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""report.py FOLDER UNIT CONFIG NAME…: evaluates the points that the benchmark has measured.

Reads FOLDER/NAME.points for each NAME, of which the first must be the run with init_on_alloc=0. If
there is FOLDER/again.points, its figures must be exactly those of the first run. Also reads the
files of scaling.py, if they exist. Writes results.ktap, which is also printed, results.md and
results.json. Fails if a required ratio is not met.
"""

import json
import os
import re
import sys
from fractions import Fraction

import scaling

# Peers in Rust. The cost of an empty loop in the same language is subtracted from each peer's.
RUST = ("kernel_page", "kbox_page", "exclusive_", "two_clock_reads", "recording_", "pool_", "cpu_",
        "attributed_")

# The required ratios: name, a figure, and the other figure and a factor that limit it. A figure is
# (peer, order, batch).
REQUIRED = (
    ("ExclusivePage costs no more than C", ("exclusive_page", 0, 1),
     ("alloc_pages", 0, 1), Fraction(102, 100)),
    ("a miss costs little more than the page allocator", ("pool_miss", 0, 1),
     ("alloc_pages", 0, 1), Fraction(108, 100)),
    ("64 pages at once cost little more than in C", ("exclusive_bulk", 0, 64),
     ("alloc_pages_bulk", 0, 64), Fraction(103, 100)),
    ("so they do through the whole chain of a pool", ("pool_bulk_miss", 0, 64),
     ("alloc_pages_bulk", 0, 64), Fraction(103, 100)),
    ("a cache hit is at most 1/8 of the page allocator", ("pool_hit", 0, 1),
     ("alloc_pages", 0, 1), Fraction(1, 8)),
    ("a cache hit is not above page_pool's fast path", ("pool_hit", 0, 1),
     ("page_pool_fast", 0, 1), Fraction(1)),
    ("a page of the reserve is at most 1/4 of the page allocator", ("pool_reserve", 0, 1),
     ("alloc_pages", 0, 1), Fraction(1, 4)),
    ("a page of 64 at once is at most 0.55 of one by itself", ("exclusive_bulk", 0, 64),
     ("alloc_pages", 0, 1), Fraction(55, 100)),
    ("so is a page of 64 at once of a pool", ("pool_bulk_miss", 0, 64),
     ("pool_miss", 0, 1), Fraction(55, 100)),
    ("a page that keeps its attribute is at most 1/2 of ttm_pool's way", ("attributed_pool", 0, 1),
     ("ttm_way", 0, 1), Fraction(1, 2)),
    ("and no more if it is cleared", ("attributed_pool_cleared", 0, 1),
     ("ttm_way_cleared", 0, 1), Fraction(1)),
)

# The most instructions of a figure.
MOST = (("a cache hit, with its counters", ("pool_hit", 0, 1), 36),)

# By how many instructions the first figure may exceed the second.
ADDED = (
    ("what a pool adds to a stack for each CPU", ("pool_hit", 0, 1), ("cpu_stack", 0, 1), 13),
    ("counting what comes of a request", ("recording_counters", 0, 1),
     ("recording_off", 0, 1), 12),
    ("full recording without its two clock reads", ("recording_full", 0, 1),
     ("two_clock_reads", 0, 1), 40),
)

# The distances of NEAR from LIMITS are reported. LIMITS are the least possible costs of a per-CPU
# pop and push.
LIMITS = ("limit", "limit_token", "limit_irq")
NEAR = ("pool_hit", "cpu_stack", "c_pool_hit", "page_pool_fast")

# Options that change the cost of an allocation.
OPTIONS = ("PREEMPT", "PREEMPT_RT", "PREEMPT_DYNAMIC", "HZ", "NUMA", "MEMCG", "DEBUG_VM", "KASAN",
           "KFENCE", "UBSAN", "PROVE_LOCKING", "LOCKDEP", "DEBUG_PREEMPT", "DEBUG_ATOMIC_SLEEP",
           "DEBUG_PAGEALLOC", "PAGE_OWNER", "PAGE_POISONING", "PAGE_TABLE_CHECK", "SLUB_DEBUG_ON",
           "SLAB_FREELIST_HARDENED", "SLAB_FREELIST_RANDOM", "LIST_HARDENED",
           "INIT_ON_ALLOC_DEFAULT_ON", "INIT_ON_FREE_DEFAULT_ON", "MEM_ALLOC_PROFILING",
           "FAULT_INJECTION", "FUNCTION_TRACER", "PARAVIRT_XXL", "CALL_PADDING",
           "MITIGATION_RETPOLINE", "MITIGATION_RETHUNK", "CC_VERSION_TEXT", "RUSTC_VERSION_TEXT")


class Run:
    """The points of one boot."""

    def __init__(self, folder, name, hardware):
        self.name = name
        self.points, self.failed, self.facts, self.known = {}, [], {}, None
        self.worst = []
        column = 1 if hardware else 0
        with open(os.path.join(folder, name + ".points"), encoding="utf-8") as lines:
            for line in lines:
                kind, *words = line.split()
                if kind == "point":
                    order, batch, ops = map(int, words[1:4])
                    key = (words[0], order, batch)
                    assert key not in self.points, f"{key} comes twice"
                    self.points[key] = (int(words[4 + column]), ops, tuple(map(int, words[4:7])))
                elif kind == "failed":
                    self.failed.append(((words[0], int(words[1]), int(words[2])),
                                        " ".join(words[3:])))
                elif kind == "worst":
                    self.worst.append((words[0], *map(int, words[1:])))
                elif kind == "known":
                    self.known = tuple(map(int, words))
                elif kind == "fact":
                    self.facts[words[0]] = " ".join(words[1:])
        assert self.known and self.points and self.facts, f"{name}: not a complete run"

    def has(self, key):
        """Whether this point was measured."""
        return key in self.points

    def cost(self, key):
        """The exact time of one operation, without the loop and the clock."""
        peer, order, batch = key
        ticks, ops, _ = self.points[key]
        empty = "empty_rust" if peer.startswith(RUST) else "empty_c"
        loop, loops, _ = self.points[(empty, order, batch)]
        assert loops == ops, f"{key}: {ops} operations, but {loops} in the empty loop"
        return Fraction(ticks - loop, ops)

    def keys(self):
        """All points except for the empty loops."""
        return [key for key in self.points if not key[0].startswith("empty_")]


def decimal(value):
    """A number with two decimals, rounded up, so that no ratio looks better than it is."""
    hundredths = -(-value * 100 // 1)
    return f"{int(hundredths) // 100}.{int(hundredths) % 100:02}"


def label(key):
    """The name of a point, for people."""
    return f"{key[0]} order={key[1]} batch={key[2]}"


class Ktap:
    """Collects the results of cases."""

    def __init__(self):
        self.lines, self.cases, self.failures = [], 0, 0

    def case(self, passed, name, *notes):
        """Adds a case, with notes before it."""
        self.cases += 1
        self.failures += not passed
        self.lines += [f"# {note}" for note in notes]
        self.lines.append(f"{'ok' if passed else 'not ok'} {self.cases} {name}")

    def text(self, *notes):
        """The complete report."""
        head = ["KTAP version 1", f"1..{self.cases}", *(f"# {note}" for note in notes)]
        return "\n".join(head + self.lines) + "\n"


def options(config):
    """The values of OPTIONS in the configuration."""
    with open(config, encoding="utf-8") as file:
        found = dict(re.findall(r"^CONFIG_(\w+)=(.*)$", file.read(), re.M))
    return {name: found.get(name, "n").strip('"') for name in OPTIONS}


def check_ratios(ktap, run, unit, required):
    """The ratios as data. Adds a case for each of them, or only a note if they are not required."""
    def judge(met, name, note):
        if required:
            ktap.case(met, f"required: {name}", note)
        else:
            ktap.lines.append(f"# {name}: {note}")

    ratios = []
    for name, key, base, factor in REQUIRED:
        missing = [label(k) for k in (key, base) if not run.has(k)]
        if missing:
            judge(False, name, f"no figure of {', '.join(missing)}")
            continue
        ratio = run.cost(key) / run.cost(base)
        judge(ratio <= factor, name,
              f"perf={float(ratio):.4f} of {label(base)}, at most {float(factor):.4f}")
        ratios.append({"name": name, "figure": label(key), "of": label(base),
                       "ratio": float(ratio), "at_most": float(factor), "met": ratio <= factor})
    for name, key, base, most in ADDED:
        missing = [label(k) for k in (key, base) if not run.has(k)]
        if missing:
            judge(False, name, f"no figure of {', '.join(missing)}")
            continue
        added = run.cost(key) - run.cost(base)
        judge(added <= most, name,
              f"perf={float(added):.4f} {unit} more than {label(base)}, at most {most}")
        ratios.append({"name": name, "figure": label(key), "more_than": label(base),
                       "added": float(added), "at_most": most, "met": added <= most})
    for name, key, most in MOST:
        if not run.has(key):
            judge(False, name, f"no figure of {label(key)}")
            continue
        cost = run.cost(key)
        judge(cost <= most, name, f"perf={float(cost):.4f} {unit}, at most {most}")
        ratios.append({"name": name, "figure": label(key), "added": float(cost), "at_most": most,
                       "met": cost <= most})
    return ratios


def distances(run):
    """Lines with the distances of the fast paths from the limits."""
    for limit in LIMITS:
        for peer in NEAR:
            if run.has((peer, 0, 1)) and run.has((limit, 0, 1)):
                cost, least = run.cost((peer, 0, 1)), run.cost((limit, 0, 1))
                yield (f"{peer}: {decimal(cost)}, which is {decimal(cost - least)} above "
                       f"the {decimal(least)} of {limit}")


def markdown(runs, unit, ratios, several, facts, config):
    """The tables as Markdown."""
    out = [f"# Benchmark: {unit} to get and give back one page (or block)", ""]
    first = runs[0]
    peers = list(dict.fromkeys(key[0] for key in first.keys()))
    for run in runs:
        batches = sorted({key[2] for key in run.keys() if key[1] == 0})
        orders = sorted({key[1] for key in run.keys() if key[2] == 1})
        for title, columns, at in (
                ("order 0, by batch", batches, lambda peer, n: (peer, 0, n)),
                ("one at a time, by order", orders, lambda peer, n: (peer, n, 1))):
            out += [f"## {run.name}, {title}", "",
                    f"| peer | {' | '.join(map(str, columns))} |",
                    "|---|" + "---:|" * len(columns)]
            for peer in peers:
                keys = [at(peer, n) for n in columns]
                if sum(run.has(key) for key in keys) < (2 if columns is orders else 1):
                    continue
                cells = [decimal(run.cost(k)) if run.has(k) else "" for k in keys]
                out.append(f"| {peer} | {' | '.join(cells)} |")
            out.append("")
        out += [f"Worst case of {name}: {worst - clock} (median {median - clock}, "
                f"best {best - clock})\n" for name, best, median, worst, clock in run.worst]
    if several:
        out += scaling.markdown(*several)
    out += ["## Required" + (", but only of instructions" if unit == "cycles" else ""), "",
            "| what | measured | at most | |", "|---|---:|---:|---|"]
    out += [f"| {r['name']} | {r.get('ratio', r.get('added')):.4f} | {r['at_most']:.4f} | "
            f"{'met' if r['met'] else '**not met**'} |" for r in ratios]
    out += ["", "## Distance from the limit", ""] + [f"- {text}" for text in distances(first)]
    out += ["", "## What the figures depend on", ""]
    out += [f"- {name}: {value}" for name, value in facts.items()]
    out.append("- config: " + ", ".join(f"{n}={v}" for n, v in config.items()))
    return "\n".join(out) + "\n"


def main(folder, unit, config_file, *names):
    """Reads the points, and writes the reports."""
    hardware = unit == "cycles"
    runs = [Run(folder, name, hardware) for name in names]
    again = None
    if os.path.exists(os.path.join(folder, "again.points")):
        again = Run(folder, "again", hardware)
    config = options(config_file)
    ktap = Ktap()

    for run in runs + ([again] if again else []):
        instructions, ticks = run.known
        if not hardware:
            ktap.case(instructions == ticks, f"{run.name}: the clock counts instructions",
                      f"perf={ticks} {unit} for {instructions} known instructions")
    for run in runs:
        for key in run.keys():
            notes, good = [], run.cost(key) >= 0
            notes.append(f"perf={float(run.cost(key)):.4f} {unit}/op, {run.points[key][1]} ops, "
                         "raw best/median/worst {}/{}/{}".format(*run.points[key][2]))
            if again and run is runs[0]:
                same = again.points.get(key, (None,))[0] == run.points[key][0]
                good = good and same
                notes.append("the same to the digit when repeated" if same else
                             f"not the same when repeated: {again.points.get(key)}")
            ktap.case(good, f"{run.name}: {label(key)}", *notes)
        for name, best, median, worst, clock in run.worst:
            same = not again or run is not runs[0] or again.worst == run.worst
            ktap.case(same and best >= clock, f"{run.name}: worst case of {name}",
                      f"perf={worst - clock} {unit} worst, {median - clock} median, "
                      f"{best - clock} best")
        for key, why in run.failed:
            ktap.case(False, f"{run.name}: {label(key)}", why)
    ratios = check_ratios(ktap, runs[0], unit, required=not hardware)
    several = scaling.read(folder)
    if several:
        ratios += scaling.cases(ktap, *several)
    ktap.lines += [f"# limit: {text}" for text in distances(runs[0])]

    facts = runs[0].facts
    config_text = ", ".join(f"{n}={v}" for n, v in config.items())
    text = ktap.text(*(f"{name}: {value}" for name, value in facts.items()),
                     f"config: {config_text}")
    with open(os.path.join(folder, "results.ktap"), "w", encoding="utf-8") as file:
        file.write(text)
    with open(os.path.join(folder, "results.md"), "w", encoding="utf-8") as file:
        file.write(markdown(runs, unit, ratios, several, facts, config))
    with open(os.path.join(folder, "results.json"), "w", encoding="utf-8") as file:
        json.dump({
            "unit": unit, "config": config, "ratios": ratios,
            "scaling": scaling.data(*several) if several else None,
            "runs": [{
                "name": run.name, "facts": run.facts,
                "points": [{"peer": key[0], "order": key[1], "batch": key[2],
                            "per_op": float(run.cost(key)), "ops": run.points[key][1],
                            "best": run.points[key][2][0], "median": run.points[key][2][1],
                            "worst": run.points[key][2][2]} for key in run.keys()],
            } for run in runs]}, file, indent=1)
        file.write("\n")
    sys.stdout.write(text)
    return 1 if ktap.failures else 0


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
