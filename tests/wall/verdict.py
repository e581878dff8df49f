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
    easy = [seed["seed"] for seed in run["sized"] if not seed["same"][0]]
    yield ("sized_first_burst_fails",
           None if not easy else
           f"with the seeds {easy} the first burst lost nothing: the run is too easy; make "
           "WALL_BURST larger or WALL_MEMORY smaller")
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
    for name, problem in (("third_burst_drops_nothing", _third_burst),
                          ("larger_bursts_are_covered", _larger_bursts),
                          ("calm_gives_back", _calm), ("bound_is_kept", _bound),
                          ("leaves_a_quarter", _quarter)):
        problems = [f"seed {seed['seed']}: {text}" for seed in run["sized"]
                    if (text := problem(seed))]
        yield f"sized_{name}", "; ".join(problems) or None


def _third_burst(seed):
    last = seed["same"][-1]
    return last and f"{last} of {seed['pages']} requests failed: {seed['same']}"


def _larger_bursts(seed):
    last = seed["larger"][-1]
    return last and f"{last} of 4 x {seed['pages']} requests failed: {seed['larger']}"


def _calm(seed):
    calm = seed["calm"]
    if calm["before"] < seed["pages"] // 4:
        return f"the reserve had only {calm['before']} pages, so this proves nothing"
    return calm["after"] > calm["before"] // 4 and \
        f"{calm['after']} of {calm['before']} pages are left"


def _bound(seed):
    for which in (seed, seed["tight"]):
        if which["most"] > which["bound"]:
            return f"there were {which['most']} pages, and the bound is {which['bound']}"
    tight = seed["tight"]
    return tight["level"] != tight["bound"] and \
        f"there are {tight['level']} pages after bursts of twice the bound of {tight['bound']}"


def _quarter(seed):
    scarce = seed["scarce"]
    all_, level = max(scarce["free_before"], scarce["reclaimable"]), scarce["level"]
    # Others take and free some pages in the meantime.
    slack = all_ // 50
    if scarce["target"] <= all_:
        return f"the target was only {scarce['target']} pages, so this proves nothing"
    if level < all_ // 2:
        return f"the reserve took only {level} of {all_} pages"
    if level > 3 * all_ // 4 + slack:
        return f"the reserve took {level} of {all_} pages"
    return scarce["total_after"] < scarce["total_before"] // 4 and \
        f"{scarce['total_after']} of {scarce['total_before']} free pages are left"
