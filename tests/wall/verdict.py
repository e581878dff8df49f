# SPDX-License-Identifier: GPL-2.0
"""The requirements for a run. Each judgement is (name, problem), where None is no problem."""

# The clean page cache must be this many times larger than a burst, so that requests fail although
# plenty of memory could be reclaimed.
CACHE_PER_BURST = 4

# The first frees its pages at the end of a burst. The second gives them away for good.
OURS = ("labyrinth", "labyrinth_consumed")


def _each(bursts, name):
    return [burst for burst in bursts if burst["name"] == name]


def validity(run):
    """Checks that memory was as short during the run as the experiment needs."""
    atomic = _each(run["bursts"], "atomic")
    easy = sum(1 for burst in atomic if burst["dropped"] == 0)
    need = CACHE_PER_BURST * run["burst"]
    poor = [burst for burst in run["bursts"] if burst["clean_cache"] < need]

    yield ("atomic_fails",
           None if atomic and not easy else
           f"plain GFP_ATOMIC lost nothing in {easy} of {len(atomic)} bursts: the run is too easy; "
           "make WALL_BURST larger or WALL_MEMORY smaller")
    yield ("clean_page_cache_fills_memory",
           None if not poor else
           f"before {len(poor)} bursts there were less than {need} pages of clean page cache "
           f"(once {min(burst['clean_cache'] for burst in poor)}); make WALL_MEMORY larger or "
           "WALL_BURST smaller")


def requirements(run):
    """The requirements for labyrinth."""
    totals = run["contestants"]
    for name in OURS:
        ours, atomic = totals[name], totals["atomic"]
        yield (f"{name}_drops_nothing",
               None if ours["dropped"] == 0 else
               f"{ours['dropped']} of {ours['asked']} requests failed")
        yield (f"{name}_recovers_on_its_own",
               None if ours["not_recovered"] == 0 and ours["reserve"] == run["burst"] else
               f"after {ours['not_recovered']} of {ours['bursts']} bursts the reserve of "
               f"{ours['reserve']} pages was not full again in time")
        yield (f"{name}_spares_the_emergency_reserve",
               None if ours["emergency"] < atomic["emergency"] else
               f"{ours['emergency']} emergency pages, plain GFP_ATOMIC took {atomic['emergency']}")
