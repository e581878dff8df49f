# SPDX-License-Identifier: GPL-2.0
"""Formats the results as a table, as JSON and as KTAP."""

import json

TITLES = {"kernel": "GFP_KERNEL", "nowait": "GFP_NOWAIT", "atomic": "GFP_ATOMIC",
          "bulk": "GFP_ATOMIC, bulk of 64", "mempool": "mempool, GFP_ATOMIC",
          "labyrinth": "labyrinth", "labyrinth_consumed": "labyrinth, pages gone"}
COLUMNS = (("requests", 9), ("served %", 9), ("dropped", 8), ("emergency", 10), ("depth", 7),
           ("p50 us", 9), ("p99 us", 9), ("max us", 10), ("full again ms", 14))


def _micros(nanos, served=True):
    return f"{nanos / 1000:.1f}" if served else "-"


def _row(name, total, bursts):
    served = total["asked"] - total["dropped"]
    recovery = "-"
    if total["not_recovered"]:
        recovery = "never"
    elif total["reserve"]:
        recovery = f"{total['longest_recovery_ns'] / 1e6:.1f}"
    # Round down, so that 100 means that no request was dropped.
    rate = served * 100_000 // total["asked"] / 1000
    cells = (total["asked"], f"{rate:.3f}", total["dropped"], total["emergency"],
             max(burst["shortfall_after"] for burst in bursts),
             *(_micros(total[f"served_{which}_ns"], served) for which in ("p50", "p99", "max")),
             recovery)
    return (f"{TITLES.get(name, name):<24}{total['context']:<15}"
            + "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, COLUMNS)))


def _unusable(state, order):
    """The largest share, over the zones, of free memory in blocks smaller than an order."""
    index = state["unusable_index"]
    return f"{max(zone[order] for zone in index.values()):.3f}" if index else "-"


def _fragmentation(run):
    states = run["fragmentation"]
    orders = len(states[0]["free_blocks"])
    yield ("numbers of free blocks by order (/proc/buddyinfo); unusable: share of the worst zone's "
           "free memory in blocks")
    yield "smaller than order 9; unmovable: page blocks of migrate type Unmovable"
    yield (f"{'':<34}" + "".join(f"{order:>6}" for order in range(orders))
           + f"{'unusable':>10}{'unmovable':>10}")
    for state in states:
        yield (f"{state['when']:<34}" + "".join(f"{n:>6}" for n in state["free_blocks"])
               + f"{_unusable(state, 9):>10}{state['page_blocks'].get('Unmovable', '-'):>10}")


def _sized(run):
    yield ("a reserve that sizes itself, from 0 pages: requests of each burst that failed, for "
           "bursts of one size and of four times")
    yield ("that size; pages before and after what stands for an hour of calm; free memory without "
           "page cache, and the")
    yield "pages that the reserve took of it"
    yield (f"{'seed':>4}{'pages':>7}  {'bursts of one size':<20}{'four times as large':<26}"
           f"{'bound':>7}{'most':>7}{'before':>8}{'after':>7}{'free':>7}{'taken':>7}")
    for seed in run["sized"]:
        same, larger = (" ".join(map(str, seed[which])) for which in ("same", "larger"))
        calm, scarce = seed["calm"], seed["scarce"]
        yield (f"{seed['seed']:>4}{seed['pages']:>7}  {same:<20}{larger:<26}{seed['bound']:>7}"
               f"{seed['most']:>7}{calm['before']:>8}{calm['after']:>7}{scarce['free_before']:>7}"
               f"{scarce['level']:>7}")


def table(run):
    """The lines of the table."""
    marks = run["marks"]
    atomic = [burst for burst in run["bursts"] if burst["name"] == "atomic"]
    yield (f"Linux {run['kernel']}, {run['cpus']} CPUs, {run['memory_kib'] // 1024} MiB; "
           f"{run['rounds']} rounds of {run['burst']} pages for each contestant, interleaved")
    yield (f"watermarks: min {marks['min']}, low {marks['low']}, high {marks['high']} pages; "
           f"before a burst of GFP_ATOMIC {min(b['free_before'] for b in atomic)} to "
           f"{max(b['free_before'] for b in atomic)} pages were free, and at least "
           f"{min(b['clean_cache'] for b in atomic)} were clean page cache")
    yield (f"init_on_alloc: {run['init_on_alloc']}; reserves are as large as a burst; the per-CPU "
           "lists of the allocator are kept short")
    yield ("emergency: pages taken while their zone was below its min watermark; depth: largest "
           "shortfall of a zone after a burst, in pages")
    yield ""
    yield f"{'':<24}{'context':<15}" + "".join(f"{title:>{width}}" for title, width in COLUMNS)
    for name, total in run["contestants"].items():
        yield _row(name, total, [burst for burst in run["bursts"] if burst["name"] == name])
    yield ""
    yield from _fragmentation(run)
    if run["sized"]:
        yield ""
        yield from _sized(run)


def ktap(judgements):
    """The lines of the KTAP. A problem can be ("skip", WHY)."""
    judgements = list(judgements)
    yield "KTAP version 1"
    yield f"1..{len(judgements)}"
    for number, (name, problem) in enumerate(judgements, 1):
        if problem is None:
            yield f"ok {number} {name}"
        elif isinstance(problem, tuple):
            yield f"ok {number} {name} # SKIP {problem[1]}"
        else:
            yield f"# {problem}"
            yield f"not ok {number} {name}"


def as_json(run):
    """All results as JSON."""
    return json.dumps(run, indent=1) + "\n"
